"""What `replay` reads: archives in S3 and on disk, selected by account and day, and how far it came."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from guardduty_lens.inputs import s3_archive
from guardduty_lens.inputs.absence import nothing_in_bucket, nothing_in_folder, nothing_selected
from guardduty_lens.inputs.cursor import Cursor
from guardduty_lens.inputs.files import Unread, expand
from guardduty_lens.inputs.selection import Selection, group_of
from guardduty_lens.inputs.sources import FileSource, Source, is_wanted, local_group_of

SECONDS_BETWEEN = 5.0
"""How often the cursor is written: an interrupted run does again what it did since."""


class Size(NamedTuple):
    """How many sources there are, of how many bytes together."""

    sources: int
    bytes: int


class Place(Protocol):
    """A file, a folder, or a prefix of a bucket."""

    @property
    def name(self) -> str:
        """What it is called on the command line, and in the cursor."""

    def sources(self, selection: Selection, after: str) -> Iterator[Source]:
        """Give what is wanted after a name, in a fixed order. Raises Unread."""

    def sizes(self, selection: Selection, after: str) -> Iterator[int]:
        """Give the bytes of each of them. Raises Unread."""

    def group_of(self, name: str, selection: Selection) -> str:
        """Give what a source belongs to: all of that is read by whoever reads the source."""

    def nothing_found(self, selection: Selection) -> str:
        """Say what was looked for, where there is nothing of it. Raises Unread."""


class LocalPlace:
    """A file, or the JSON and log files below a folder."""

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self.files = expand([path])
        self._path = path

    def sources(self, selection: Selection, after: str) -> Iterator[Source]:
        """Give what is wanted after a name."""
        return map(FileSource, self._wanted(selection, after))

    def sizes(self, selection: Selection, after: str) -> Iterator[int]:
        """Give the bytes of each of them."""
        return (path.stat().st_size for path in self._wanted(selection, after))

    def group_of(self, name: str, selection: Selection) -> str:
        """Give what a file belongs to."""
        return local_group_of(Path(name), self._path, selection)

    def nothing_found(self, selection: Selection) -> str:
        """Say what was looked for, where there is nothing of it."""
        return nothing_selected(self._path, selection) if self.files else nothing_in_folder(self._path)

    def _wanted(self, selection: Selection, after: str) -> Iterator[Path]:
        for path in self.files:
            if (not after or path > Path(after)) and is_wanted(path, selection):
                yield path


class S3Place:
    """A prefix of a bucket."""

    def __init__(self, s3: Any, location: s3_archive.Location) -> None:
        self._s3, self._location = s3, location
        self.name = str(location)

    def sources(self, selection: Selection, after: str) -> Iterator[Source]:
        """Give what is wanted after a name. Raises Unread."""
        return s3_archive.sources(self._s3, self._location, selection, self._key(after))

    def sizes(self, selection: Selection, after: str) -> Iterator[int]:
        """Give the bytes of each of them. Raises Unread."""
        try:
            for each in s3_archive.selected(self._s3, self._location, selection, self._key(after)):
                yield each.size
        except s3_archive.CannotListError as error:
            raise Unread(str(error)) from error

    def group_of(self, name: str, selection: Selection) -> str:
        """Give what an object belongs to."""
        return group_of(name, self.name, selection)

    def nothing_found(self, selection: Selection) -> str:
        """Say what was looked for, where there is nothing of it. Raises Unread."""
        try:
            return nothing_in_bucket(self._s3, self._location, selection)
        except s3_archive.CannotListError as error:
            raise Unread(str(error)) from error

    def _key(self, name: str) -> str:
        return name.removeprefix(f"s3://{self._location.bucket}/")


class Replayed:
    """The sources of several places, in order; the cursor follows what is confirmed."""

    def __init__(self, places: Sequence[Place], selection: Selection, cursor: Cursor) -> None:
        self._places, self._selection, self._cursor = places, selection, cursor
        self._began = [cursor.after(place.name) for place in places]
        self._place: Place | None = None
        self._passed: dict[str, str] = {}
        self._due = time.monotonic() + SECONDS_BETWEEN
        self._counting: _Counting | None = None
        # What was done already by the cursor is nothing to complain of.
        self._empty = {
            place.name
            for place, after in zip(places, self._began, strict=True)
            if isinstance(place, LocalPlace) and not place.files and not after
        }
        self.files = [path for place in places if isinstance(place, LocalPlace) for path in place.files]
        self.why_alone = ""
        if not all(isinstance(place, LocalPlace) for place in places):
            self.why_alone = "objects of S3 are read by one process"
        elif cursor.is_kept:
            self.why_alone = "a cursor is kept by one process"
        elif not selection.is_all:
            self.why_alone = "files are selected by one process"

    def __iter__(self) -> Iterator[Source]:
        """Give all that is wanted and was not done. Raises Unread."""
        for place, after in zip(self._places, self._began, strict=True):
            self._place = place
            gave = False
            for source in place.sources(self._selection, after):
                gave = True
                yield source
            if not gave and not after:
                self._empty.add(place.name)

    def size(self) -> Size:
        """Count what is wanted and was not done. Raises Unread."""
        sources = total = 0
        for place, after in zip(self._places, self._began, strict=True):
            before = sources
            for size in place.sizes(self._selection, after):
                sources, total = sources + 1, total + size
            if sources == before and not after:
                self._empty.add(place.name)
        return Size(sources, total)

    def _sizes(self) -> Iterator[int]:
        for place, after in zip(self._places, self._began, strict=True):
            yield from place.sizes(self._selection, after)

    def total_bytes(self) -> int | None:
        """Give the size of all, which the first call begins to count; None until that is done."""
        if self._counting is None:
            self._counting = _Counting(self._sizes)
        return self._counting.total

    def passed(self, source: Source, confirm: Callable[[], None]) -> None:
        """Be told that all of a source was written; now and then have it confirmed, and remember."""
        assert self._place is not None  # it gave the source
        self._passed[self._place.name] = source.name
        if self._cursor.is_kept and time.monotonic() >= self._due:
            confirm()
            self.confirmed()

    def confirmed(self) -> None:
        """Remember what passed as done. Raises CursorError."""
        for place, name in self._passed.items():
            self._cursor.keep(place, name)
        self._passed.clear()
        self._due = time.monotonic() + SECONDS_BETWEEN

    def group_of(self, name: str) -> str:
        """Give what the source that is being read belongs to."""
        assert self._place is not None  # it gave the source
        return self._place.group_of(name, self._selection)

    def nothing_found(self) -> list[str]:
        """Say of each place that gave nothing what was looked for. Raises Unread."""
        return [place.nothing_found(self._selection) for place in self._places if place.name in self._empty]

    def close(self) -> None:
        """End the counting."""
        if self._counting is not None:
            self._counting.close()


class _Counting:
    """Adds up sizes in the background, so that nothing waits for a list of millions of keys."""

    def __init__(self, sizes: Callable[[], Iterator[int]]) -> None:
        self.total: int | None = None
        self._sizes = sizes
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._count, name="guardduty-lens-count", daemon=True)
        self._thread.start()

    def _count(self) -> None:
        total = 0
        try:
            for size in self._sizes():
                total += size
                if self._ending.is_set():
                    return
        except (Unread, OSError):
            return  # whoever reads meets the same, and tells of it; there is no estimate then
        self.total = total

    def close(self) -> None:
        """End it."""
        self._ending.set()
        self._thread.join()
