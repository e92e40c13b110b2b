"""What the makers of saved objects share: names, ids, and the parts that every visualization has."""

from collections.abc import Mapping
from typing import Any

import msgspec

from guardduty_lens.opensearch.names import Names
from guardduty_lens.visuals.colours import SEVERITY
from guardduty_lens.visuals.fields import Fields
from guardduty_lens.visuals.kql import kql
from guardduty_lens.visuals.model import Dashboard, Index, Panel, Split
from guardduty_lens.visuals.saved_objects.objects import Reference, SavedObject
from guardduty_lens.visuals.scope import records_of

# The lowest versions that say what is here; a newer one than a server knows is refused by it.
MIGRATIONS: Mapping[str, str] = {
    "index-pattern": "7.6.0",
    "visualization": "7.10.0",
    "search": "7.9.3",
    "dashboard": "7.9.3",
}
INDEX_REFERENCE = "kibanaSavedObjectMeta.searchSourceJSON.index"


class Context(msgspec.Struct, frozen=True):
    """Fields, names of a cluster, and whether region maps ask the public map service for shapes."""

    fields: Fields
    names: Names
    stock_map: bool = False

    def id(self, *parts: str) -> str:
        """Give the id of an object; the index prefix is part of it."""
        return "-".join([f"{self.names.prefix}guardduty-lens", *parts])

    def pattern_title(self, index: Index) -> str:
        """Give what an index pattern matches."""
        return {
            "log": f"{self.names.log}*",
            "state": self.names.state_index,
            "stats": f"{self.names.stats}-*",
            "cloudtrail": f"{self.names.cloudtrail}-*",
            "tags": self.names.tags,
        }[index]

    def reference(self, index: Index, name: str = INDEX_REFERENCE) -> Reference:
        """Give the reference of an object to an index pattern."""
        return Reference(name, "index-pattern", self.id(index))

    def query(self, dashboard: Dashboard, panel: Panel) -> str:
        """Give the query of a panel's records."""
        return kql(dashboard.index_of(panel), records_of(dashboard, panel), self.fields)


def as_text(value: Any) -> str:
    """Give JSON as objects carry it inside their attributes."""
    return msgspec.json.encode(value).decode()


def search_source(query: str, *, indexed: bool) -> dict[str, Any]:
    """Give the meta part of an object: its query, and that it refers to an index pattern."""
    source: dict[str, Any] = {"query": {"query": query, "language": "kuery"}, "filter": []}
    if indexed:
        source["indexRefName"] = INDEX_REFERENCE
    return {"searchSourceJSON": as_text(source)}


def title_of(dashboard: Dashboard, panel: Panel) -> str:
    """Give a panel's title in the list of all: the overview's have the names that the seeds give them."""
    return panel.title if dashboard.id == "overview" else f"{dashboard.title}: {panel.title}"


def description_of(dashboard: Dashboard, panel: Panel) -> str:
    """Say what is counted, and what there is to know."""
    counted = ""
    if panel.chart not in ("markdown", "search"):
        of = dashboard.measures_of(panel)[0].of
        counted = {"findings": "Counts distinct findings.", "updates": "Counts updates."}.get(of, "")
    note = f"{panel.note}." if panel.note else ""
    return " ".join(part for part in (counted, note) if part)


def visualization(
    context: Context,
    dashboard: Dashboard,
    panel: Panel,
    state: dict[str, Any],
    *,
    references: list[Reference] | None = None,
    indexed: bool = True,
) -> SavedObject:
    """Give a visualization of a panel: `state` is its type, aggregations and parameters."""
    title = title_of(dashboard, panel)
    query = context.query(dashboard, panel) if indexed else ""
    own = [context.reference(dashboard.index_of(panel))] if indexed else []
    return SavedObject(
        type="visualization",
        id=context.id(dashboard.id, panel.id),
        attributes={
            "title": title,
            "description": description_of(dashboard, panel),
            "version": 1,
            "visState": as_text({"title": title} | state),
            "uiStateJSON": as_text(colours_of(panel.by)),
            "kibanaSavedObjectMeta": search_source(query, indexed=indexed),
        },
        references=own if references is None else references,
        migration_version={"visualization": MIGRATIONS["visualization"]},
    )


def colours_of(splits: list[Split]) -> dict[str, Any]:
    """Give the colours of severities, where a chart tells them apart."""
    if any(split.field == "severity_label" for split in splits):
        return {"vis": {"colors": dict(SEVERITY)}}
    return {}
