"""Panels as searches of OpenSearch: the body of a request, and the rows of its answer.

What a body asks is what Dashboards asks for the same panel; tests hold the numbers to those of the report.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from guardduty_lens.visuals.fields import Fields
from guardduty_lens.visuals.model import (
    AnyOf,
    Column,
    Dashboard,
    Every,
    Index,
    Measure,
    Panel,
    Scalar,
    Split,
    Test,
)
from guardduty_lens.visuals.precision import precision_threshold, shard_size
from guardduty_lens.visuals.rows import Key, Row, Value
from guardduty_lens.visuals.scope import records_of

_INTERVALS: Mapping[Every, str] = {"hour": "1h", "day": "1d", "week": "1w", "month": "1M"}
_SPLIT = "split"

Body = dict[str, Any]


class Search:
    """Makes the searches of panels, and reads their answers.

    `now` is what relative dates are counted from: the server's clock, or an ISO date; `every` is how times
    are cut where a panel leaves it open.
    """

    def __init__(self, fields: Fields, *, now: str | None = None, every: Every = "day") -> None:
        self._fields = fields
        self._now = now
        self._every: Every = every

    def body(self, dashboard: Dashboard, panel: Panel) -> Body:
        """Give the body of a panel's search; of a markdown panel there is none to make."""
        index = dashboard.index_of(panel)
        query = self.query(index, records_of(dashboard, panel))
        if panel.columns is not None:
            return {"size": panel.rows, "query": query, "_source": False} | self._hits(panel, index)
        threshold = precision_threshold(panel.by, index, self._fields)
        figures = {
            f"m{number}": figure
            for number, measure in enumerate(dashboard.measures_of(panel))
            if (figure := self._figure(index, measure, threshold))
        }
        return {
            "size": 0,
            "query": query,
            "track_total_hits": True,
            "aggs": self._aggs(index, panel.by, figures),
        }

    def query(self, index: Index, where: AnyOf) -> Body:
        """Give the query of alternatives of tests."""
        alternatives = [
            {"bool": {"filter": [self._test(index, field, test) for field, test in tests.items()]}}
            for tests in where
        ]
        if len(alternatives) == 1:
            return alternatives[0]
        return {"bool": {"should": alternatives, "minimum_should_match": 1}}

    def rows(self, dashboard: Dashboard, panel: Panel, answer: Mapping[str, Any]) -> list[Row]:
        """Give the rows of the answer to a panel's body."""
        index = dashboard.index_of(panel)
        if panel.columns is not None:
            return [
                Row((), self._shown(index, panel.columns, hit.get("fields", {})))
                for hit in answer["hits"]["hits"]
            ]
        measures = dashboard.measures_of(panel)
        top = answer.get("aggregations", {}) | {"doc_count": answer["hits"]["total"]["value"]}
        return list(_rows(top, panel.by, (), measures))

    def _shown(
        self, index: Index, columns: Sequence[Column], values: Mapping[str, list[Any]]
    ) -> tuple[Value, ...]:
        """Give the doc values of a hit by column; dates come as text."""
        shown = []
        for column in columns:
            found = values.get(self._fields.counted(index, column.field), [])
            if self._fields.type_of(index, column.field) == "date":
                found = [int(each) for each in found]
            shown.append(None if not found else found[0] if len(found) == 1 else found)
        return tuple(shown)

    def _test(self, index: Index, field: str, test: Test) -> Body:
        name = self._fields.counted(index, field)
        parts: list[Body] = []
        none: list[Body] = []
        if test.is_ is not None:
            parts.append({"terms": {name: test.is_}})
        if test.not_ is not None:
            none.append({"terms": {name: test.not_}})
        if test.exists is not None:
            (parts if test.exists else none).append({"exists": {"field": name}})
        bounds = {"gte": test.from_, "lt": test.below}
        if given := {key: self._bound(bound) for key, bound in bounds.items() if bound is not None}:
            parts.append({"range": {name: given}})
        return {"bool": {"filter": parts} | ({"must_not": none} if none else {})}

    def _bound(self, bound: Scalar) -> Scalar:
        """Count a relative date from the chosen moment: OpenSearch writes `2026-01-31T00:00:00Z||-7d`."""
        if isinstance(bound, str) and bound.startswith("now") and self._now is not None:
            return f"{self._now}||{bound.removeprefix('now')}"
        return bound

    def _aggs(self, index: Index, splits: Sequence[Split], figures: Body) -> Body:
        if not splits:
            return figures
        split, *rest = splits
        order = "m0" if "m0" in figures else "_count"
        # What only orders this level is its first measure; all of them are asked for at the last level.
        ordering = {name: figures[name] for name in figures if name == order}
        below = ordering | self._aggs(index, rest, figures)
        return {_SPLIT: self._split(index, split, order) | ({"aggs": below} if below else {})}

    def _split(self, index: Index, split: Split, order: str) -> Body:
        if split.groups is not None:
            return {
                "filters": {
                    "filters": {label: self.query(index, where) for label, where in split.groups.items()}
                }
            }
        if split.time is not None:
            every = self._every if split.every == "auto" else split.every
            name = self._fields.counted(index, split.time)
            return {
                "date_histogram": {"field": name, "calendar_interval": _INTERVALS[every], "min_doc_count": 1}
            }
        name = self._fields.counted(index, split.field or "")
        direction = "asc" if split.ascending else "desc"
        return {
            "terms": {
                "field": name,
                "size": split.size,
                "shard_size": shard_size(split),
                "order": [{order: direction}, {"_key": "asc"}],
            }
        }

    def _figure(self, index: Index, measure: Measure, threshold: int) -> Body | None:
        """Give the aggregation of a measure; documents are counted without one."""
        if measure.of == "updates" or (measure.of == "findings" and index == "state"):
            return None
        if measure.of == "findings":
            name = self._fields.counted(index, "finding_id")
            return {"cardinality": {"field": name, "precision_threshold": threshold}}
        return {measure.of: {"field": self._fields.counted(index, measure.field or "")}}

    def _hits(self, panel: Panel, index: Index) -> Body:
        names = [self._fields.counted(index, column.field) for column in panel.columns or ()]
        sort = panel.sort or ""
        by = self._fields.counted(index, sort.removeprefix("-"))
        tie = self._fields.counted(index, "finding_id")
        direction = "desc" if sort.startswith("-") else "asc"
        dates = {
            column.field
            for column in panel.columns or ()
            if self._fields.type_of(index, column.field) == "date"
        }
        shown = [
            {"field": name, "format": "epoch_millis"} if column.field in dates else {"field": name}
            for name, column in zip(names, panel.columns or (), strict=True)
        ]
        return {
            "docvalue_fields": shown,
            "sort": [{by: {"order": direction, "missing": "_last"}}, {tie: {"order": "asc"}}],
        }


def _rows(
    bucket: Mapping[str, Any], splits: Sequence[Split], keys: tuple[Key, ...], measures: Sequence[Measure]
) -> Iterator[Row]:
    if not splits:
        yield Row(keys, tuple(_value(bucket, f"m{n}") for n in range(len(measures))))
        return
    split, *rest = splits
    for key, below in _buckets(bucket, split, alone=not keys and not rest):
        yield from _rows(below, rest, (*keys, key), measures)


def _buckets(
    bucket: Mapping[str, Any], split: Split, *, alone: bool
) -> Iterator[tuple[Key, Mapping[str, Any]]]:
    buckets = bucket.get(_SPLIT, {}).get("buckets", [])
    if isinstance(buckets, Mapping):  # by label, which the server gives in alphabetical order
        for label in split.groups or ():
            if alone or buckets[label]["doc_count"]:
                yield label, buckets[label]
        return
    for each in buckets:
        yield each["key"] if split.time is not None else str(each.get("key_as_string", each["key"])), each


def _value(bucket: Mapping[str, Any], figure: str) -> Value:
    """Give a measure; where no aggregation is there, documents were counted."""
    if figure not in bucket:
        return int(bucket["doc_count"])
    value = bucket[figure]["value"]
    return None if value is None else float(value)
