"""Measures and splits as the aggregations of a visualization, the same as `visuals.dsl` asks for."""

from collections.abc import Sequence
from typing import Any

from guardduty_lens.visuals.kql import kql
from guardduty_lens.visuals.labels import label_of
from guardduty_lens.visuals.model import Dashboard, Index, Measure, Panel, Split
from guardduty_lens.visuals.precision import precision_threshold, shard_size
from guardduty_lens.visuals.saved_objects.context import Context, as_text

Aggregation = dict[str, Any]


def aggregations(
    context: Context, dashboard: Dashboard, panel: Panel, schemas: Sequence[str]
) -> list[Aggregation]:
    """Give the aggregations of a panel: its measures, then its splits, whose roles are `schemas`.

    Measures have the ids from 1 on, and the first of them orders.
    """
    index, measures = dashboard.index_of(panel), dashboard.measures_of(panel)
    threshold = precision_threshold(panel.by, index, context.fields)
    made = [_measure(context, index, each, threshold) for each in measures]
    made += [_split(context, index, split, schema) for split, schema in zip(panel.by, schemas, strict=True)]
    return [{"id": str(number), "enabled": True} | each for number, each in enumerate(made, 1)]


def measure_label(measure: Measure) -> str:
    """Give what a measure is called."""
    field = label_of(measure.field) if measure.field else ""
    return measure.label or (measure.of if not field else f"{measure.of} {field}")


def _measure(context: Context, index: Index, measure: Measure, threshold: int) -> Aggregation:
    label = {"customLabel": measure_label(measure)}
    if measure.of == "updates" or (measure.of == "findings" and index == "state"):
        return {"type": "count", "params": label, "schema": "metric"}
    if measure.of == "findings":
        field = context.fields.counted(index, "finding_id")
        exactly = {"json": as_text({"precision_threshold": threshold})}
        return {"type": "cardinality", "params": {"field": field} | exactly | label, "schema": "metric"}
    field = context.fields.counted(index, measure.field or "")
    return {"type": measure.of, "params": {"field": field} | label, "schema": "metric"}


def _split(context: Context, index: Index, split: Split, schema: str) -> Aggregation:
    if split.groups is not None:
        filters = [
            {"input": {"query": kql(index, where, context.fields), "language": "kuery"}, "label": label}
            for label, where in split.groups.items()
        ]
        return {"type": "filters", "params": {"filters": filters}, "schema": schema}
    params: dict[str, Any] = {"field": context.fields.counted(index, split.field or split.time or "")}
    params["customLabel"] = split.label or label_of(split.field or split.time or "")
    if split.time is not None:
        params |= {"interval": _INTERVALS[split.every], "min_doc_count": 1, "drop_partials": False}
        params |= {"extended_bounds": {}, "scaleMetricValues": False}
        return {"type": "date_histogram", "params": params, "schema": schema}
    params |= {
        "orderBy": "1",
        "order": "asc" if split.ascending else "desc",
        "size": split.size,
        "otherBucket": False,
        "otherBucketLabel": "Other",
        "missingBucket": False,
        "missingBucketLabel": "Missing",
        "json": as_text({"shard_size": shard_size(split)}),
    }
    return {"type": "terms", "params": params, "schema": schema}


_INTERVALS = {"auto": "auto", "hour": "h", "day": "d", "week": "w", "month": "M"}
