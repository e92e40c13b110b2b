from itertools import combinations

import pytest

from guardduty_lens.lens import Lens
from guardduty_lens.visuals.fields import fields_of
from guardduty_lens.visuals.layout import layout
from guardduty_lens.visuals.load import load_dashboards
from guardduty_lens.visuals.model import GRID_COLUMNS, Dashboard, Panel

SHIPPED = load_dashboards(fields_of(Lens(extractors=()).plan))


def test_panels_fill_rows_and_the_highest_sets_the_row() -> None:
    panels = [
        Panel(id="a", title="A", chart="metric", width=24, height=5),
        Panel(id="b", title="B", chart="metric", width=24, height=9),
        Panel(id="c", title="C", chart="metric", width=30, height=4),
        Panel(id="d", title="D", chart="metric", width=30, height=4),
    ]
    places = [(each.x, each.y, each.width, each.height) for each in layout(panels, top=2)]
    assert places == [(0, 2, 24, 9), (24, 2, 24, 9), (0, 11, 30, 4), (0, 15, 30, 4)]


@pytest.mark.parametrize("dashboard", SHIPPED, ids=lambda each: each.id)
def test_shipped_panels_stay_on_the_grid_and_leave_no_gap(dashboard: Dashboard) -> None:
    placed = list(layout(dashboard.panels))
    for one, other in combinations(placed, 2):
        apart = one.x + one.width <= other.x or other.x + other.width <= one.x
        below = one.y + one.height <= other.y or other.y + other.height <= one.y
        assert apart or below, (one.panel.id, other.panel.id)
    for row in {each.y for each in placed}:
        assert sum(each.width for each in placed if each.y == row) == GRID_COLUMNS, row
