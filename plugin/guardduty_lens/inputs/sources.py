"""What a run reads: sources, one after the other, each by its name and its blocks of bytes."""

import sys
import uuid
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from guardduty_lens.inputs.files import STANDARD, Unread, expand, read_blocks
from guardduty_lens.inputs.selection import Selection, group_of


class Source(Protocol):
    """A file, an object of S3, or standard input."""

    @property
    def name(self) -> str:
        """What it is called in dead letters, and where it is remembered how far a run came."""

    @property
    def is_at_hand(self) -> bool:
        """Whether nothing of it is waited for for long, as it is for what a pipe will bring."""

    def blocks(self) -> Iterator[bytes]:
        """Give its bytes. Raises Unread."""


class Sources(Protocol):
    """All sources of a run, in order."""

    @property
    def files(self) -> Sequence[Path]:
        """Those that are local files, `-` for standard input."""

    @property
    def why_alone(self) -> str:
        """Why one process has to read them, or nothing."""

    def __iter__(self) -> Iterator[Source]:
        """Give them one by one. Raises Unread where they cannot be listed."""

    def total_bytes(self) -> int | None:
        """Give the size of all: 0 where there is none to be told, None where it is not told yet."""

    def passed(self, source: Source, confirm: Callable[[], None]) -> None:
        """Be told that all of a source was written; `confirm` returns once it is delivered."""

    def confirmed(self) -> None:
        """Be told that all of what passed is delivered."""

    def group_of(self, name: str) -> str:
        """Give what a source belongs to: all of that is read by whoever reads the source."""

    def nothing_found(self) -> list[str]:
        """Say of each place that gave nothing what was looked for; known once all were given."""

    def close(self) -> None:
        """Be told that this is the end."""


class FileSource:
    """A local file, or standard input."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.name = str(path)
        self.is_at_hand = path != STANDARD and path.is_file()

    def blocks(self) -> Iterator[bytes]:
        """Give its bytes. Raises Unread."""
        try:
            if self._path == STANDARD:
                yield from read_blocks(sys.stdin.buffer)
                return
            with self._path.open("rb") as file:
                yield from read_blocks(file)
        except OSError as error:
            raise Unread(f"{self._path}: {error.strerror}") from error


class Files:
    """Local files, those of folders, and standard input. Raises Unread where a folder cannot be listed."""

    why_alone = ""

    def __init__(self, paths: Sequence[Path]) -> None:
        by_place = {place: expand([place]) for place in paths or [STANDARD]}
        self.files: Sequence[Path] = [path for place in paths or [STANDARD] for path in by_place[place]]
        self._empty = [place for place, found in by_place.items() if not found]
        self._places = {str(path): place for place, found in by_place.items() for path in found}

    def __iter__(self) -> Iterator[Source]:
        return map(FileSource, self.files)

    def total_bytes(self) -> int:
        """Give the size of regular files together; 0 if one of them is anything else."""
        if not all(path != STANDARD and path.is_file() for path in self.files):
            return 0
        return sum(path.stat().st_size for path in self.files)

    def passed(self, source: Source, confirm: Callable[[], None]) -> None:
        """Be told that all of a source was written: nothing is remembered."""

    def confirmed(self) -> None:
        """Be told that all is delivered: nothing is remembered."""

    def group_of(self, name: str) -> str:
        """Give what a source belongs to: the argument that it came with, and its day."""
        return local_group_of(Path(name), self._places[name])

    def nothing_found(self) -> list[str]:
        """Say of each folder that holds nothing to read what was looked for."""
        from guardduty_lens.inputs.absence import nothing_in_folder

        return [nothing_in_folder(place) for place in self._empty]

    def close(self) -> None:
        """Be told that this is the end."""


def is_wanted(path: Path, selection: Selection) -> bool:
    """Tell whether a local file is one of a selection."""
    if selection.is_all:
        return True
    return selection.wants(f"/{path.as_posix()}", datetime.fromtimestamp(path.stat().st_mtime, UTC))


def local_group_of(path: Path, place: Path, selection: Selection | None = None) -> str:
    """Give what a local file belongs to; what standard input brings is not the same a second time."""
    if path == STANDARD:
        return f"- {uuid.uuid4()}"
    folder = place.resolve().as_posix()
    return group_of(path.resolve().as_posix(), f"{folder}/" if place.is_dir() else folder, selection)
