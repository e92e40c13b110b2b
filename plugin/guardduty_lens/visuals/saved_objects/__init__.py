"""The saved objects of OpenSearch Dashboards: index patterns, visualizations, searches, dashboards."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from guardduty_lens.opensearch.names import Names
from guardduty_lens.visuals.fields import Fields
from guardduty_lens.visuals.model import Chart, Dashboard, Panel
from guardduty_lens.visuals.saved_objects.bars import bars
from guardduty_lens.visuals.saved_objects.context import Context
from guardduty_lens.visuals.saved_objects.controls import controls
from guardduty_lens.visuals.saved_objects.dashboard import dashboard_object
from guardduty_lens.visuals.saved_objects.heat_map import heat_map
from guardduty_lens.visuals.saved_objects.markdown import head, markdown
from guardduty_lens.visuals.saved_objects.metric import metric
from guardduty_lens.visuals.saved_objects.objects import SavedObject
from guardduty_lens.visuals.saved_objects.patterns import PATTERNS, pattern
from guardduty_lens.visuals.saved_objects.pie import pie
from guardduty_lens.visuals.saved_objects.region_map import region_map
from guardduty_lens.visuals.saved_objects.search import search
from guardduty_lens.visuals.saved_objects.stamp import stamped
from guardduty_lens.visuals.saved_objects.table import table
from guardduty_lens.visuals.saved_objects.tag_cloud import tag_cloud
from guardduty_lens.visuals.saved_objects.trend import trend

Render = Callable[[Context, Dashboard, Panel], SavedObject]

CHARTS: Mapping[Chart, Render] = {
    "metric": metric,
    "pie": pie,
    "bar": bars,
    "stacked_bar": bars,
    "line": trend,
    "area": trend,
    "table": table,
    "tag_cloud": tag_cloud,
    "heat_map": heat_map,
    "region_map": region_map,
    "markdown": markdown,
    "search": search,
}
"""What makes the object of a panel, by its chart."""


def saved_objects(
    dashboards: Sequence[Dashboard], fields: Fields, names: Names, *, stock_map: bool = False
) -> list[SavedObject]:
    """Give all objects, stamped; what others refer to comes first."""
    context = Context(fields, names, stock_map)
    made = [pattern(context, index) for index in PATTERNS]
    for dashboard in dashboards:
        made += _of_dashboard(context, dashboard, dashboards)
    return [stamped(each, names.prefix) for each in made]


def needed_by(dashboard: SavedObject, objects: Sequence[SavedObject]) -> list[SavedObject]:
    """Give the objects that a dashboard cannot be imported without, and itself, in their order."""
    by_id = {(each.type, each.id): each for each in objects}
    wanted = set(_references(dashboard, by_id))
    return [each for each in objects if (each.type, each.id) in wanted]


def ndjson(objects: Sequence[SavedObject]) -> str:
    """Give objects as the lines of an import file."""
    return "".join(msgspec.json.encode(each, order="sorted").decode() + "\n" for each in objects)


def files_of(objects: Sequence[SavedObject]) -> dict[str, str]:
    """Give import files by their names: one of everything, and one for each dashboard alone."""
    alone = {
        f"{each.id}.ndjson": ndjson(needed_by(each, objects)) for each in objects if each.type == "dashboard"
    }
    return {"all.ndjson": ndjson(objects)} | alone


def _of_dashboard(
    context: Context, dashboard: Dashboard, dashboards: Sequence[Dashboard]
) -> Iterator[SavedObject]:
    above = [head(context, dashboard, dashboards)]
    if dashboard.controls:
        above.append(controls(context, dashboard))
    panels = [CHARTS[panel.chart](context, dashboard, panel) for panel in dashboard.panels]
    yield from (*above, *panels, dashboard_object(context, dashboard, above, panels))


def _references(
    saved: SavedObject, by_id: Mapping[tuple[str, str], SavedObject]
) -> Iterator[tuple[str, str]]:
    yield saved.type, saved.id
    for reference in saved.references:
        yield from _references(by_id[reference.type, reference.id], by_id)
