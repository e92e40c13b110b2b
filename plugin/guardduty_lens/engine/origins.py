"""Where fields come from: which follow from the finding's type, or its resource, alone.

What follows from either is worked out once and its JSON remembered, so records are written in this order:
what the resource gives, the rest, what follows from the type (with the fields that may do so before those
that always do). It is the same whichever way a record is made.
"""

from collections.abc import Callable, Collection, Sequence

from guardduty_lens.catalogue.operations import OPERATIONS
from guardduty_lens.catalogue.operations.template import template_fields
from guardduty_lens.catalogue.paths import Key
from guardduty_lens.engine.plan import PlanEntry, PlanPath, PlanSource

TYPE = (Key("detail"), Key("type"))
RESOURCE = (Key("detail"), Key("resource"))

LABEL, WARNINGS = "severity_label", "lens_warnings"
"""Fields that every record is counted by: always at hand."""


def reads_only_type(source: PlanSource, fields: Collection[str]) -> bool:
    """Tell whether a source reads nothing but the finding's type and these fields."""
    reads = OPERATIONS[source.operation.name].reads
    if reads == "fields":
        return set(template_fields(source.operation.options)) <= set(fields)
    return reads == "value" and all(
        path.steps == TYPE if path.root == "event" else field_name(path) in fields for path in source.paths
    )


def fields_of_type(
    entries: Sequence[PlanEntry], sources_of: Callable[[PlanEntry], Sequence[PlanSource]]
) -> list[str]:
    """List the fields that follow from the finding's type alone, by those sources that count."""
    found: list[str] = []
    for entry in entries:
        sources = sources_of(entry)
        if sources and entry.when is None and all(reads_only_type(source, found) for source in sources):
            found.append(entry.field)
    return found


def fields_of_resource(entries: Sequence[PlanEntry]) -> frozenset[str]:
    """Give the fields that follow from a finding's resource alone."""
    found: set[str] = set()
    for entry in entries:
        if entry.when is not None or entry.field in {LABEL, WARNINGS} or not entry.sources:
            continue
        if all(_reads_only_resource(source, found) for source in entry.sources):
            found.add(entry.field)
    return frozenset(found)


def writing_order(entries: Sequence[PlanEntry]) -> tuple[str, ...]:
    """Give the fields in the order they are written."""
    always = fields_of_type(entries, lambda entry: entry.sources)
    maybe = set(fields_of_type(entries, _without_event_sources)) - set(always)
    resource = fields_of_resource(entries)

    def turn(entry: PlanEntry) -> int:
        if entry.field in resource:
            return 0
        return 2 if entry.field in maybe else 3 if entry.field in always else 1

    return tuple(entry.field for entry in sorted(entries, key=turn))


def field_name(path: PlanPath) -> str:
    """Give the name of the field that a path reads."""
    first = path.steps[0]
    return first.name if isinstance(first, Key) else ""


def _without_event_sources(entry: PlanEntry) -> list[PlanSource]:
    return [
        source
        for source in entry.sources
        if not any(path.root == "event" and path.steps != TYPE for path in source.paths)
    ]


def _reads_only_resource(source: PlanSource, fields: Collection[str]) -> bool:
    if OPERATIONS[source.operation.name].reads != "value":
        return False
    return all(
        path.steps[:2] == RESOURCE if path.root == "event" else field_name(path) in fields
        for path in source.paths
    )
