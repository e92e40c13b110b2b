"""Files, folders of them, and standard input, in blocks of bytes."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

BLOCK_BYTES = 64 * 1024

STANDARD = Path("-")
"""Standard input or output, among paths."""

_SUFFIXES = (".json", ".jsonl", ".ndjson", ".log")


class Unread(Exception):  # noqa: N818 - it is an outcome
    """An input could not be read to its end, and why."""


def expand(paths: Iterable[Path]) -> list[Path]:
    """Give files as they are, and for each folder the JSON and log files below it, sorted by name.

    Those are `*.json *.jsonl *.ndjson *.log`, and the same with `.gz`.
    """
    found: list[Path] = []
    for path in paths:
        found += sorted(filter(_is_wanted, path.rglob("*"))) if path.is_dir() else [path]
    return found


def _is_wanted(path: Path) -> bool:
    return path.name.removesuffix(".gz").endswith(_SUFFIXES) and path.is_file()


def read_blocks(file: BinaryIO) -> Iterator[bytes]:
    """Read a file or pipe to its end; a pipe gives what is there, so nothing waits in a buffer."""
    descriptor = file.fileno()
    while block := os.read(descriptor, BLOCK_BYTES):
        yield block
