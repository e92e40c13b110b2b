"""The s3 input: a bucket's prefix, followed without a queue; every object once, whenever it comes.

What was delivered is remembered by key and ETag in a file (SQLite), and by nothing that order or time could
mislead: objects of one second, objects that come late, and a restart are all the same to it. Each round
lists the recent days of every account and region; now and then, and at the start, everything is listed.

Facts: Amazon S3 API, ListObjectsV2 (a page has at most 1,000 keys; strongly consistent since 2020); Amazon
GuardDuty user guide, "Exporting findings" (`AWSLogs/{account}/GuardDuty/{region}/{yyyy}/{mm}/{dd}/`).
"""

import asyncio
import logging
import re
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from guardduty_lens.inputs.asking import AskingCounts, Following
from guardduty_lens.inputs.delivery import Batch, Deliver, NotDelivered, Payload, deliver_until
from guardduty_lens.inputs.memory import Memory
from guardduty_lens.inputs.s3_notifications import S3Object, holds_findings
from guardduty_lens.inputs.s3_objects import read_object

AT_ONCE = 16
"""Objects under way together."""
_DEEPEST = 6
"""Folders above the years: `AWSLogs/{account}/GuardDuty/{region}/` are four."""
_YEAR = re.compile(r"/\d{4}/$")

_log = logging.getLogger(__name__)


class S3Options(msgspec.Struct, frozen=True, kw_only=True):
    """The prefix, and where it is remembered what was delivered. `recent_days` are listed in each round."""

    bucket: str
    region: str
    memory: Path
    prefix: str = ""
    tag: str = "s3"
    every_seconds: float = 60.0
    recent_days: int = 3
    sweep_seconds: float = 86_400.0
    largest_object: int = 64 * 1024 * 1024


class S3Counts(AskingCounts):
    """What became of objects, and how often AWS could not be asked."""

    rounds: int = 0
    listed: int = 0
    left: int = 0


class Objects(Memory):
    """Which objects were delivered: a table of keys and ETags."""

    schema = """
        CREATE TABLE IF NOT EXISTS delivered (bucket TEXT, key TEXT, etag TEXT, PRIMARY KEY (bucket, key))
            WITHOUT ROWID
    """

    def lacks(self, bucket: str, listed: Iterable[dict[str, Any]]) -> list[str]:
        """Give the keys of those that were not delivered as they are now."""
        with self._lock:
            return [each["Key"] for each in listed if self._etag(bucket, each["Key"]) != each["ETag"]]

    def _etag(self, bucket: str, key: str) -> str | None:
        question = "SELECT etag FROM delivered WHERE bucket = ? AND key = ?"
        row = self._database.execute(question, (bucket, key)).fetchone()
        return row[0] if row else None

    def add(self, bucket: str, etags: Mapping[str, str]) -> None:
        """Remember that objects were delivered, by key and ETag."""
        with self._lock, self._database:
            self._database.executemany(
                "INSERT OR REPLACE INTO delivered VALUES (?, ?, ?)",
                [(bucket, key, etag) for key, etag in etags.items()],
            )


