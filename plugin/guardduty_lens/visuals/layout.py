"""Where panels stand: left to right in rows, as they are written, on Dashboards' grid of 48 columns."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from guardduty_lens.visuals.model import GRID_COLUMNS, Chart, Panel

SIZES: Mapping[Chart, tuple[int, int]] = {
    "metric": (8, 8),
    "pie": (16, 15),
    "bar": (24, 15),
    "stacked_bar": (24, 15),
    "line": (24, 15),
    "area": (24, 15),
    "table": (24, 15),
    "tag_cloud": (16, 15),
    "heat_map": (24, 17),
    "region_map": (32, 22),
    "markdown": (48, 5),
    "search": (48, 22),
}
"""Columns and rows of a chart that says no others."""


class Placed(msgspec.Struct, frozen=True):
    """A panel and its place on the grid: `x` and `width` in columns, `y` and `height` in rows."""

    panel: Panel
    x: int
    y: int
    width: int
    height: int


def layout(panels: Sequence[Panel], top: int = 0) -> Iterator[Placed]:
    """Place panels from row `top` on; a row is as high as its highest panel, and all of it become as high."""
    for row in _rows(panels):
        height = max(_size(panel)[1] for panel in row)
        x = 0
        for panel in row:
            width = _size(panel)[0]
            yield Placed(panel, x, top, width, height)
            x += width
        top += height


def _rows(panels: Sequence[Panel]) -> Iterator[list[Panel]]:
    row: list[Panel] = []
    used = 0
    for panel in panels:
        width = _size(panel)[0]
        if used + width > GRID_COLUMNS:
            yield row
            row, used = [], 0
        row.append(panel)
        used += width
    if row:
        yield row


def _size(panel: Panel) -> tuple[int, int]:
    width, height = SIZES[panel.chart]
    return panel.width or width, panel.height or height
