"""Records into Parquet files, `records/day=2026-01-31/{group}-{number}.parquet`.

What belongs together (all of one day in an archive; else a folder) is a group, and is read whole. Its files
are named by it, so that the same group again takes the place of what it gave before.
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from guardduty_lens.parquet.columns import DAY, EVENT, GROUP, Columns
from guardduty_lens.parquet.stores import Store
from guardduty_lens.record import Record

SPOOL_BYTES = 64 * 1024 * 1024
"""Of lines that become files together; a line may be longer."""
MEMORY_LIMIT = "1GB"
"""What DuckDB takes at most."""
_LEAST_OBJECT_BYTES = 1024 * 1024
FOLDER = "records"
"""Below which the files are, in their store."""
LETTERS = "dead_letters"
"""Below which the job's dead letters are beside them; a run of `filter` has a file of its own."""

Unwritten = Callable[[bytes, str], None]
"""Told of a line (as `Record.write_apart` wrote it) that could not be converted, and why."""


def digest_of(group: str) -> str:
    """Give the name of a group in file names."""
    return hashlib.sha256(group.encode()).hexdigest()[:16]


def digest_in(name: str) -> str:
    """Give the group's part of a file's name."""
    return name.rpartition("/")[2].partition(".")[0].partition("-")[0]


class ParquetWriter:
    """Takes records; `flush` returns once all are in files.

    `rows` counts them by day. Lines that DuckDB does not take are told to `refuse`, one by one. Raises
    OSError, or AWS's errors.
    """

    def __init__(
        self, columns: Columns, store: Store, *, refuse: Unwritten, threads: int | None = None
    ) -> None:
        self._columns, self._store, self._refuse = columns, store, refuse
        self._threads = threads or os.cpu_count() or 1
        self.rows: dict[str, int] = {}
        self.names: set[str] = set()
        """Of files that were written."""
        self._numbers: dict[str, int] = {}
        self._heads: dict[str, bytes] = {}
        self._lines = bytearray()
        self._longest = 0

    def write(self, record: Record, group: str) -> None:
        """Take a record of a group."""
        head = self._heads.get(group) or self.begin(group)
        start = len(self._lines)
        record.write_apart(head, self._lines)
        self._lines += b"\n"
        self._longest = max(self._longest, len(self._lines) - start)
        if len(self._lines) >= SPOOL_BYTES:
            self.flush()

    def begin(self, group: str) -> bytes:
        """Begin with a group, which may give no record at all; give what its lines begin with."""
        digest = digest_of(group)
        self._numbers.setdefault(digest, 0)
        self._heads[group] = head = b'{"%s":"%s","%s":' % (GROUP.encode(), digest.encode(), EVENT.encode())
        return head

    def flush(self) -> None:
        """Return once everything taken is in files."""
        if self._lines:
            self._convert(bytes(self._lines))
            self._lines.clear()
            self._longest = 0

    def stale(self) -> set[str]:
        """Give the names of files that our groups gave before, and do not give any more."""
        ours = {name for name in self._store.names(f"{FOLDER}/") if digest_in(name) in self._numbers}
        return ours - self.names

    def _convert(self, lines: bytes) -> None:
        """Make files of lines; where that fails, of each half, down to the lines at fault."""
        import duckdb

        work = self._work / "made"
        self._input.write_bytes(lines)
        try:
            self._copy(work)
        except (duckdb.InvalidInputException, duckdb.DataError) as error:
            shutil.rmtree(work)
            rows = [line + b"\n" for line in lines.split(b"\n")[:-1]]
            if len(rows) == 1:
                self._refuse(rows[0], str(error))
                return
            for half in (rows[: len(rows) // 2], rows[len(rows) // 2 :]):
                self._convert(b"".join(half))
            return
        except duckdb.Error as error:
            raise OSError(f"Parquet cannot be written: {error}") from error
        self._put(work)
        shutil.rmtree(work)

    def _copy(self, work: Path) -> None:
        largest = max(self._longest + 1, _LEAST_OBJECT_BYTES)
        work.mkdir()
        self._connection.execute(
            f"COPY (SELECT {self._columns.selection()} FROM read_json('{_escaped(self._input)}', "  # noqa: S608
            f"format = 'newline_delimited', maximum_object_size = {largest:d}, "
            f"columns = {{{self._columns.reading()}}})) TO '{_escaped(work)}' "
            f"(FORMAT parquet, COMPRESSION zstd, PARTITION_BY ({GROUP}, {DAY}), OVERWRITE_OR_IGNORE)"
        )

    def _put(self, work: Path) -> None:
        """Put the files that were made, and count their rows."""
        for group in sorted(work.iterdir()):
            digest = group.name.partition("=")[2]
            self._numbers[digest] += 1
            for day in sorted(group.iterdir()):
                for number, path in enumerate(sorted(day.iterdir())):
                    self._count(path, day.name.partition("=")[2])
                    name = f"{FOLDER}/{day.name}/{digest}-{self._numbers[digest]:04}-{number}.parquet"
                    self._store.put(name, path)
                    self.names.add(name)

    def _count(self, path: Path, day: str) -> None:
        question = "SELECT num_rows FROM parquet_file_metadata(?)"
        [(rows,)] = self._connection.execute(question, [str(path)]).fetchall()
        self.rows[day] = self.rows.get(day, 0) + rows

    def __enter__(self) -> Self:
        import duckdb  # an extra

        where = self._store.folder
        self._temporary = tempfile.TemporaryDirectory(prefix="_writing-", dir=where)
        self._work = Path(self._temporary.name).absolute()
        self._input = self._work / "lines.jsonl"
        settings: dict[str, Any] = {
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "memory_limit": MEMORY_LIMIT,
            "temp_directory": str(self._work / "spilled"),
            "preserve_insertion_order": True,
            "threads": self._threads,
        }
        self._connection = duckdb.connect(":memory:", config=settings)
        self._connection.execute(f"SET allowed_directories = ['{_escaped(self._work)}']")
        self._connection.execute("SET enable_external_access = false")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()
        self._temporary.cleanup()


def take_away(store: Store, names: Iterable[str]) -> None:
    """Take files away."""
    for name in names:
        store.delete(name)


def _escaped(path: Path) -> str:
    return str(path).replace("'", "''")