class S3Input(Following[S3Counts, Objects]):
    """Follows a prefix until it is closed."""

    kind = "s3"

    def __init__(self, options: S3Options, deliver: Deliver) -> None:
        super().__init__(S3Counts(), AT_ONCE)
        self._options = options
        self._deliver = deliver
        self._left: set[str] = set()
        """Keys of those that could not be read: tried again in each round."""

    def _begin(self) -> Objects:
        import boto3  # an extra

        self._s3 = boto3.client("s3", region_name=self._options.region)
        return Objects(self._options.memory)

    async def _follow(self) -> None:
        swept: float | None = None
        while not self._closing.is_set():
            start = time.monotonic()
            whole = swept is None or start - swept >= self._options.sweep_seconds
            try:
                await self._take(sorted(self._left))
                await self._round(self._everything() if whole else self._recent())
            except Exception as error:  # noqa: BLE001 - the following must go on, and the fault be seen
                self._note(f"s3://{self._options.bucket}/{self._options.prefix} cannot be listed", error)
            else:
                self._counts.rounds += 1
                swept = start if whole else swept
            await self._sleep(self._options.every_seconds)

    async def _round(self, pages: AsyncIterator[list[dict[str, Any]]]) -> None:
        """Deliver what is new on pages of a list."""
        async for page in pages:
            self._counts.listed += len(page)
            wanted = [each for each in page if holds_findings(each["Key"])]
            fresh = await self._call(partial(self._memory.lacks, self._options.bucket, wanted))
            await self._take([key for key in fresh if key not in self._left])

    async def _take(self, keys: Sequence[str]) -> None:
        """Deliver objects, and remember those that were confirmed."""
        for at in range(0, len(keys), AT_ONCE):
            if self._closing.is_set():
                return
            done = await asyncio.gather(*(self._pass(key) for key in keys[at : at + AT_ONCE]))
            confirmed = {key: etag for key, etag in done if etag is not None}
            await self._call(partial(self._memory.add, self._options.bucket, confirmed))

    async def _pass(self, key: str) -> tuple[str, str | None]:
        """Deliver an object; give its key, and the ETag of what was confirmed, if anything was."""
        found = S3Object(self._options.bucket, key)
        try:
            read = await self._call(partial(read_object, self._s3, found, self._options.largest_object))
            self._left.discard(key)
            if read is None:
                self._counts.objects_gone += 1
                return key, None
            source = f"s3://{found.bucket}/{key}"
            batch = Batch(self._options.tag, source, [Payload(read.raw, is_json=False)])
            await deliver_until(self._closing, self._deliver, batch)
        except NotDelivered:
            return key, None
        except Exception as error:  # noqa: BLE001 - one object must not hold up the others
            self._counts.left += 1
            self._left.add(key)
            self._note(f"s3://{found.bucket}/{key} is left for the next round", error)
            return key, None
        self._counts.objects += 1
        self._counts.bytes += len(read.raw)
        return key, read.etag

    async def _everything(self) -> AsyncIterator[list[dict[str, Any]]]:
        async for page in self._pages(self._options.prefix):
            yield page.get("Contents", [])

    async def _recent(self) -> AsyncIterator[list[dict[str, Any]]]:
        """Give the objects of recent days, and those that are in no day's folder."""
        async for folder, page in self._folders(self._options.prefix, _DEEPEST):
            yield page.get("Contents", [])
            if any(_YEAR.search(each["Prefix"]) for each in page.get("CommonPrefixes", ())):
                for day in self._days():
                    async for of_day in self._pages(f"{folder}{day}/"):
                        yield of_day.get("Contents", [])

    async def _folders(self, folder: str, depth: int) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        """Give the pages of folders down to those that hold years."""
        async for page in self._pages(folder, Delimiter="/"):
            yield folder, page
            inside = [each["Prefix"] for each in page.get("CommonPrefixes", ())]
            for each in inside:
                if depth > 0 and not _YEAR.search(f"/{each}"):
                    async for found in self._folders(each, depth - 1):
                        yield found

    def _days(self) -> Iterator[str]:
        """Give recent days, as keys tell them; tomorrow too, since clocks differ."""
        tomorrow = datetime.now(UTC) + timedelta(days=1)
        for back in range(self._options.recent_days + 1):
            yield (tomorrow - timedelta(days=back)).strftime("%Y/%m/%d")

    async def _pages(self, prefix: str, **options: str) -> AsyncIterator[dict[str, Any]]:
        asked = {"Bucket": self._options.bucket, "Prefix": prefix, **options}
        while not self._closing.is_set():
            page: dict[str, Any] = await self._call(partial(self._s3.list_objects_v2, **asked))
            yield page
            if not page.get("IsTruncated"):
                return
            asked = asked | {"ContinuationToken": page["NextContinuationToken"]}
