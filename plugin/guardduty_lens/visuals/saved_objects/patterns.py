"""Index patterns: which indices there are to look at, by which time, and how some fields are shown.

They come without a list of fields, which Dashboards then asks the indices for.
"""

from typing import Any

from guardduty_lens.visuals.model import Index
from guardduty_lens.visuals.saved_objects.context import MIGRATIONS, Context, as_text
from guardduty_lens.visuals.saved_objects.objects import SavedObject

PATTERNS: tuple[Index, ...] = ("log", "state", "stats", "cloudtrail", "tags")

_LINK = {
    "id": "url",
    "params": {"type": "a", "urlTemplate": None, "labelTemplate": "open", "openLinkInCurrentTab": False},
}
_WHOLE = {"id": "number", "params": {"pattern": "0,0"}}


def pattern(context: Context, index: Index) -> SavedObject:
    """Give an index pattern."""
    attributes = {"title": context.pattern_title(index), "timeFieldName": context.fields.time(index)}
    if formats := _formats(context, index):
        attributes["fieldFormatMap"] = as_text(formats)
    return SavedObject(
        type="index-pattern",
        id=context.id(index),
        attributes=attributes,
        references=[],
        migration_version={"index-pattern": MIGRATIONS["index-pattern"]},
    )


def _formats(context: Context, index: Index) -> dict[str, Any]:
    """Show addresses as links, and counts as whole numbers."""
    shown: dict[str, Any] = {}
    for field, kind in context.fields.types[index].items():
        name = context.fields.name(index, field)
        if kind == "url":
            shown |= {name: _LINK, f"{name}.keyword": _LINK}
        elif kind == "long":
            shown[name] = _WHOLE
    return shown
