"""Files, folders of them, and standard input, in blocks of bytes."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

BLOCK_BYTES = 64 * 1024

STANDARD = Path("-")
"""Standard input or output, among paths."""

_SUFFIXES = (".json", ".jsonl", ".ndjson", ".log")
PATTERNS = f"{' '.join(f'*{suffix}' for suffix in _SUFFIXES)} (also with .gz)"
"""Which files of a folder are read."""


class Unread(Exception):  # noqa: N818 - it is an outcome
    """An input could not be read to its end, and why."""


def expand(paths: Iterable[Path]) -> list[Path]:
    """Give files as they are, and for each folder the JSON and log files below it, sorted by name.

    Those are `*.json *.jsonl *.ndjson *.log`, and the same with `.gz`. Raises Unread for a folder that
    cannot be listed.
    """
    found: list[Path] = []
    for path in paths:
        found += sorted(filter(_is_wanted, files_below(path))) if path.is_dir() else [path]
    return found


def files_below(folder: Path) -> Iterator[Path]:
    """Give all files of a folder, at any depth. Raises Unread for a folder that cannot be listed."""
    for place, _, names in os.walk(folder, onerror=_refuse):
        yield from (path for name in names if (path := Path(place, name)).is_file())


def _refuse(error: OSError) -> None:
    raise Unread(f"{error.filename}: {error.strerror}") from error


def _is_wanted(path: Path) -> bool:
    return path.name.removesuffix(".gz").endswith(_SUFFIXES)


def read_blocks(file: BinaryIO) -> Iterator[bytes]:
    """Read a file or pipe to its end; a pipe gives what is there, so nothing waits in a buffer."""
    descriptor = file.fileno()
    while block := os.read(descriptor, BLOCK_BYTES):
        yield block
