"""A number. Dashboards' metric takes no colour of its own."""

from guardduty_lens.visuals.model import Dashboard, Panel
from guardduty_lens.visuals.saved_objects.aggregations import aggregations
from guardduty_lens.visuals.saved_objects.context import Context, visualization
from guardduty_lens.visuals.saved_objects.objects import SavedObject

_STYLE = {"bgFill": "#000", "bgColor": False, "labelColor": False, "subText": "", "fontSize": 48}


def metric(context: Context, dashboard: Dashboard, panel: Panel) -> SavedObject:
    """Give a metric."""
    params = {
        "addTooltip": True,
        "addLegend": False,
        "type": "metric",
        "metric": {
            "percentageMode": False,
            "useRanges": False,
            "colorSchema": "Green to Red",
            "metricColorMode": "None",
            "colorsRange": [{"from": 0, "to": 10_000}],
            "labels": {"show": True},
            "invertColors": False,
            "style": _STYLE,
        },
    }
    state = {"type": "metric", "aggs": aggregations(context, dashboard, panel, ()), "params": params}
    return visualization(context, dashboard, panel, state)
