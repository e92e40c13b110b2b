"""A cloud of values."""

from guardduty_lens.visuals.model import Dashboard, Panel
from guardduty_lens.visuals.saved_objects.aggregations import aggregations
from guardduty_lens.visuals.saved_objects.context import Context, visualization
from guardduty_lens.visuals.saved_objects.objects import SavedObject


def tag_cloud(context: Context, dashboard: Dashboard, panel: Panel) -> SavedObject:
    """Give a tag cloud."""
    params = {
        "scale": "square root",
        "orientation": "single",
        "minFontSize": 14,
        "maxFontSize": 48,
        "showLabel": False,
    }
    aggs = aggregations(context, dashboard, panel, ["segment"])
    return visualization(context, dashboard, panel, {"type": "tagcloud", "aggs": aggs, "params": params})
