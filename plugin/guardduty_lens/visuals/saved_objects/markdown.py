"""A text, and the head of each dashboard: its question, and the ways to the others."""

from collections.abc import Sequence

from guardduty_lens.visuals.model import Dashboard, Panel
from guardduty_lens.visuals.saved_objects.context import Context, visualization
from guardduty_lens.visuals.saved_objects.objects import SavedObject


def markdown(context: Context, dashboard: Dashboard, panel: Panel) -> SavedObject:
    """Give a text."""
    params = {"fontSize": 12, "openLinksInNewTab": False, "markdown": panel.text}
    state = {"type": "markdown", "aggs": [], "params": params}
    return visualization(context, dashboard, panel, state, indexed=False)


def head(context: Context, dashboard: Dashboard, dashboards: Sequence[Dashboard]) -> SavedObject:
    """Give a dashboard's question, with a link to each other dashboard."""
    links = " · ".join(
        f"**{_short(each)}**"
        if each.id == dashboard.id
        else f"[{_short(each)}](#/view/{context.id(each.id)})"
        for each in dashboards
    )
    text = f"**{dashboard.question}**\n\n{links}"
    return markdown(context, dashboard, Panel(id="head", title="About", chart="markdown", text=text))


def _short(dashboard: Dashboard) -> str:
    return dashboard.title.removeprefix("GuardDuty ")
