"""Cells of panels (see `data.py`): counted once by the store, added up by the page for its filters."""

from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from guardduty_lens.visuals.fields import Fields
from guardduty_lens.visuals.labels import label_of
from guardduty_lens.visuals.model import Dashboard, Index, Measure, Panel, Split
from guardduty_lens.visuals.report.answers import panel_rows
from guardduty_lens.visuals.report.data import Cells, MeasureData, SplitData
from guardduty_lens.visuals.report.scopes import Scopes
from guardduty_lens.visuals.report.store import Store
from guardduty_lens.visuals.rows import Key
from guardduty_lens.visuals.sql import Queries, Sql, quoted

MOST_KEYS = 500
"""Values of one split that a page holds at most."""

Found = list[tuple[Any, ...]]
"""Rows of keys, the numbers of a scope's combinations, and values."""


class Counted(msgspec.Struct, frozen=True):
    """What a page needs to draw a panel, and to draw it again for what it filters by."""

    splits: list[SplitData]
    measures: list[MeasureData]
    above: list[Cells]
    findings: Cells | None
    records: Cells | None


class CellCounter:
    """Counts the cells of panels."""

    def __init__(self, store: Store, queries: Queries, fields: Fields, scopes: Scopes) -> None:
        self._store = store
        self._queries = queries
        self._fields = fields
        self._scopes = scopes

    def count(self, dashboard: Dashboard, panel: Panel) -> Counted:
        """Give the cells of a panel that measures something."""
        measures = dashboard.measures_of(panel)
        first, others = measures[0], [measure for measure in measures if measure.of != "findings"]
        levels = len(panel.by)
        findings = self._findings(dashboard, panel, levels) if len(others) < len(measures) else None
        records = self._records(dashboard, panel, levels, others) if others else None
        above = [
            self._findings(dashboard, panel, level)
            if first.of == "findings"
            else self._records(dashboard, panel, level, [first])
            for level in range(1, levels)
        ]
        # A value that has none of the next split still takes its place among those that are shown.
        by_level = [*above, [*(findings or ()), *(records or ())]]
        splits, places = self._splits(dashboard, panel, by_level)
        return Counted(
            splits,
            list(self._measures(dashboard.index_of(panel), measures)),
            [self._cells(found, places[: level + 1]) for level, found in enumerate(above)],
            None if findings is None else self._cells(findings, places),
            None if records is None else self._cells(records, places),
        )

    def _findings(self, dashboard: Dashboard, panel: Panel, levels: int) -> Found:
        """Count findings by the first splits; those without an id make a bucket, and count nothing."""
        keys, shown = _keys(panel, levels)
        records = self._queries.records(dashboard, panel, levels)
        if dashboard.index_of(panel) == "state":
            query = Sql(f"SELECT {shown}[combination], count(*) FROM (") + records
            return self._store.fetch(query + f") GROUP BY {keys}combination ORDER BY ALL")
        query = (
            Sql(f"SELECT {shown}scope, count(finding_id) FROM (SELECT {keys}finding_id, ")
            + "list_sort(list(DISTINCT combination)) AS scope FROM ("
            + records
            + f") GROUP BY {keys}finding_id) GROUP BY {keys}scope ORDER BY ALL"
        )
        return self._store.fetch(query)

    def _records(self, dashboard: Dashboard, panel: Panel, levels: int, measures: Sequence[Measure]) -> Found:
        keys, shown = _keys(panel, levels)
        index = dashboard.index_of(panel)
        figures = ", ".join(self._figure(index, measure) for measure in measures)
        records = self._queries.records(dashboard, panel, levels)
        query = Sql(f"SELECT {shown}[combination], {figures} FROM (") + records
        return self._store.fetch(query + f") GROUP BY {keys}combination ORDER BY ALL")

    def _figure(self, index: Index, measure: Measure) -> str:
        """Give what can be put together again: for a mean, the sum and the number."""
        if measure.of == "avg":
            column = quoted(measure.field or "")
            return f"coalesce(sum({column}), 0), count({column})"
        return self._queries.figure(index, measure)

    def _measures(self, index: Index, measures: Sequence[Measure]) -> Sequence[MeasureData]:
        given, column = [], 0
        for measure in measures:
            field = measure.field or ""
            if measure.of == "findings":
                given.append(MeasureData(of="findings", label=measure.label or "findings", column=0))
                continue
            mean = measure.of == "avg"
            given.append(
                MeasureData(
                    of=measure.of,
                    label=measure.label or f"{measure.of} {label_of(field)}".strip(),
                    column=column,
                    count_column=column + 1 if mean else None,
                    is_date=bool(field) and self._fields.type_of(index, field) == "date",
                )
            )
            column += 2 if mean else 1
        return given

    def _splits(
        self, dashboard: Dashboard, panel: Panel, found: Sequence[Found]
    ) -> tuple[list[SplitData], list[dict[Any, int]]]:
        """Give the splits with their keys, and for each the places of its keys as the store has them."""
        splits, places = [], []
        for level, split in enumerate(panel.by):
            rows = [row for deeper in found[level:] for row in deeper]
            all_keys = range(len(split.groups)) if split.groups is not None else {row[level] for row in rows}
            kept = sorted(all_keys)
            if split.field is not None and len(kept) > MOST_KEYS:
                shown = {row.keys[level] for row in panel_rows(self._store, self._queries, dashboard, panel)}
                kept = _most(found[level], level, shown)
            places.append({key: place for place, key in enumerate(kept)})
            splits.append(_split(split, [_key(split, key) for key in kept], len(all_keys) - len(kept)))
        return splits, places

    def _cells(self, found: Found, places: Sequence[dict[Any, int]]) -> Cells:
        levels = len(places)
        kept = [row for row in found if all(row[n] in places[n] for n in range(levels))]
        columns = list(zip(*kept, strict=True)) or [()] * (levels + 1)
        return Cells(
            [[place[key] for key in column] for place, column in zip(places, columns[:levels], strict=True)],
            [self._scopes.number(scope) for scope in columns[levels]],
            [list(column) for column in columns[levels + 1 :]],
        )


