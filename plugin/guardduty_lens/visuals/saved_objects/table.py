"""A table of values and their measures."""

from guardduty_lens.visuals.model import Dashboard, Panel
from guardduty_lens.visuals.saved_objects.aggregations import aggregations
from guardduty_lens.visuals.saved_objects.context import Context, visualization
from guardduty_lens.visuals.saved_objects.objects import SavedObject


def table(context: Context, dashboard: Dashboard, panel: Panel) -> SavedObject:
    """Give a data table."""
    params = {
        "perPage": 10,
        "showPartialRows": False,
        "showMetricsAtAllLevels": False,
        "showTotal": False,
        "totalFunc": "sum",
        "percentageCol": "",
        "sort": {"columnIndex": None, "direction": None},
    }
    aggs = aggregations(context, dashboard, panel, ["bucket"] * len(panel.by))
    return visualization(context, dashboard, panel, {"type": "table", "aggs": aggs, "params": params})
