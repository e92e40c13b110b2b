"""A heat map: the first split goes down, the second across."""

from guardduty_lens.visuals.model import Dashboard, Panel
from guardduty_lens.visuals.saved_objects.aggregations import aggregations
from guardduty_lens.visuals.saved_objects.context import Context, visualization
from guardduty_lens.visuals.saved_objects.objects import SavedObject


def heat_map(context: Context, dashboard: Dashboard, panel: Panel) -> SavedObject:
    """Give a heat map."""
    labels = {"show": False, "rotate": 0, "overwriteColor": False, "color": "black"}
    params = {
        "type": "heatmap",
        "addTooltip": True,
        "addLegend": True,
        "enableHover": False,
        "legendPosition": "right",
        "times": [],
        "colorsNumber": 5,
        "colorSchema": "Blues",
        "setColorRange": False,
        "colorsRange": [],
        "invertColors": False,
        "percentageMode": False,
        "valueAxes": [
            {
                "show": False,
                "id": "ValueAxis-1",
                "type": "value",
                "scale": {"type": "linear", "defaultYExtents": False},
                "labels": labels,
            }
        ],
    }
    aggs = aggregations(context, dashboard, panel, ["group", "segment"])
    return visualization(context, dashboard, panel, {"type": "heatmap", "aggs": aggs, "params": params})
