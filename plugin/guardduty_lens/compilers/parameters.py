"""The plan as interpreters in other languages run it: plain data, worked out as far as can be beforehand."""

from collections.abc import Callable
from typing import Any, Protocol

import msgspec

from guardduty_lens.catalogue.model import (
    BandsOptions,
    CaseOptions,
    ConstantOptions,
    Delimiter,
    FieldType,
    FindingTypeOptions,
    KindOptions,
    LookupOptions,
    ObjectsOptions,
    ParseJsonOptions,
    PathOptions,
    SplitOptions,
    TemplateOptions,
)
from guardduty_lens.catalogue.operations.kind import FOREIGN_KINDS, KIND_OF_DETAIL_TYPE, KINDS
from guardduty_lens.catalogue.operations.lookup import lookup_table
from guardduty_lens.catalogue.operations.template import template_parts
from guardduty_lens.catalogue.paths import FAN_OUT_LIMIT, Key, Match, Path, Step, parse_path
from guardduty_lens.engine.origins import field_name
from guardduty_lens.engine.plan import Plan, PlanCondition, PlanEntry, PlanPath, PlanSource
from guardduty_lens.findings.type_grammar import ASFF_NAMES_OF_THEIR_OWN, ASFF_NAMESPACES

Data = dict[str, Any]

TEXT_KEYS = ("message", "log")
"""Where a shipper puts a line that it read: an event found there is laid out first."""

IDENTITY_FIELDS = ("record_kind", "finding_id", "finding_arn", "updated_at", "event_count", "is_archived")
"""The fields that say a record's index and id."""

GUARDDUTY_KINDS = tuple(kind for kind in KINDS if kind not in FOREIGN_KINDS)
"""What a record can be that belongs into the log, whatever its source says."""

_TEXTS: frozenset[FieldType] = frozenset({"label", "id", "text", "url", "date", "ip"})


class Regexes(Protocol):
    """How an engine runs users' regexes."""

    def data(self, source: PlanSource) -> Data:
        """Give what the interpreter is told of a source whose operation is a regex."""


def interpreter_params(plan: Plan, regexes: Regexes) -> Data:
    """Give what an interpreter needs to run a plan, in plain JSON."""
    return {
        "entries": [_entry(entry, regexes) for entry in plan.entries],
        "tables": _tables(plan),
        "words": {"names": dict(ASFF_NAMES_OF_THEIR_OWN), "namespaces": list(ASFF_NAMESPACES)},
        "fan_out": FAN_OUT_LIMIT,
    }


def _entry(entry: PlanEntry, regexes: Regexes) -> Data:
    data: Data = {
        "field": entry.field,
        "key": None if entry.hidden else entry.key,
        "type": "text" if entry.type in _TEXTS else entry.type,
        "many": entry.cardinality == "many",
        "kinds": sorted(entry.kinds),
        "first_source_only": entry.first_source_only or entry.cardinality == "one",
        "sources": [_source(source, regexes) for source in entry.sources],
    }
    if entry.when is not None:
        data["when"] = _condition(entry.when)
    if entry.default is not None:
        data["other"] = entry.default
    return data


def _condition(condition: PlanCondition) -> Data:
    return {
        "path": path_data(condition.path),
        "exists": condition.exists,
        "values": list(condition.values),
    }


def path_data(path: PlanPath) -> Data:
    """Give a path: of an added field, of keys alone, or of steps."""
    if path.root == "fields":
        return {"field": field_name(path)}
    keys = [step.name for step in path.steps if isinstance(step, Key)]
    return {"keys": keys} if len(keys) == len(path.steps) else {"steps": _steps(path.steps)}


def _steps(path: Path) -> list[str | list[str]]:
    return [_step(step) for step in path]


def _step(step: Step) -> str | list[str]:
    if isinstance(step, Key):
        return step.name
    return [step.name, step.value] if isinstance(step, Match) else []


def _source(source: PlanSource, regexes: Regexes) -> Data:
    name = source.operation.name
    data: Data = {"operation": name}
    if name == "regex":
        return data | regexes.data(source)
    if source.paths:
        data["paths"] = [path_data(path) for path in source.paths]
    options = source.operation.options
    write = _OPTIONS.get(type(options))
    return data | (write(options) if write else {})


def _tables(plan: Plan) -> dict[str, dict[str, list[Any]]]:
    """Give the tables that are looked into, each value a list."""
    looked_into = [
        source.operation.options
        for entry in plan.entries
        for source in entry.sources
        if isinstance(source.operation.options, LookupOptions)
    ]
    return {
        options.table: lookup_table(options, plan.tables)[0]
        for options in looked_into
        if options.entries is None and options.table is not None
    }


# --- the options of each operation --------------------------------------------------------------------------


def _except(options: PathOptions) -> Data:
    return {"operation": "except", "without": list(options.except_)} if options.except_ else {}


def _finding_type(options: FindingTypeOptions) -> Data:
    return {"part": options.part or "canonical"}


def _split(options: SplitOptions) -> Data:
    delimiters = [Delimiter(text=item) if isinstance(item, str) else item for item in options.at]
    at = [{"text": delimiter.text, "optional": delimiter.optional} for delimiter in delimiters]
    return {"at": at, "part": options.part}


def _bands(options: BandsOptions) -> Data:
    return {"bands": [msgspec.to_builtins(band) for band in options.bands or ()], "other": options.default}


def _lookup(options: LookupOptions) -> Data:
    other = lookup_table(msgspec.structs.replace(options, entries={}), {})[1]
    if options.entries is None:
        return {"table": options.table, "other": other}
    return {"entries": lookup_table(options, {})[0], "other": other}


def _objects(options: ObjectsOptions) -> Data:
    leaves = [
        {"path": leaf.path, "name": leaf.name or leaf.path, "required": leaf.required}
        for leaf in options.leaves
    ]
    return {"leaves": leaves, "text": options.text}


def _template(options: TemplateOptions) -> Data:
    return {"templates": [_one_template(text) for text in options.texts]}


def _one_template(text: str) -> Data:
    parts, tail = template_parts(text)
    return {
        "parts": [{"before": before, "field": field, "url": url} for before, field, url in parts],
        "tail": tail,
    }


def _constant(options: ConstantOptions) -> Data:
    return {"value": options.value}


def _case(options: CaseOptions) -> Data:
    return {"to": options.to}


def _parse_json(options: ParseJsonOptions) -> Data:
    path = parse_path(options.path)
    first = path[0].name if isinstance(path[0], Key) else ""
    return {"first": first, "steps": _steps(path)}


def _kind(_options: KindOptions) -> Data:
    return {"kinds": dict(KIND_OF_DETAIL_TYPE)}


_OPTIONS: dict[type, Callable[[Any], Data]] = {
    KindOptions: _kind,
    PathOptions: _except,
    FindingTypeOptions: _finding_type,
    SplitOptions: _split,
    BandsOptions: _bands,
    LookupOptions: _lookup,
    ObjectsOptions: _objects,
    TemplateOptions: _template,
    ConstantOptions: _constant,
    CaseOptions: _case,
    ParseJsonOptions: _parse_json,
}
