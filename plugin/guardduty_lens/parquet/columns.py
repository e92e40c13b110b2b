"""The columns of a record's fields: what DuckDB reads and writes them as, and what Hive's DDL calls that.

Facts: DuckDB's documentation of `read_json`; Amazon Athena user guide, "Data types in Amazon Athena".
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from guardduty_lens.lens import Lens
from guardduty_lens.opensearch.mappings import INGEST_LAG, INGESTED_AT
from guardduty_lens.visuals.fields import NUMBERS, fields_of_lens
from guardduty_lens.visuals.sql import moment, quoted

EVENT, DOCUMENT_ID, DAY = "event", "document_id", "day"
"""Besides the fields: the event as JSON; the id that the cluster's log has for it; the partition."""

GROUP = "_group"
"""The column by which files are told apart; it is in none of them."""

NO_DAY = "1970-01-01"
"""The partition of records that tell no date, or one that is none."""

_DUCKDB = {"boolean": "BOOLEAN", "geo_point": "STRUCT(lat DOUBLE, lon DOUBLE)", "double": "DOUBLE"}
_HIVE = {
    "VARCHAR": "string",
    "BOOLEAN": "boolean",
    "BIGINT": "bigint",
    "DOUBLE": "double",
    "TIMESTAMP": "timestamp",
    _DUCKDB["geo_point"]: "struct<lat:double,lon:double>",
}
# What ids and days are made of, as opensearch/documents.py has it, whatever catalogue there is.
_BASE = {
    "record_kind": "VARCHAR",
    "finding_id": "VARCHAR",
    "finding_arn": "VARCHAR",
    "updated_at": "VARCHAR",
    "event_count": "BIGINT",
    "is_archived": "BOOLEAN",
}


class ColumnsError(ValueError):
    """Fields that cannot be columns beside each other, and why."""


class Column(NamedTuple):
    """A field: its key in records, its type in the catalogue, and whether it has several values."""

    name: str
    type: str
    several: bool

    @property
    def read_as(self) -> str:
        """The type that DuckDB reads it as; dates are texts until it is known that they are some."""
        simple = _DUCKDB.get(self.type, "BIGINT" if self.type in NUMBERS else "VARCHAR")
        return f"{simple}[]" if self.several else simple

    @property
    def value(self) -> str:
        """The expression of its value in Parquet."""
        return moment(quoted(self.name)) if self._is_date else quoted(self.name)

    @property
    def hive_type(self) -> str:
        """Its type in Athena's DDL."""
        if self._is_date:
            return _HIVE["TIMESTAMP"]
        simple = _HIVE[self.read_as.removesuffix("[]")]
        return f"array<{simple}>" if self.several else simple

    @property
    def _is_date(self) -> bool:
        return self.type == "date" and not self.several


class Columns:
    """The columns of records of a lens. Raises ColumnsError."""

    def __init__(self, lens: Lens) -> None:
        fields = fields_of_lens(lens)
        own = [
            name
            for name in fields.types["log"]
            if not name.startswith("@") and name not in (INGESTED_AT, INGEST_LAG)
        ]
        self.fields: Sequence[Column] = [
            Column(fields.name("log", name), fields.types["log"][name], name in fields.several)
            for name in own
        ]
        self.base = {name: f"{lens.plan.field_prefix}{name}" for name in _BASE}
        """Fields that ids and days are made of, by their keys in records."""
        _check([*(column.name for column in self.fields), EVENT, DOCUMENT_ID, DAY, GROUP])

    def reading(self) -> str:
        """Give the struct of columns that `read_json` wants."""
        types = {self.base[name]: kind for name, kind in _BASE.items()}
        types |= {column.name: column.read_as for column in self.fields}
        return ", ".join(
            f"{quoted(name)}: '{kind}'" for name, kind in (types | {EVENT: "JSON", GROUP: "VARCHAR"}).items()
        )

    def selection(self) -> str:
        """Give what is selected of what was read, group and day last."""
        fields = [f"{column.value} AS {quoted(column.name)}" for column in self.fields]
        event = f"CAST({EVENT} AS VARCHAR) AS {EVENT}"
        document_id, day = f"{self._document_id()} AS {DOCUMENT_ID}", f"{self._day()} AS {DAY}"
        return ", ".join([document_id, *fields, event, GROUP, day])

    def _document_id(self) -> str:
        key = {name: quoted(name_in_record) for name, name_in_record in self.base.items()}
        is_finding = f"{key['record_kind']} = 'finding'"
        by_arn = f"nullif(regexp_extract({key['finding_arn']}, '[^/]*$'), '')"
        update = " || '_' || ".join(
            [
                f"coalesce({key['finding_id']}, {by_arn})",
                f"coalesce({key['updated_at']}, '')",
                f"coalesce(CAST({key['event_count']} AS VARCHAR), '')",
                f"({key['is_archived']} IS TRUE)",
            ]
        )
        of_cloudtrail = f"{key['record_kind']} = 'api_call' AND json_type({EVENT}, '$.detail') IS NULL"
        return (
            f"coalesce(CASE WHEN {is_finding} THEN {update} "
            f"WHEN {of_cloudtrail} THEN {_text('eventID')} ELSE {_text('id')} END, "
            f"sha256(CAST({EVENT} AS VARCHAR)))"
        )

    def _day(self) -> str:
        dates = [quoted(self.base["updated_at"]), _text("time"), _text("eventTime")]
        day = f"CAST(coalesce({', '.join(map(moment, dates))}) AS DATE)"
        known = f"{day} BETWEEN DATE '{NO_DAY}' AND DATE '9999-12-31'"
        return f"CASE WHEN {known} THEN {day} ELSE DATE '{NO_DAY}' END"


def _text(key: str) -> str:
    """Give the expression of an event's member, where that is a text of some length."""
    value = f"nullif(json_extract_string({EVENT}, '$.{key}'), '')"
    return f"CASE WHEN json_type({EVENT}, '$.{key}') = 'VARCHAR' THEN {value} END"


def _check(names: Iterable[str]) -> None:
    """Raise ColumnsError for names that are one and the same to engines which do not mind the case."""
    known: dict[str, str] = {}
    for name in names:
        if name.lower() in known:
            raise ColumnsError(
                f"Parquet's readers do not tell the columns {known[name.lower()]} and {name} apart: "
                "a --field-prefix helps"
            )
        known[name.lower()] = name
