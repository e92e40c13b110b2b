"""The plain interpreter: the plan, entry by entry, as its documentation reads.

Slow and simple on purpose. It is what the fast path is held against, and runs what the fast path hands on.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from guardduty_lens.catalogue.operations import OPERATIONS
from guardduty_lens.catalogue.paths import walk
from guardduty_lens.catalogue.types import CHECKS, same_scalar, unique_key
from guardduty_lens.engine.origins import writing_order
from guardduty_lens.engine.plan import Plan, PlanCondition, PlanEntry, PlanPath, PlanSource

Fields = dict[str, Any]
Event = Mapping[str, Any]


class _PreparedSource(NamedTuple):
    source: PlanSource
    reads: str
    apply: Callable[..., Any]
    many: bool


class Oracle:
    """Runs a plan over decoded events."""

    def __init__(self, plan: Plan) -> None:
        self._written = _written(plan)
        self._entries = [
            (entry, [_prepare(source, plan) for source in entry.sources]) for entry in plan.entries
        ]

    def fields(self, event: Event) -> Fields:
        """Give the fields of an event in EventBridge layout, by name, hidden ones too. Never raises."""
        return _Run(event).run(self._entries)

    def added(self, fields: Mapping[str, Any]) -> Fields:
        """Give `added_fields`, without working out their order again."""
        return {key: fields[field] for field, key in self._written if field in fields}


def added_fields(plan: Plan, fields: Mapping[str, Any]) -> Fields:
    """Give what is written to a record: the fields by their keys, in their order, without hidden ones."""
    return {key: fields[field] for field, key in _written(plan) if field in fields}


def _written(plan: Plan) -> list[tuple[str, str]]:
    keys = {entry.field: entry.key for entry in plan.entries if not entry.hidden}
    return [(field, keys[field]) for field in writing_order(plan.entries) if field in keys]


def _prepare(source: PlanSource, plan: Plan) -> _PreparedSource:
    spec = OPERATIONS[source.operation.name]
    return _PreparedSource(source, spec.reads, spec.prepare(source.operation.options, plan.tables), spec.many)


class _Run:
    """One event on its way through the plan."""

    def __init__(self, event: Event) -> None:
        self._event = event
        self._fields: Fields = {}
        self._capped = False

    def run(self, entries: list[tuple[PlanEntry, list[_PreparedSource]]]) -> Fields:
        for entry, sources in entries:
            kind = self._fields.get("record_kind")
            if (kind is None or kind in entry.kinds) and (entry.when is None or self._holds(entry.when)):
                self._add(entry, sources)
        return self._fields

    def _add(self, entry: PlanEntry, sources: list[_PreparedSource]) -> None:
        values = self._values(entry, sources)
        if entry.cardinality == "many":
            if values:
                self._fields[entry.field] = values
        elif values:
            self._fields[entry.field] = values[0]
        elif entry.default is not None:
            self._fields[entry.field] = entry.default

    def _values(self, entry: PlanEntry, sources: list[_PreparedSource]) -> list[Any]:
        """Gather the values that pass the type's check, unique, in the order met."""
        check = CHECKS[entry.type]
        found: dict[Any, Any] = {}
        for source in sources:
            for value in self._results(source):
                if check(value):
                    found.setdefault(unique_key(value), value)
            if found and (entry.first_source_only or entry.cardinality == "one"):
                break
        return list(found.values())

    def _results(self, source: _PreparedSource) -> Iterator[Any]:
        results = [source.apply(*arguments) for arguments in self._arguments(source)]
        for result in results:
            if source.many:
                yield from result
            elif result is not None:
                yield result

    def _arguments(self, source: _PreparedSource) -> list[tuple[Any, ...]]:
        match source.reads:
            case "nothing":
                return [()]
            case "event":
                return [(self._event,)]
            case "fields":
                return [(self._fields,)]
            case "run":
                return [(self._event, self._fields, self._capped)]
        paths = source.source.paths
        if len(paths) == 1:
            return [(value,) for value in self._walk(paths[0])]
        parts = [next(iter(self._walk(path)), None) for path in paths]
        return [("/".join(parts),)] if all(type(part) is str for part in parts) else []  # type: ignore[arg-type]

    def _walk(self, path: PlanPath) -> list[Any]:
        if path.root == "event":
            values, capped = walk(self._event, path.steps)
            self._capped = self._capped or capped
            return values
        values, _ = walk(self._fields, path.steps)
        return [item for value in values for item in (value if isinstance(value, list) else [value])]

    def _holds(self, condition: PlanCondition) -> bool:
        values = self._walk(condition.path)
        if not condition.values:
            return bool(values) == condition.exists
        return any(same_scalar(value, wanted) for value in values for wanted in condition.values)
