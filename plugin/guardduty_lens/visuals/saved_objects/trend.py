"""Lines and areas over time, by the visual builder: the one that can show markers of releases."""

from typing import Any

from guardduty_lens.visuals.colours import SERIES, SEVERITY
from guardduty_lens.visuals.kql import kql
from guardduty_lens.visuals.model import Dashboard, Index, Measure, Panel, Split, Test
from guardduty_lens.visuals.saved_objects.aggregations import measure_label
from guardduty_lens.visuals.saved_objects.context import Context, visualization
from guardduty_lens.visuals.saved_objects.objects import SavedObject

_METRIC = "measure"


def trend(context: Context, dashboard: Dashboard, panel: Panel) -> SavedObject:
    """Give a time series; it names its index itself and has no references."""
    index = dashboard.index_of(panel)
    params: dict[str, Any] = {
        "id": context.id(dashboard.id, panel.id, "series"),
        "type": "timeseries",
        "series": [_series(context, dashboard, panel)],
        "time_field": context.fields.counted(index, panel.by[-1].time or ""),
        "index_pattern": context.pattern_title(index),
        "default_index_pattern": context.pattern_title(index),
        "default_timefield": context.fields.time(index),
        "interval": _INTERVALS[panel.by[-1].every],
        "filter": {"query": context.query(dashboard, panel), "language": "kuery"},
        "axis_position": "left",
        "axis_formatter": "number",
        "axis_scale": "normal",
        "axis_min": 0,
        "show_legend": 1,
        "show_grid": 1,
        "tooltip_mode": "show_all",
        "drop_last_bucket": 0,
        "isModelInvalid": False,
        "annotations": [_releases(context, dashboard, panel)] if index in ("log", "state") else [],
    }
    state = {"type": "metrics", "aggs": [], "params": params}
    return visualization(context, dashboard, panel, state, indexed=False)


def _releases(context: Context, dashboard: Dashboard, panel: Panel) -> dict[str, Any]:
    """Give the markers of releases: all of them, whatever the page or the panel filters by."""
    return {
        "id": context.id(dashboard.id, panel.id, "releases"),
        "index_pattern": context.pattern_title("tags"),
        "time_field": context.fields.time("tags"),
        "fields": "label",
        "template": "{{label}}",
        "icon": "fa-tag",
        "color": SERIES[1],
        "query_string": {"query": "", "language": "kuery"},
        "ignore_global_filters": 1,
        "ignore_panel_filters": 1,
    }


def _series(context: Context, dashboard: Dashboard, panel: Panel) -> dict[str, Any]:
    index, measure = dashboard.index_of(panel), dashboard.measures_of(panel)[0]
    area = panel.chart == "area"
    split = panel.by[0] if len(panel.by) > 1 else None
    return {
        "id": context.id(dashboard.id, panel.id, "all"),
        "color": SEVERITY[panel.colour] if panel.colour else SERIES[0],
        "label": measure_label(measure),
        "metrics": [_metric(context, index, measure)],
        "separate_axis": 0,
        "axis_position": "right",
        "axis_scale": "normal",
        "formatter": "number",
        "chart_type": "line",
        "line_width": 2,
        "point_size": 1,
        "fill": 0.5 if area else 0,
        "stacked": "stacked" if area and split else "none",
        "type": "timeseries",
    } | _split(context, index, split)


def _metric(context: Context, index: Index, measure: Measure) -> dict[str, Any]:
    if measure.of == "updates" or (measure.of == "findings" and index == "state"):
        return {"id": _METRIC, "type": "count"}
    if measure.of == "findings":
        return {"id": _METRIC, "type": "cardinality", "field": context.fields.counted(index, "finding_id")}
    return {"id": _METRIC, "type": measure.of, "field": context.fields.counted(index, measure.field or "")}


def _split(context: Context, index: Index, split: Split | None) -> dict[str, Any]:
    if split is None:
        return {"split_mode": "everything"}
    groups = split.groups or (_severities() if split.field == "severity_label" else None)
    if groups is None:
        return {
            "split_mode": "terms",
            "split_color_mode": "opensearchDashboards",
            "terms_field": context.fields.counted(index, split.field or ""),
            "terms_size": str(split.size),
            "terms_order_by": _METRIC,
            "terms_direction": "asc" if split.ascending else "desc",
        }
    filters = [
        {
            "id": f"{_METRIC}-{number}",
            "label": label,
            "color": SEVERITY.get(label, SERIES[number % len(SERIES)]),
            "filter": {"query": kql(index, where, context.fields), "language": "kuery"},
        }
        for number, (label, where) in enumerate(groups.items())
    ]
    return {"split_mode": "filters", "split_filters": filters}


def _severities() -> dict[str, list[dict[str, Test]]]:
    """Give a group for each severity, in their order and with their colours."""
    labels = [label for label in SEVERITY if label != "Reserved"]
    return {label: [{"severity_label": Test(is_=[label])}] for label in labels}


_INTERVALS = {"auto": "", "hour": "1h", "day": "1d", "week": "1w", "month": "1M"}
