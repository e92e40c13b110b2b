"""Writes docs/dashboard-panels.md: every dashboard and panel, and which of them the seeds name.

`--check` writes nothing, and exits with 1 if the page is stale.
"""

import sys
from collections.abc import Iterator, Sequence

from generated_file import PACKAGE, check_wanted, write_or_check

from guardduty_lens.lens import Lens
from guardduty_lens.visuals.fields import fields_of_lens
from guardduty_lens.visuals.labels import label_of
from guardduty_lens.visuals.load import load_dashboards
from guardduty_lens.visuals.model import Dashboard, Panel

TARGET = PACKAGE.parent.parent / "docs" / "dashboard-panels.md"


def page(dashboards: Sequence[Dashboard]) -> Iterator[str]:
    """Give the lines of the page."""
    yield "# Dashboards and their panels"
    yield ""
    yield "Made by `make saved-objects` from [`dashboards/*.yml`](../dashboards)."
    yield "How they get into a cluster, and how to add one: [dashboards.md](dashboards.md)."
    yield "The same without a cluster: [report.md](report.md)."
    yield ""
    yield "## What the two articles show, and where it is"
    yield ""
    yield "| in the articles | dashboard | panel |"
    yield "|---|---|---|"
    for dashboard in dashboards:
        yield from (
            f"| {panel.seed} | {dashboard.title} | {panel.title} |"
            for panel in dashboard.panels
            if panel.seed
        )
    for dashboard in dashboards:
        yield ""
        yield f"## {dashboard.title}"
        yield ""
        yield f"{dashboard.question} ([`{dashboard.id}.yml`](../dashboards/{dashboard.id}.yml))"
        yield ""
        yield "| panel | chart | of | shows | by |"
        yield "|---|---|---|---|---|"
        yield from (row(dashboard, panel) for panel in dashboard.panels)


def row(dashboard: Dashboard, panel: Panel) -> str:
    """Give a panel's line of the table."""
    if panel.columns is not None:
        shows = "the records"
    else:
        measured = (
            each.label or " ".join(part for part in (each.of, label_of(each.field or "")) if part)
            for each in dashboard.measures_of(panel)
        )
        shows = ", ".join(measured)
    by = ", ".join(
        split.label or label_of(split.field or split.time or "groups") for split in panel.by if not split.time
    )
    over = "over time" if any(split.time for split in panel.by) else ""
    split = ", ".join(part for part in (by, over) if part)
    chart = panel.chart.replace("_", " ")
    return f"| {panel.title} | {chart} | {dashboard.index_of(panel)} | {shows} | {split} |"


def main() -> int:
    """Write or check the page."""
    dashboards = load_dashboards(fields_of_lens(Lens(extractors=())))
    return write_or_check(TARGET, "\n".join(page(dashboards)) + "\n", check=check_wanted(__doc__))


if __name__ == "__main__":
    sys.exit(main())
