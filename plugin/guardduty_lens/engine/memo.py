"""What follows from the finding type alone, worked out once a type.

A stack sees a few hundred types; their parts and ATT&CK names need not be looked up for every finding.
"""

from collections.abc import Iterable
from typing import Any

import msgspec

from guardduty_lens.catalogue.operations import OPERATIONS
from guardduty_lens.catalogue.operations.template import template_fields
from guardduty_lens.catalogue.paths import Key
from guardduty_lens.engine.oracle import Oracle
from guardduty_lens.engine.plan import Plan, PlanEntry, PlanPath, PlanSource

MOST_TYPES = 4_096
"""Types remembered; a type is text from outside, so their number must be bounded."""

_TYPE_PATH = PlanPath("event", (Key("detail"), Key("type")))


class TypeMemo:
    """Calls work out, for a finding type, the values of `fields` and the results of `sources`, in a tuple.

    `fields` are the entries that read nothing but the type; `sources` are sources, of other entries, that do.
    """

    def __init__(self, plan: Plan) -> None:
        entries: list[PlanEntry] = []
        for entry in plan.entries:
            names = {found.field for found in entries}
            if entry.when is None and all(_reads_only(source, names) for source in entry.sources):
                entries.append(entry)
        self.fields = tuple(entry.field for entry in entries)
        known = set(self.fields)
        others = [
            (source, entry)
            for entry in plan.entries
            if entry.field not in known
            for source in entry.sources
            if _reads_only(source, known)
        ]
        self.sources = tuple(source for source, _ in others)
        entries += [_alone(source, entry, number) for number, (source, entry) in enumerate(others)]
        self._oracle = Oracle(msgspec.structs.replace(plan, entries=tuple(entries)))
        self.known: dict[str, tuple[Any, ...]] = {}
        """What has been worked out; look here first."""

    def number_of(self, source: PlanSource) -> int | None:
        """Give the place of a source among `sources`, or None."""
        return next((number for number, each in enumerate(self.sources) if each is source), None)

    def __call__(self, finding_type: str) -> tuple[Any, ...]:
        """Give what follows from a type: None for a field without a value, a list for each source."""
        if len(self.known) >= MOST_TYPES:
            self.known.clear()
        known = self.known[finding_type] = self._work_out(finding_type)
        return known

    def _work_out(self, finding_type: str) -> tuple[Any, ...]:
        fields = self._oracle.fields({"detail": {"type": finding_type}})
        results = [fields.get(_name(number), []) for number in range(len(self.sources))]
        return (*(fields.get(field) for field in self.fields), *results)


def _reads_only(source: PlanSource, fields: Iterable[str]) -> bool:
    reads = OPERATIONS[source.operation.name].reads
    if reads == "fields":
        return set(template_fields(source.operation.options)) <= set(fields)
    return reads == "value" and all(
        path == _TYPE_PATH or (path.root == "fields" and _name_of(path) in fields) for path in source.paths
    )


def _name_of(path: PlanPath) -> str:
    first = path.steps[0]
    return first.name if isinstance(first, Key) else ""


def _alone(source: PlanSource, entry: PlanEntry, number: int) -> PlanEntry:
    return msgspec.structs.replace(
        entry, field=_name(number), key="", cardinality="many", sources=(source,), when=None, default=None
    )


def _name(number: int) -> str:
    return f"source {number}"
