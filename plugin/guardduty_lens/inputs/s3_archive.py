"""An archive in S3, ours or GuardDuty's own exports, read object by object in the order of its keys.

Small objects are fetched some ahead, side by side, since S3 answers each after tens of milliseconds; large
ones go to a temporary file first, so that no connection waits for an output.

Facts: Amazon S3 API, ListObjectsV2 (`StartAfter`; keys in the order of their UTF-8 bytes), GetObject.
"""

import logging
import re
import shutil
import tempfile
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from datetime import datetime
from typing import IO, Any, NamedTuple

from guardduty_lens.inputs.files import BLOCK_BYTES, Unread
from guardduty_lens.inputs.s3_notifications import holds_findings
from guardduty_lens.inputs.s3_objects import aws_errors, is_gone
from guardduty_lens.inputs.selection import Selection

AT_ONCE = 16
"""Requests side by side, at most."""
AHEAD = 4 * AT_ONCE
SMALL_BYTES = 1024 * 1024
"""Objects up to this size are held in memory, at most `AHEAD` of them."""
_READS = 3
_LOCATION = re.compile(r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(?P<prefix>.*))?", re.DOTALL)

_log = logging.getLogger(__name__)


class Listed(NamedTuple):
    """An object, as a list tells of it; `size` in bytes, `changed` in UTC."""

    key: str
    size: int
    changed: datetime


class Location(NamedTuple):
    """A bucket, and what keys begin with."""

    bucket: str
    prefix: str

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}"


class CannotListError(Exception):
    """A bucket that cannot be listed, and why."""


def location_of(text: str) -> Location:
    """Read `s3://BUCKET/PREFIX`. Raises ValueError."""
    found = _LOCATION.fullmatch(text)
    if found is None:
        raise ValueError(f"s3://BUCKET/PREFIX is wanted, not {text!r}")
    return Location(found["bucket"], found["prefix"] or "")


def listed(s3: Any, location: Location, after: str = "") -> Iterator[Listed]:
    """List objects whose keys come after one. Raises CannotListError."""
    pages = s3.get_paginator("list_objects_v2").paginate(
        Bucket=location.bucket, Prefix=location.prefix, **({"StartAfter": after} if after else {})
    )
    try:
        for page in pages:
            for each in page.get("Contents", ()):
                yield Listed(each["Key"], each["Size"], each["LastModified"])
    except aws_errors() as error:
        raise CannotListError(f"{location} cannot be listed: {error}") from error


def selected(s3: Any, location: Location, selection: Selection, after: str = "") -> Iterator[Listed]:
    """List the objects that may hold findings and are wanted. Raises CannotListError."""
    for each in listed(s3, location, after):
        if holds_findings(each.key) and selection.wants(f"/{each.key}", each.changed):
            yield each


class S3Source:
    """An object, fetched once it is asked for, or before; one whose size nobody told counts as large."""

    is_at_hand = True

    def __init__(self, s3: Any, bucket: str, key: str, size: int | None) -> None:
        self._s3, self._bucket = s3, bucket
        self.key = key
        self.is_small = size is not None and size <= SMALL_BYTES
        self.is_gone = False
        """Whether it was deleted before we read it."""
        self.name = f"s3://{bucket}/{key}"
        self._fetching: Future[IO[bytes] | None] | None = None

    def begin(self, threads: ThreadPoolExecutor) -> None:
        """Fetch it in the background."""
        self._fetching = threads.submit(self._fetch)

    def blocks(self) -> Iterator[bytes]:
        """Give its bytes; none of one that was deleted meanwhile, which is told. Raises Unread."""
        fetching, self._fetching = self._fetching, None
        errors: tuple[type[Exception], ...] = (OSError, *aws_errors())
        try:
            file = self._fetch() if fetching is None else fetching.result()
        except errors as error:
            raise Unread(f"{self.name}: {error}") from error
        if file is None:
            self.is_gone = True
            _log.warning("%s is gone, and nothing is known of what was in it", self.name)
            return
        with file:
            while block := file.read(BLOCK_BYTES):
                yield block

    def _fetch(self) -> IO[bytes] | None:
        """Fetch it into a file, closed by whoever reads it; None where it is gone."""
        from botocore.exceptions import ClientError, HTTPClientError, IncompleteReadError

        try:
            # Botocore tries requests again, and not the reading of an answer that breaks off.
            for _ in range(_READS - 1):
                try:
                    return self._read()
                except (HTTPClientError, IncompleteReadError) as error:
                    _log.info("%s is fetched again: %s", self.name, error)
            return self._read()
        except ClientError as error:
            if is_gone(error):
                return None
            raise

    def _read(self) -> IO[bytes]:
        """Read it: into memory while it is small, beyond that into a temporary file."""
        with ExitStack() as stack:
            file = stack.enter_context(tempfile.SpooledTemporaryFile(SMALL_BYTES))
            # GetObject alone: HeadObject does not tell a bucket that is not there from an object.
            with self._s3.get_object(Bucket=self._bucket, Key=self.key)["Body"] as body:
                shutil.copyfileobj(body, file, BLOCK_BYTES)
            file.seek(0)
            stack.pop_all()
            return file


def sources(s3: Any, location: Location, selection: Selection, after: str = "") -> Iterator[S3Source]:
    """Give the wanted objects of a location in order, small ones fetched ahead. Raises Unread."""
    found = selected(s3, location, selection, after)
    try:
        yield from fetched_ahead(S3Source(s3, location.bucket, each.key, each.size) for each in found)
    except CannotListError as error:
        raise Unread(str(error)) from error


def fetched_ahead(found: Iterable[S3Source]) -> Generator[S3Source, None, None]:
    """Give objects in order, and begin to fetch small ones before it is their turn."""
    waiting: deque[S3Source] = deque()
    threads = ThreadPoolExecutor(AT_ONCE, "guardduty-lens-s3")
    try:
        for source in found:
            if source.is_small:
                source.begin(threads)
            waiting.append(source)
            if len(waiting) > AHEAD:
                yield waiting.popleft()
        while waiting:
            yield waiting.popleft()
    finally:
        threads.shutdown(cancel_futures=True)
