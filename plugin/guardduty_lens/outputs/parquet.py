"""Records of a run into a folder of Parquet files; see `parquet/writer.py` for how it is laid out."""

from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import msgspec

from guardduty_lens.lens import Lens
from guardduty_lens.outputs.dead_letters import DeadLetters
from guardduty_lens.outputs.places import cannot_write
from guardduty_lens.outputs.sinks import CannotOpenError
from guardduty_lens.parquet.columns import EVENT, GROUP, Columns, ColumnsError
from guardduty_lens.parquet.stores import FolderStore
from guardduty_lens.parquet.writer import ParquetWriter, take_away
from guardduty_lens.payloads.pieces import Position, Rejected
from guardduty_lens.record import Event, Record

UNWRITTEN = "not_parquet"
"""The reason of a record that DuckDB does not take."""


class ParquetSink:
    """A folder; `group_of` says of a source what it belongs to.

    Raises OSError; at the start also CannotOpenError.
    """

    at_once = None
    is_terminal = False

    def __init__(
        self, folder: Path, lens: Lens, dead_letters: DeadLetters, group_of: Callable[[str], str]
    ) -> None:
        self._folder, self._lens, self._dead_letters = folder, lens, dead_letters
        self._group_of = group_of
        self._source = self._group = ""

    def write(self, record: Record, source: str) -> None:
        """Take a record, and the name of the input that it is from."""
        if source != self._source:
            self._source, self._group = source, self._group_of(source)
        self._writer.write(record, self._group)

    def hand_on(self, *, more: bool) -> None:
        """Keep what was taken so far: many small files are what Parquet is bad at."""

    def flush(self) -> None:
        """Return once everything taken is in files."""
        self._writer.flush()

    def _refuse(self, line: bytes, why: str) -> None:
        refused = refused_line(line, self._lens.plan.field_prefix)
        self._lens.refuse(refused.record, UNWRITTEN)
        self._dead_letters.write(Rejected(UNWRITTEN, why, refused.raw, Position(), ""))

    def __enter__(self) -> Self:
        try:
            self._store = FolderStore(self._folder)
            self._writer = ParquetWriter(Columns(self._lens), self._store, refuse=self._refuse)
        except OSError as error:
            raise CannotOpenError(cannot_write("Parquet", self._folder, error, "--output")) from error
        except ColumnsError as error:
            raise CannotOpenError(str(error)) from error
        self._writer.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                take_away(self._store, self._writer.stale())
        finally:
            self._writer.__exit__(kind, error, trace)


class RefusedLine(NamedTuple):
    """A line that could not be converted: its record, for whoever counts it, its event, and its group."""

    record: Record
    raw: bytes
    digest: str


def refused_line(line: bytes, field_prefix: str) -> RefusedLine:
    """Read a line that was written for Parquet."""
    members = msgspec.json.decode(line, type=dict[str, msgspec.Raw])
    kind, label, digest = (
        msgspec.json.decode(members.get(name, b"null"))
        for name in (f"{field_prefix}record_kind", f"{field_prefix}severity_label", GROUP)
    )
    raw = bytes(members[EVENT])
    return RefusedLine(Record(kind, Event(raw), b"", {}, b"", label, ()), raw, digest)
