"""The records of a report in DuckDB: updates and findings, as the log and the state of a cluster."""

import hashlib
import os
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from guardduty_lens.payloads.json_text import decode_json, encode_json
from guardduty_lens.visuals.fields import NUMBERS, Fields
from guardduty_lens.visuals.model import Dashboard, Panel
from guardduty_lens.visuals.sql import Sql, moment, quoted

MEMORY_LIMIT = "1GB"
"""What DuckDB takes at most; beyond it, it writes to its folder."""

LARGEST_RECORD_BYTES = 72 * 1024 * 1024
"""Of one line: what a payload may have (`payloads/limits.py`), and its added fields."""

MOST_THREADS = 4
"""Each takes twice the largest record of memory while records are read."""

# What records are told apart, filtered and ranked by, whatever the dashboards ask for.
BASE_FIELDS = (
    "record_kind",
    "finding_id",
    "finding_arn",
    "updated_at",
    "event_count",
    "is_archived",
    "is_sample",
    "account_id",
    "severity_label",
    "severity_rank",
    "severity_score",
    "eventLastSeen",
)

# One update of a finding, as opensearch/documents.py names it.
_UPDATE = """finding || '_' || coalesce(updated_text, '') || '_' || coalesce(CAST(event_count AS VARCHAR), '')
    || '_' || (is_archived IS TRUE)"""
# The least of what makes an update the last one, as opensearch/documents.py has it.
_VERSION = """(CASE WHEN epoch_ms(updated_at) BETWEEN 0 AND (1::BIGINT << 43) THEN epoch_ms(updated_at) ELSE
0 END,
    least(greatest(coalesce(event_count, 0), 0), 524287), is_archived IS TRUE)"""


