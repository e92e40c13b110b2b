"""A saved search: records as a table of documents."""

from guardduty_lens.visuals.model import Dashboard, Panel
from guardduty_lens.visuals.saved_objects.context import (
    MIGRATIONS,
    Context,
    description_of,
    search_source,
    title_of,
)
from guardduty_lens.visuals.saved_objects.objects import SavedObject


def search(context: Context, dashboard: Dashboard, panel: Panel) -> SavedObject:
    """Give a saved search."""
    index, sort = dashboard.index_of(panel), panel.sort or ""
    order = [context.fields.counted(index, sort.removeprefix("-")), "desc" if sort.startswith("-") else "asc"]
    return SavedObject(
        type="search",
        id=context.id(dashboard.id, panel.id),
        attributes={
            "title": title_of(dashboard, panel),
            "description": description_of(dashboard, panel),
            "hits": 0,
            "columns": [context.fields.name(index, column.field) for column in panel.columns or ()],
            "sort": [order],
            "version": 1,
            "kibanaSavedObjectMeta": search_source(context.query(dashboard, panel), indexed=True),
        },
        references=[context.reference(index)],
        migration_version={"search": MIGRATIONS["search"]},
    )
