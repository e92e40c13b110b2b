"""What a run reads: sources, one after the other, each by its name and its blocks of bytes."""

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from guardduty_lens.inputs.files import STANDARD, Unread, expand, read_blocks


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
    """Local files, those of folders, and standard input."""

    why_alone = ""

    def __init__(self, paths: Sequence[Path]) -> None:
        self.files: Sequence[Path] = expand(paths) if paths else [STANDARD]

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

    def close(self) -> None:
        """Be told that this is the end."""
