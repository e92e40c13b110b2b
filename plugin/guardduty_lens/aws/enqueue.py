"""An archive in S3, told to a queue as S3 would tell it: the function `index`, or `serve`, does the work.

Keys are told in the order of S3's own list (UTF-8), so that the last one told says where to go on.

Facts: Amazon S3 API, ListObjectsV2 (`StartAfter`); Amazon SQS API, SendMessageBatch (ten messages, 256 KiB,
failures one by one).
"""

import re
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from itertools import islice
from typing import Any, TypeVar
from urllib.parse import quote_plus

import msgspec

from guardduty_lens.aws.notifications import holds_findings

KEYS_IN_A_MESSAGE = 5
MESSAGES_AT_ONCE = 10
"""Keys have at most 1,024 bytes, which quoted are three times as many: a batch stays below 256 KiB."""
TRIES = 6
_FIRST_PAUSE_SECONDS = 0.5
_DAY = re.compile(r"/(\d{4})/(\d{2})/(\d{2})/")
_LOCATION = re.compile(r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(?P<prefix>.*))?", re.DOTALL)

Item = TypeVar("Item")


class EnqueueError(Exception):
    """What could not be listed or sent, and why."""


class Archive(msgspec.Struct, frozen=True, kw_only=True):
    """Which objects of a bucket are wanted: days are those that keys tell, else of the last change."""

    bucket: str
    prefix: str = ""
    accounts: frozenset[str] = frozenset()
    since: date | None = None
    until: date | None = None

    def wants(self, key: str, changed: datetime) -> bool:
        """Tell whether an object is wanted."""
        if not holds_findings(key) or (self.accounts and self.accounts.isdisjoint(key.split("/"))):
            return False
        day = _day_of(key) or changed.date()
        return (self.since is None or day >= self.since) and (self.until is None or day <= self.until)


class Told(msgspec.Struct):
    """What was listed, and what of it was told; `last` is the key after which to go on."""

    listed: int = 0
    objects: int = 0
    bytes: int = 0
    messages: int = 0
    last: str = ""


def location_of(text: str) -> tuple[str, str]:
    """Read `s3://BUCKET/PREFIX`. Raises ValueError."""
    found = _LOCATION.fullmatch(text)
    if found is None:
        raise ValueError(f"s3://BUCKET/PREFIX is wanted, not {text!r}")
    return found["bucket"], found["prefix"] or ""


def enqueue(s3: Any, sqs: Any | None, queue_url: str, archive: Archive, after: str = "") -> Iterator[Told]:
    """Tell a queue of the objects after a key; without `sqs` only count them.

    Yields what was done so far, each time that a batch was taken by the queue, and at the end. Raises
    EnqueueError.
    """
    told = Told(last=after)
    for wanted in _batches(_wanted(s3, archive, told, after), KEYS_IN_A_MESSAGE * MESSAGES_AT_ONCE):
        bodies = [_notification(archive.bucket, group) for group in _batches(wanted, KEYS_IN_A_MESSAGE)]
        if sqs is not None:
            _send(sqs, queue_url, bodies)
        told.objects += len(wanted)
        told.bytes += sum(each["Size"] for each in wanted)
        told.messages += len(bodies)
        told.last = wanted[-1]["Key"]
        yield told
    yield told


def _wanted(s3: Any, archive: Archive, told: Told, after: str) -> Iterator[dict[str, Any]]:
    from botocore.exceptions import BotoCoreError, ClientError

    pages = s3.get_paginator("list_objects_v2").paginate(
        Bucket=archive.bucket, Prefix=archive.prefix, **({"StartAfter": after} if after else {})
    )
    try:
        for page in pages:
            for each in page.get("Contents", ()):
                told.listed += 1
                if archive.wants(each["Key"], each["LastModified"]):
                    yield each
    except (BotoCoreError, ClientError) as error:
        raise EnqueueError(f"s3://{archive.bucket}/{archive.prefix} cannot be listed: {error}") from error


def _notification(bucket: str, objects: Iterable[dict[str, Any]]) -> str:
    records = [
        {
            "eventVersion": "2.1",
            "eventSource": "aws:s3",
            "eventName": "ObjectCreated:Put",
            "s3": {
                "bucket": {"name": bucket},
                "object": {"key": quote_plus(each["Key"], safe="/"), "size": each["Size"]},
            },
        }
        for each in objects
    ]
    return msgspec.json.encode({"Records": records}).decode()


def _send(sqs: Any, queue_url: str, bodies: Sequence[str]) -> None:
    """Send messages; those that fail are sent again, after a pause that doubles. Raises EnqueueError."""
    from botocore.exceptions import BotoCoreError, ClientError

    waiting = [{"Id": str(number), "MessageBody": body} for number, body in enumerate(bodies)]
    pause, why = _FIRST_PAUSE_SECONDS, ""
    for attempt in range(TRIES):
        if attempt:
            time.sleep(pause)
            pause *= 2
        try:
            answer = sqs.send_message_batch(QueueUrl=queue_url, Entries=waiting)
        except (BotoCoreError, ClientError) as error:
            raise EnqueueError(f"{queue_url}: {error}") from error
        failed = {each["Id"]: each for each in answer.get("Failed", ())}
        waiting = [each for each in waiting if each["Id"] in failed]
        if not waiting:
            return
        why = next(str(each.get("Message") or each["Code"]) for each in failed.values())
    raise EnqueueError(f"{queue_url}: {len(waiting)} messages were not taken: {why}")


def _batches(items: Iterable[Item], most: int) -> Iterator[list[Item]]:
    rest = iter(items)
    while batch := list(islice(rest, most)):
        yield batch


def _day_of(key: str) -> date | None:
    found = _DAY.search(key)
    try:
        return date(*map(int, found.groups())) if found else None
    except ValueError:
        return None
