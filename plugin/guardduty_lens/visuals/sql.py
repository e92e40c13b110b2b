"""Panels as SQL, with the meaning that `dsl.py` has in OpenSearch: the same rows of the same records.

A table has a column for each field, by its name in the catalogue: texts and lists of them, numbers,
booleans, and dates as TIMESTAMP in UTC. Values are parameters, names are quoted by one function; no other
text gets into SQL.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from guardduty_lens.visuals.fields import Fields
from guardduty_lens.visuals.model import AnyOf, Dashboard, Every, Index, Measure, Panel, Scalar, Split, Test
from guardduty_lens.visuals.scope import records_of

_UNITS = {"h": "hours", "d": "days", "w": "weeks"}

# Where a measure without a value comes among others: OpenSearch's least of nothing is infinite.
_NULLS = {
    ("min", False): "FIRST",
    ("min", True): "LAST",
    ("max", False): "LAST",
    ("max", True): "FIRST",
}


class Sql(msgspec.Struct, frozen=True):
    """A piece of SQL, and the values of its `?` in their order."""

    text: str
    values: tuple[Any, ...] = ()

    def __add__(self, other: "Sql | str") -> "Sql":
        """Give both, one behind the other."""
        more = Sql(other) if isinstance(other, str) else other
        return Sql(self.text + more.text, self.values + more.values)


def joined(parts: Sequence[Sql], between: str) -> Sql:
    """Give the parts, each in brackets, with a word between them; `true` where there are none."""
    text = between.join(f"({part.text})" for part in parts) or "true"
    return Sql(text, tuple(value for part in parts for value in part.values))


def quoted(name: str) -> str:
    """Give a name as SQL writes it.

    >>> quoted("title")
    '"title"'
    """
    return '"' + name.replace('"', '""') + '"'


def moment(text: str) -> str:
    """Give the expression of a date that is a text, as a TIMESTAMP in UTC; null where it is none."""
    return f"make_timestamp(epoch_us(TRY_CAST({text} AS TIMESTAMPTZ)))"


class Queries:
    """Makes the queries of panels over tables `log` and `state`.

    `now` is what relative dates are counted from; `every` how times are cut where a panel leaves it open.
    """

    def __init__(self, fields: Fields, now: datetime, every: Every = "day") -> None:
        self._fields = fields
        self._every: Every = every
        self._now = now

    def rows(self, dashboard: Dashboard, panel: Panel) -> Sql:
        """Give the query of a panel's rows: a column a split (groups by number), then one a measure."""
        if panel.columns is not None:
            return self.hits(dashboard, panel)
        index, measures = dashboard.index_of(panel), dashboard.measures_of(panel)
        figures = ", ".join(self.figure(index, measure) for measure in measures)
        levels = len(panel.by)
        if not levels:
            return Sql(f"SELECT {figures} FROM (") + self.records(dashboard, panel, 0) + ")"
        query = Sql("WITH ")
        for level in range(levels):
            query = (
                query
                + (", " if level else "")
                + f"l{level} AS ("
                + self._level(dashboard, panel, level)
                + ")"
            )
        keys, ranks = _names("k", levels), _names("r", levels)
        shown = ", ".join(self._key(split, f"k{n}") for n, split in enumerate(panel.by))
        return (
            query
            + f" SELECT {shown}, {figures} FROM ("
            + self.records(dashboard, panel, levels)
            + f") JOIN l{levels - 1} USING ({keys}) GROUP BY {keys}, {ranks} ORDER BY {ranks}"
        )

    def records(self, dashboard: Dashboard, panel: Panel, levels: int) -> Sql:
        """Give a panel's records with the keys `k0`, `k1`, … of its first splits, once for each value."""
        index = dashboard.index_of(panel)
        query = Sql(f"SELECT * FROM {quoted(index)} WHERE ") + self.where(index, records_of(dashboard, panel))
        for number, split in enumerate(panel.by[:levels]):
            query = self._told_apart(index, split, f"k{number}", query)
        return query

    def where(self, index: Index, alternatives: AnyOf) -> Sql:
        """Give the condition of alternatives of tests."""
        return joined(
            [
                joined([self._test(index, field, test) for field, test in tests.items()], " AND ")
                for tests in alternatives
            ],
            " OR ",
        )

    def is_list(self, index: Index, field: str) -> bool:
        """Tell whether a column holds lists."""
        return index in ("log", "state") and field in self._fields.several

    def _level(self, dashboard: Dashboard, panel: Panel, level: int) -> Sql:
        """Give the keys that are shown down to a level, with their ranks at each."""
        index, split = dashboard.index_of(panel), panel.by[level]
        measure = dashboard.measures_of(panel)[0]
        keys, above, ranks = _names("k", level + 1), _names("k", level), _names("r", level)
        order, limit = f"k{level}", ""
        if split.field is not None:
            direction = "ASC" if split.ascending else "DESC"
            nulls = _NULLS.get((measure.of, split.ascending), "LAST")
            order = f"m {direction} NULLS {nulls}, k{level}"
            limit = f" QUALIFY r{level} <= {split.size:d}"
        parted = f"PARTITION BY {above} " if above else ""
        join = f" JOIN l{level - 1} USING ({above})" if above else ""
        more = f", {ranks}" if ranks else ""
        return (
            Sql(f"SELECT {keys}{more}, row_number() OVER ({parted}ORDER BY {order}) AS r{level} FROM (")
            + f"SELECT {keys}{more}, {self.figure(index, measure)} AS m FROM ("
            + self.records(dashboard, panel, level + 1)
            + f"){join} GROUP BY {keys}{more}){limit}"
        )

    def _told_apart(self, index: Index, split: Split, key: str, records: Sql) -> Sql:
        if split.groups is not None:
            numbers = [
                Sql("CASE WHEN ") + self.where(index, where) + f" THEN {number} END"
                for number, where in enumerate(split.groups.values())
            ]
            listed = Sql(
                ", ".join(each.text for each in numbers), tuple(v for each in numbers for v in each.values)
            )
            expression = Sql("unnest(list_filter([") + listed + "], lambda x: x IS NOT NULL))"
            return Sql("SELECT *, ") + expression + f" AS {key} FROM (" + records + ")"
        column = quoted(split.field or split.time or "")
        if split.time is not None:
            every = self._every if split.every == "auto" else split.every
            value = f"date_trunc('{every}', {column})"
        elif self.is_list(index, split.field or ""):
            return Sql(f"SELECT *, unnest(list_distinct({column})) AS {key} FROM (") + records + ")"
        else:
            value = column
        return Sql(f"SELECT *, {value} AS {key} FROM (") + records + f") WHERE {column} IS NOT NULL"

    def _key(self, split: Split, key: str) -> str:
        """Give a key as rows have it: text, a time's start in epoch milliseconds, or a group's number."""
        if split.time is not None:
            return f"epoch_ms({key})"
        return key if split.groups is not None else f"CAST({key} AS VARCHAR)"

    def figure(self, index: Index, measure: Measure) -> str:
        """Give the aggregate of a measure; of dates in epoch milliseconds."""
        if measure.of == "updates" or (measure.of == "findings" and index == "state"):
            return "count(*)"
        if measure.of == "findings":
            return f"count(DISTINCT {quoted('finding_id')})"
        figure = f"{measure.of}({quoted(measure.field or '')})"
        if self._fields.type_of(index, measure.field or "") == "date":
            return f"epoch_ms({figure})"
        return f"coalesce({figure}, 0)" if measure.of == "sum" else figure

    def _test(self, index: Index, field: str, test: Test) -> Sql:
        column = quoted(field)
        parts = []
        if test.is_ is not None:
            parts.append(self._one_of(index, field, test.is_))
        if test.not_ is not None:
            parts.append(Sql("NOT coalesce(") + self._one_of(index, field, test.not_) + ", false)")
        if test.exists is not None:
            parts.append(Sql(f"{column} IS {'NOT ' if test.exists else ''}NULL"))
        if test.from_ is not None or test.below is not None:
            parts.append(self._between(index, field, test))
        return joined(parts, " AND ")

    def _one_of(self, index: Index, field: str, values: Sequence[Scalar]) -> Sql:
        listed = Sql(", ".join("?" for _ in values), tuple(values))
        if self.is_list(index, field):
            return Sql(f"list_has_any({quoted(field)}, [") + listed + "])"
        return Sql(f"{quoted(field)} IN (") + listed + ")"

    def _between(self, index: Index, field: str, test: Test) -> Sql:
        several = self.is_list(index, field)
        value = "x" if several else quoted(field)
        bounds = {">=": test.from_, "<": test.below}
        date = self._fields.type_of(index, field) == "date"
        parts = [
            Sql(f"{value} {sign} ?", (self._moment(str(bound)) if date else bound,))
            for sign, bound in bounds.items()
            if bound is not None
        ]
        inside = joined(parts, " AND ")
        if not several:
            return inside
        return Sql(f"len(list_filter({quoted(field)}, lambda x: ") + inside + ")) > 0"

    def _moment(self, bound: str) -> datetime:
        """Give a date without time zone, in UTC; relative ones are counted from `now`."""
        if not bound.startswith("now"):
            moment = datetime.fromisoformat(bound)
            return (moment.astimezone(UTC) if moment.tzinfo else moment).replace(tzinfo=None)
        back = bound.removeprefix("now-")
        gone = timedelta() if back == "now" else timedelta(**{_UNITS[back[-1]]: int(back[:-1])})
        return (self._now.astimezone(UTC) - gone).replace(tzinfo=None)

    def hits(self, dashboard: Dashboard, panel: Panel, *further: str) -> Sql:
        """Give the query of a search's rows: its columns, and further ones of the table."""
        index, sort = dashboard.index_of(panel), panel.sort or ""
        shown = [self.shown(index, column.field) for column in panel.columns or ()]
        columns = ", ".join([*shown, *map(quoted, further)])
        direction = "DESC" if sort.startswith("-") else "ASC"
        return (
            Sql(f"SELECT {columns} FROM (")
            + self.records(dashboard, panel, 0)
            + f") ORDER BY {quoted(sort.removeprefix('-'))} {direction} NULLS LAST, {quoted('finding_id')}"
            + f" LIMIT {panel.rows:d}"
        )

    def shown(self, index: Index, field: str) -> str:
        """Give a column as a search shows it: dates in epoch milliseconds, several values once, sorted."""
        if self.is_list(index, field):
            return f"list_sort(list_distinct({quoted(field)}))"
        column = quoted(field)
        return f"epoch_ms({column})" if self._fields.type_of(index, field) == "date" else column


def _names(letter: str, number: int) -> str:
    return ", ".join(f"{letter}{each}" for each in range(number))