def _keys(panel: Panel, levels: int) -> tuple[str, str]:
    """Give the first keys to group by, and as they are read, each with a comma behind."""
    splits = list(enumerate(panel.by[:levels]))
    keys = "".join(f"k{n}, " for n, _ in splits)
    shown = "".join(f"epoch_ms(k{n}), " if split.time is not None else f"k{n}, " for n, split in splits)
    return keys, shown


def _most(found: Found, level: int, shown: set[Key]) -> list[Any]:
    """Give the keys of a level that most is counted of, and those that are shown unfiltered; ascending."""
    totals: dict[Any, float] = {}
    for row in found:
        totals[row[level]] = totals.get(row[level], 0) + (row[level + 2] or 0)
    ranked = sorted(totals, key=lambda key: -totals[key])
    return sorted({*ranked[:MOST_KEYS], *(key for key in ranked[MOST_KEYS:] if _text(key) in shown)})


def _split(split: Split, keys: list[Key], hidden: int) -> SplitData:
    kind: Literal["field", "time", "groups"] = "field"
    if split.field is None:
        kind = "time" if split.groups is None else "groups"
    name = split.field or split.time or ""
    return SplitData(
        kind=kind,
        label=split.label or label_of(name),
        size=split.size,
        ascending=split.ascending,
        is_severity=split.field == "severity_label",
        is_account=split.field == "account_id",
        keys=keys,
        hidden=hidden,
    )


def _key(split: Split, key: Any) -> Key:
    if split.groups is not None:
        return tuple(split.groups)[int(key)]
    return int(key) if split.time is not None else _text(key)


def _text(key: Any) -> str:
    """Write a value as OpenSearch writes the key of a bucket."""
    return str(key).lower() if isinstance(key, bool) else str(key)
