"""Bars: lying, so that long names can be read; a second split stacks them."""

from typing import Any

from guardduty_lens.visuals.model import Dashboard, Panel
from guardduty_lens.visuals.saved_objects.aggregations import aggregations, measure_label
from guardduty_lens.visuals.saved_objects.context import Context, visualization
from guardduty_lens.visuals.saved_objects.objects import SavedObject


def bars(context: Context, dashboard: Dashboard, panel: Panel) -> SavedObject:
    """Give horizontal bars."""
    label = measure_label(dashboard.measures_of(panel)[0])
    stacked = len(panel.by) > 1
    params: dict[str, Any] = {
        "type": "histogram",
        "grid": {"categoryLines": False},
        "categoryAxes": [_category_axis()],
        "valueAxes": [_value_axis(label)],
        "seriesParams": [_series(label)],
        "addTooltip": True,
        "addLegend": stacked,
        "legendPosition": "right",
        "times": [],
        "addTimeMarker": False,
        "labels": {"show": not stacked},
        "thresholdLine": {"show": False, "value": 10, "width": 1, "style": "full", "color": "#E7664C"},
    }
    aggs = aggregations(context, dashboard, panel, ["segment", "group"][: len(panel.by)])
    state = {"type": "horizontal_bar", "aggs": aggs, "params": params}
    return visualization(context, dashboard, panel, state)


def _category_axis() -> dict[str, Any]:
    return {
        "id": "CategoryAxis-1",
        "type": "category",
        "position": "left",
        "show": True,
        "style": {},
        "scale": {"type": "linear"},
        "labels": {"show": True, "rotate": 0, "filter": False, "truncate": 200},
        "title": {},
    }


def _value_axis(label: str) -> dict[str, Any]:
    return {
        "id": "ValueAxis-1",
        "name": "LeftAxis-1",
        "type": "value",
        "position": "bottom",
        "show": True,
        "style": {},
        "scale": {"type": "linear", "mode": "normal"},
        "labels": {"show": True, "rotate": 0, "filter": True, "truncate": 100},
        "title": {"text": label},
    }


def _series(label: str) -> dict[str, Any]:
    return {
        "show": True,
        "type": "histogram",
        "mode": "stacked",
        "data": {"label": label, "id": "1"},
        "valueAxis": "ValueAxis-1",
        "drawLinesBetweenPoints": True,
        "lineWidth": 2,
        "showCircles": True,
    }
