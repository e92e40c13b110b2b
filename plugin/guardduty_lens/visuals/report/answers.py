"""Panels answered by the report's store: the same rows that OpenSearch gives."""

from collections.abc import Sequence
from typing import Any

from guardduty_lens.visuals.model import Dashboard, Measure, Panel
from guardduty_lens.visuals.report.store import Store
from guardduty_lens.visuals.rows import Key, Row, Value
from guardduty_lens.visuals.sql import Queries


def panel_rows(store: Store, queries: Queries, dashboard: Dashboard, panel: Panel) -> list[Row]:
    """Give the rows of a panel of the log or the state."""
    found = store.fetch(queries.rows(dashboard, panel))
    if panel.columns is not None:
        return [Row((), tuple(_alone(value) for value in values)) for values in found]
    last = len(panel.by)
    labels = [list(split.groups) if split.groups is not None else None for split in panel.by]
    rows = [Row(_keys(values[:last], labels), values[last:]) for values in found]
    if last == 1 and labels[0] is not None:
        return _with_empty_groups(rows, labels[0], dashboard.measures_of(panel))
    return rows


def _keys(values: Sequence[Any], labels: Sequence[list[str] | None]) -> tuple[Key, ...]:
    return tuple(
        value if names is None else names[value] for value, names in zip(values, labels, strict=True)
    )


def _with_empty_groups(rows: list[Row], labels: list[str], measures: Sequence[Measure]) -> list[Row]:
    there = {row.keys[0]: row for row in rows}
    nothing: tuple[Value, ...] = tuple(None if each.of in ("min", "max", "avg") else 0 for each in measures)
    return [there.get(label) or Row((label,), nothing) for label in labels]


def _alone(value: Any) -> Value:
    """Give a list of one value as that value, as doc values do not tell the two apart."""
    if isinstance(value, list):
        return value[0] if len(value) == 1 else value or None
    found: Value = value
    return found
