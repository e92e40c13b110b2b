"""A dashboard: its head, its controls, and its panels on the grid."""

from collections.abc import Sequence
from typing import Any

from guardduty_lens.visuals.layout import Placed, layout
from guardduty_lens.visuals.model import GRID_COLUMNS, Dashboard
from guardduty_lens.visuals.saved_objects.context import MIGRATIONS, Context, as_text
from guardduty_lens.visuals.saved_objects.objects import Reference, SavedObject

PANEL_VERSION = "2.19.4"
"""Of a panel on the grid: the version of Dashboards that panels of this form were exported from."""

HEAD_ROWS, CONTROL_ROWS = 5, 7


def dashboard_object(
    context: Context, dashboard: Dashboard, above: Sequence[SavedObject], panels: Sequence[SavedObject]
) -> SavedObject:
    """Give the dashboard of objects: `above` the panels those that go over its whole width."""
    rows = (HEAD_ROWS, CONTROL_ROWS)[: len(above)]
    placed: list[dict[str, Any]] = []
    top = 0
    for height in rows:
        untitled = {"embeddableConfig": {"hidePanelTitles": True}}
        placed.append(_placed(0, top, GRID_COLUMNS, height) | untitled)
        top += height
    placed += [_of(each) for each in layout(dashboard.panels, top)]
    objects = [*above, *panels]
    numbered = [
        panel | {"panelIndex": str(number), "panelRefName": f"panel_{number}"} | _index(panel, number)
        for number, panel in enumerate(placed)
    ]
    return SavedObject(
        type="dashboard",
        id=context.id(dashboard.id),
        attributes={
            "title": dashboard.title,
            "description": dashboard.question,
            "hits": 0,
            "version": 1,
            "panelsJSON": as_text(numbered),
            "optionsJSON": as_text({"hidePanelTitles": False, "useMargins": True}),
            "timeRestore": True,
            "timeFrom": f"now-{dashboard.days}d",
            "timeTo": "now",
            "refreshInterval": {"pause": True, "value": 0},
            "kibanaSavedObjectMeta": {
                "searchSourceJSON": as_text({"query": {"language": "kuery", "query": ""}, "filter": []})
            },
        },
        references=[Reference(f"panel_{n}", each.type, each.id) for n, each in enumerate(objects)],
        migration_version={"dashboard": MIGRATIONS["dashboard"]},
    )


def _placed(x: int, y: int, width: int, height: int) -> dict[str, Any]:
    grid = {"x": x, "y": y, "w": width, "h": height}
    return {"version": PANEL_VERSION, "gridData": grid, "embeddableConfig": {}}


def _of(placed: Placed) -> dict[str, Any]:
    """Place a panel under its own title, whatever it is called in the list of all."""
    return _placed(placed.x, placed.y, placed.width, placed.height) | {"title": placed.panel.title}


def _index(panel: dict[str, Any], number: int) -> dict[str, Any]:
    return {"gridData": panel["gridData"] | {"i": str(number)}}
