"""A pie; a second split is a second ring."""

from guardduty_lens.visuals.model import Dashboard, Panel
from guardduty_lens.visuals.saved_objects.aggregations import aggregations
from guardduty_lens.visuals.saved_objects.context import Context, visualization
from guardduty_lens.visuals.saved_objects.objects import SavedObject


def pie(context: Context, dashboard: Dashboard, panel: Panel) -> SavedObject:
    """Give a pie."""
    params = {
        "type": "pie",
        "addTooltip": True,
        "addLegend": True,
        "legendPosition": "right",
        "isDonut": True,
        "labels": {"show": False, "values": True, "last_level": True, "truncate": 100},
    }
    aggs = aggregations(context, dashboard, panel, ["segment"] * len(panel.by))
    return visualization(context, dashboard, panel, {"type": "pie", "aggs": aggs, "params": params})
