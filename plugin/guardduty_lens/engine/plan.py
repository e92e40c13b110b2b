"""The plan: a catalogue with everything resolved, as plain data that each engine's interpreter runs."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import msgspec

from guardduty_lens.catalogue.model import (
    Cardinality,
    Condition,
    Entry,
    FieldType,
    Operation,
    Scalar,
    Source,
    TableValue,
)
from guardduty_lens.catalogue.operations import OPERATIONS
from guardduty_lens.catalogue.operations.kind import FOREIGN_KINDS, KINDS
from guardduty_lens.catalogue.paths import Key, Path, parse_path
from guardduty_lens.findings.severity import SeverityScheme

SEVERITY_RANKS_TABLE = "severity_ranks"
"""The table of the chosen scheme's label ranks."""

# Which kinds a field is for; all others are for findings alone.
_EVERY_KIND = frozenset({"record_kind", "lens_warnings"})
_EVERY_GUARDDUTY_KIND = frozenset({"account_id", "finding_region"})


class PlanPath(msgspec.Struct, frozen=True):
    """A path into the event, or (`root` is fields) the name of a field added before."""

    root: Literal["event", "fields"]
    steps: Path


class PlanSource(msgspec.Struct, frozen=True):
    """Where values come from; several paths are one value each, joined by `/`."""

    paths: tuple[PlanPath, ...]
    operation: Operation


class PlanCondition(msgspec.Struct, frozen=True):
    """Holds if any value at the path is one of `values`, or, without values, exists (or does not)."""

    path: PlanPath
    exists: bool = True
    values: tuple[Scalar, ...] = ()


class PlanEntry(msgspec.Struct, frozen=True):
    """One field, resolved; `key` is its name in a record."""

    field: str
    key: str
    type: FieldType
    cardinality: Cardinality
    kinds: frozenset[str]
    sources: tuple[PlanSource, ...]
    first_source_only: bool = False
    when: PlanCondition | None = None
    default: Scalar | None = None
    hidden: bool = False


class Plan(msgspec.Struct, frozen=True):
    """Everything an engine needs: entries in the order they run, and the tables they look things up in."""

    entries: tuple[PlanEntry, ...]
    tables: dict[str, dict[str, TableValue]]
    scheme: SeverityScheme
    field_prefix: str = ""

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of a record that are ours, in the order they are written."""
        return tuple(entry.key for entry in self.entries if not entry.hidden)


def compile_plan(
    entries: Sequence[Entry],
    tables: Mapping[str, Mapping[str, TableValue]],
    scheme: SeverityScheme,
    field_prefix: str = "",
) -> Plan:
    """Resolve a linted catalogue into a plan.

    Raises PathError or KeyError on entries that did not pass the linter.
    """
    ordered = _in_running_order(entries)
    names = {entry.field for entry in ordered}
    resolved = {name: dict(table) for name, table in tables.items()}
    resolved[SEVERITY_RANKS_TABLE] = dict(scheme.ranks())
    return Plan(
        entries=tuple(_plan_entry(entry, names, scheme, field_prefix) for entry in ordered),
        tables=resolved,
        scheme=scheme,
        field_prefix=field_prefix,
    )


def running_turn(operations: Iterable[str]) -> int:
    """Give when an entry runs, by the names of its operations: the kind first, warnings last.

    Regexes come before the rest, since they read the event alone and others may read their fields.
    """
    turns = {"kind": 0, "regex": 1, "warnings": 3}
    return min((turns[name] for name in operations if name in turns), default=2)


def _in_running_order(entries: Iterable[Entry]) -> list[Entry]:
    return sorted(
        entries,
        key=lambda entry: running_turn(
            source.operation.name for source in entry.sources() if source.operation
        ),
    )


def _plan_entry(entry: Entry, names: set[str], scheme: SeverityScheme, prefix: str) -> PlanEntry:
    sources = tuple(_plan_source(source, names, scheme) for source in entry.sources())
    uses_scheme = any(
        source.operation and source.operation.bands and source.operation.bands.scheme
        for source in entry.sources()
    )
    return PlanEntry(
        field=entry.field,
        key=f"{prefix}{entry.field}",
        type=entry.type,
        cardinality=entry.cardinality,
        kinds=_kinds_of(entry.field),
        sources=sources,
        first_source_only=entry.gather == "first",
        when=_plan_condition(entry.when, names) if entry.when else None,
        default=scheme.default if uses_scheme and entry.default is None else entry.default,
        hidden=entry.hidden,
    )


def _kinds_of(field: str) -> frozenset[str]:
    if field in _EVERY_KIND:
        return frozenset(KINDS)
    return frozenset(KINDS) - FOREIGN_KINDS if field in _EVERY_GUARDDUTY_KIND else frozenset({"finding"})


def _plan_source(source: Source, names: set[str], scheme: SeverityScheme) -> PlanSource:
    operation = source.operation or Operation()
    reads = OPERATIONS[operation.name].reads
    texts = source.join or ([source.path] if source.path and reads == "value" else [])
    if operation.bands and operation.bands.scheme:
        bands = msgspec.structs.replace(operation.bands, scheme=None, bands=list(scheme.bands))
        operation = msgspec.structs.replace(operation, bands=bands)
    return PlanSource(tuple(_plan_path(text, names) for text in texts), operation)


def _plan_condition(condition: Condition, names: set[str]) -> PlanCondition:
    path = _plan_path(condition.path, names)
    if condition.exists is not None:
        return PlanCondition(path, exists=condition.exists)
    values = condition.one_of if condition.equals is None else [condition.equals]
    return PlanCondition(path, values=tuple(values or ()))


def _plan_path(text: str, names: set[str]) -> PlanPath:
    steps = parse_path(text)
    first = steps[0]
    return PlanPath("fields" if isinstance(first, Key) and first.name in names else "event", steps)