class Store:
    """The tables `log` and `state`, with a column for each field that the dashboards use.

    Besides, `line` is the number of the record's line, and `finding` the id that a finding is told apart by.
    """

    def __init__(self, folder: Path, fields: Fields, dashboards: Sequence[Dashboard]) -> None:
        self._fields = fields
        self._names = sorted({*BASE_FIELDS, *_used(fields, dashboards)})
        self._path: Path | None = None
        self.duplicates = 0
        """Records that came more than once."""
        settings: dict[str, Any] = {
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "memory_limit": MEMORY_LIMIT,
            "temp_directory": str(folder),
            "preserve_insertion_order": True,
            "threads": min(MOST_THREADS, os.cpu_count() or 1),
        }
        import duckdb  # an extra

        self._connection = duckdb.connect(":memory:", config=settings)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def load(self, path: Path) -> None:
        """Read records, one a line; what comes twice counts once. Called once."""
        self._path = path
        columns = ", ".join(self._columns())
        self._connection.execute(
            f"CREATE TABLE log AS SELECT row_number() OVER () - 1 AS line, {columns} "
            f"FROM read_json(?, {self._reading()})",
            [str(path)],
        )
        self._connection.execute("SET enable_external_access = false")
        self._connection.execute("CREATE TABLE digests (line BIGINT, digest VARCHAR)")
        self._name_the_nameless()
        self._connection.execute(
            f"CREATE TABLE again AS SELECT line FROM log LEFT JOIN digests USING (line) QUALIFY "
            f"row_number() OVER (PARTITION BY coalesce({_UPDATE}, event, digest) ORDER BY line) > 1"
        )
        [(self.duplicates,)] = self.fetch(Sql("SELECT count(*) FROM again"))
        self._connection.execute("DELETE FROM log WHERE line IN (FROM again)")
        self._connection.execute("DROP TABLE digests; DROP TABLE again")
        self._mark_the_last()

    def _mark_the_last(self) -> None:
        """Make the state: of each finding its last update."""
        self._connection.execute(
            f"CREATE TABLE latest AS SELECT line FROM log WHERE finding IS NOT NULL "
            f"QUALIFY row_number() OVER (PARTITION BY finding ORDER BY {_VERSION} DESC, line) = 1"
        )
        self._connection.execute("ALTER TABLE log ADD COLUMN is_last BOOLEAN DEFAULT false")
        self._connection.execute("UPDATE log SET is_last = true WHERE line IN (FROM latest)")
        self._connection.execute("DROP TABLE latest; CREATE VIEW state AS SELECT * FROM log WHERE is_last")

    def _name_the_nameless(self) -> None:
        """Tell records that brought no id apart by what their event is, as the output does."""
        nameless = self.fetch(Sql("SELECT line FROM log WHERE finding IS NULL AND event IS NULL"))
        ours = {self._fields.name("log", name) for name in self._fields.types["log"]}
        for number, line in self.lines([number for (number,) in nameless]).items():
            event = {key: value for key, value in decode_json(line, None).items() if key not in ours}
            digest = hashlib.sha256(encode_json(event)).hexdigest()
            self._connection.execute("INSERT INTO digests VALUES (?, ?)", [number, digest])

    def fetch(self, query: Sql) -> list[tuple[Any, ...]]:
        """Give the rows of a query."""
        return self._connection.execute(query.text, list(query.values)).fetchall()

    def execute(self, statement: str) -> None:
        """Run a statement without values."""
        self._connection.execute(statement)

    def keep_since(self, moment: datetime) -> int:
        """Leave out what was last seen before a moment (UTC, without time zone), and say how many records."""
        [(number,)] = self._connection.execute(
            'DELETE FROM log WHERE "eventLastSeen" < ?', [moment]
        ).fetchall()
        return int(number)

    def combine(self, combinations: Sequence[Sequence[Any]]) -> None:
        """Give records the numbers of their account, severity label, sample and archived, a row each."""
        self._connection.execute(
            "CREATE TABLE combinations (account VARCHAR, label VARCHAR, sample BOOLEAN, archived BOOLEAN, "
            "number INTEGER)"
        )
        if combinations:
            self._connection.executemany("INSERT INTO combinations VALUES (?, ?, ?, ?, ?)", combinations)
        self._connection.execute("DROP VIEW state; ALTER TABLE log ADD COLUMN combination INTEGER")
        self._connection.execute(
            "UPDATE log SET combination = number FROM combinations "
            "WHERE account_id IS NOT DISTINCT FROM account AND severity_label IS NOT DISTINCT FROM label "
            "AND is_sample IS NOT DISTINCT FROM sample AND is_archived IS NOT DISTINCT FROM archived"
        )
        self._connection.execute("CREATE VIEW state AS SELECT * FROM log WHERE is_last")

    def lines(self, numbers: Collection[int]) -> dict[int, bytes]:
        """Give lines of the records' file by their numbers."""
        wanted = set(numbers)
        if not wanted or self._path is None:
            return {}
        last = max(wanted)
        found = {}
        with self._path.open("rb") as file:
            for number, line in enumerate(file):
                if number in wanted:
                    found[number] = line.rstrip(b"\n")
                if number == last:
                    break
        return found

    def _reading(self) -> str:
        """Give the arguments of read_json: which keys are read, and as what."""
        keys = {self._fields.name("log", name): self._type(name) for name in self._names} | {"id": "JSON"}
        columns = ", ".join(f"{quoted(key)}: '{kind}'" for key, kind in keys.items())
        largest = f"maximum_object_size = {LARGEST_RECORD_BYTES:d}"
        return f"format = 'newline_delimited', {largest}, columns = {{{columns}}}"

    def _type(self, name: str) -> str:
        kind = self._fields.type_of("log", name)
        simple = "BOOLEAN" if kind == "boolean" else "VARCHAR"
        if kind in NUMBERS:
            simple = "DOUBLE" if kind == "double" else "BIGINT"
        return f"{simple}[]" if name in self._fields.several else simple

    def _columns(self) -> Iterator[str]:
        """Give the columns of the log, made of what is read."""
        keys = {name: quoted(self._fields.name("log", name)) for name in self._names}
        end = f"nullif(regexp_extract({keys['finding_arn']}, '[^/]*$'), '')"
        is_finding = f"{keys['record_kind']} = 'finding'"
        yield f"CASE WHEN {is_finding} THEN coalesce({keys['finding_id']}, {end}) END AS finding"
        named = f"NOT ({is_finding}) AND json_type(id) = 'VARCHAR'"
        yield f"CASE WHEN {named} THEN 'event ' || (id ->> '$') END AS event"
        yield f"{keys['updated_at']} AS updated_text"
        for name, key in keys.items():
            is_date = self._fields.type_of("log", name) == "date"
            yield f"{moment(key) if is_date else key} AS {quoted(name)}"


def _used(fields: Fields, dashboards: Sequence[Dashboard]) -> Iterator[str]:
    """Give the fields of records that panels split by, measure, test or list."""
    for dashboard in dashboards:
        for panel in dashboard.panels:
            if dashboard.index_of(panel) in ("log", "state"):
                yield from (name for name in _of_panel(panel) if fields.type_of("log", name) != "geo_point")


def _of_panel(panel: Panel) -> Iterator[str]:
    yield from (measure.field for measure in panel.measures or () if measure.field)
    yield from (column.field for column in panel.columns or ())
    if panel.sort is not None:
        yield panel.sort.removeprefix("-")
    alternatives = list(panel.where or ())
    for split in panel.by:
        yield from (name for name in (split.field, split.time) if name)
        alternatives += [tests for where in (split.groups or {}).values() for tests in where]
    yield from (name for tests in alternatives for name in tests)
