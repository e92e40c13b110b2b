"""The plan as one Python function over decoded structs.

The function goes through the event once, object by object, and notes what each source gives; what is not
there costs one look. Then it makes the fields, in the plan's order. Attributes, variables and constants are
named by number: no text of a catalogue or of a user stands in the source. It gives the oracle's fields, or
raises FanOutError where an array is longer than is looked at; the caller then asks the oracle.
"""

import re
from collections.abc import Callable, Collection
from typing import Any, NamedTuple

import msgspec

from guardduty_lens.catalogue.operations import OPERATIONS
from guardduty_lens.catalogue.operations.kind import FINDING_DETAIL_TYPE, GUARDDUTY_SOURCE
from guardduty_lens.catalogue.operations.warnings import finding_warnings
from guardduty_lens.catalogue.paths import Key
from guardduty_lens.catalogue.types import same_scalar, unique_key
from guardduty_lens.engine import inline
from guardduty_lens.engine.inline import TEXT_TYPES, Use
from guardduty_lens.engine.memo import TypeMemo
from guardduty_lens.engine.plan import Plan, PlanCondition, PlanEntry, PlanPath, PlanSource
from guardduty_lens.engine.source_writer import SourceWriter
from guardduty_lens.engine.tree import Node
from guardduty_lens.engine.walk import FanOutError, WalkWriter
from guardduty_lens.findings.type_grammar import parse_finding_type


class NotGeneratedError(Exception):
    """A plan that only the oracle runs, and why."""


class Generated(NamedTuple):
    """The function from a decoded finding event to its added fields, and its source.

    It gives a struct that encodes to the added fields, without those that are None; the attribute of the
    plan's entry number N is `fN`.
    """

    enrich: Callable[[Any], msgspec.Struct]
    source: str


def generate(
    plan: Plan, memo: TypeMemo, root: Node, *, strict: bool, absent: Collection[int] = ()
) -> Generated:
    """Write and compile the function for a plan.

    `root` is the plan's tree with its structs made, `strict` as they are; `absent` holds the ids of nodes
    below which nothing will be: all other nodes that are looked at may or may not be there. Raises
    NotGeneratedError.
    """
    write = SourceWriter()
    keys = _Generator(plan, memo, WalkWriter(root, write, strict=strict, absent=absent)).write()
    result = msgspec.defstruct(
        "Added", [(name, Any, None) for name in keys], rename=keys, omit_defaults=True, gc=False
    )
    write(f"return {write.constant(result)}({', '.join(keys)})")
    source = "\n".join(["def enrich(event):", *write.lines, ""])
    namespace = dict(write.constants) | {"FanOutError": FanOutError}
    exec(compile(source, "<plan>", "exec"), namespace)  # noqa: S102 - our own text, constants by number
    return Generated(namespace["enrich"], source)


_VARIABLE = re.compile(r"\b[fvw][0-9]+\b")


class _Generator:
    """Writes the fields of a plan: what is noted on the way through the event, and what is made of it."""

    def __init__(self, plan: Plan, memo: TypeMemo, walk: WalkWriter) -> None:
        self._plan = plan
        self._memo = memo
        self._walk = walk
        self._write = walk.write
        self._fields = {entry.field: f"f{number}" for number, entry in enumerate(plan.entries)}
        self._entries = {entry.field: entry for entry in plan.entries}
        self._conditions = {entry.field: walk.write.name("w") for entry in plan.entries if entry.when}
        self._noted: dict[int, str] = {}  # the variable that holds what a source gave
        self._sources: dict[str, list[PlanSource]] = {}  # those of each entry that may give something

    def write(self) -> dict[str, str]:
        """Write the body; give the key of each variable that holds a field to be shown."""
        for entry in self._plan.entries:
            self._register(entry)
        head = len(self._write.lines)
        self._walk.write_all()
        self._write_memo()
        there = [entry for entry in self._plan.entries if self._may_be_there(entry)]
        for entry in there:
            if entry.field not in self._memo.fields:
                self._write_entry(entry)
        shown = {self._fields[entry.field]: entry.key for entry in there if not entry.hidden}
        self._insert_defaults(head, shown)
        return shown

    def _may_be_there(self, entry: PlanEntry) -> bool:
        return "finding" in entry.kinds and bool(self._sources[entry.field] or entry.default is not None)

    def _insert_defaults(self, head: int, shown: Collection[str]) -> None:
        """Set to None at the head what is met only on some ways."""
        memoised = {self._fields[field] for field in self._memo.fields}
        used = [*_VARIABLE.findall("\n".join(self._write.lines)), *shown]
        names = [name for name in dict.fromkeys(used) if name not in memoised]
        if names:
            self._write.lines.insert(head, f"    {' = '.join(names)} = None")
        if self._walk.counters:
            self._write.lines.insert(head, f"    {' = '.join(self._walk.counters)} = 0")

    # --- what is wanted of the event --------------------------------------------------------------

    def _register(self, entry: PlanEntry) -> None:
        if entry.when is not None and entry.when.path.root == "event":
            self._walk.wants(entry.when.path, self._condition_use(entry))
        sources = [source for source in entry.sources if not self._walk.leads_nowhere(source)]
        self._sources[entry.field] = sources
        if entry.field in self._memo.fields:
            return
        for source in sources:
            if any(path.root == "event" for path in source.paths) and self._memo.number_of(source) is None:
                self._register_source(entry, source)

    def _register_source(self, entry: PlanEntry, source: PlanSource) -> None:
        if len(source.paths) > 1 or (entry.type == "geo_point" and source.operation.objects is None):
            raise NotGeneratedError(f"{entry.field}: only the plain interpreter reads this")
        self._noted[id(source)] = noted = self._note_name(entry)
        path = source.paths[0]
        if _is_late(entry, source):
            self._walk.wants(path, lambda value: self._write(f"{noted} = {value}"))
        elif source.operation.objects is not None:
            self._walk.wants_objects(path, source.operation.objects, self._note(entry, source))
        else:
            use = self._note(entry, source)
            applied = inline.apply(self._write, self._plan, source, use, known=self._walk.strict)
            self._walk.wants(path, applied)

    def _note_name(self, entry: PlanEntry) -> str:
        """Name what a source notes: the field itself, where nothing else has a say."""
        sources = self._sources[entry.field]
        alone = len(sources) == 1 and entry.when is None and not _is_late(entry, sources[0])
        return self._fields[entry.field] if alone else self._write.name("v")

    def _note(self, entry: PlanEntry, source: PlanSource) -> Use:
        """Write the noting of a value that a source gives: the first, or all."""
        noted = self._noted[id(source)]
        known = self._walk.strict and (inline.gives_itself(source) or source.operation.objects is not None)
        check = inline.check(self._write, entry, known=known and entry.type != "geo_point")
        single = _gives_one(source)

        def use(value: str) -> None:
            if entry.cardinality == "one":
                unless = "" if single else f"{noted} is None and "
                self._write(f"if {unless}{check(value)}: {noted} = {value}")
            elif single:
                self._write(f"if {check(value)}: {noted} = [{value}]")
            else:
                with self._write.block(f"if {check(value)}:"):
                    self._write(f"if {noted} is None: {noted} = [{value}]")
                    self._write(f"else: {noted}.append({value})")

        return use

    def _condition_use(self, entry: PlanEntry) -> Use:
        holds, condition = self._conditions[entry.field], entry.when
        assert condition is not None
        test = self._write.constant(_test_of(condition))
        return lambda value: self._write(f"if {test}({value}): {holds} = True")

    # --- the fields -------------------------------------------------------------------------------

    def _write_memo(self) -> None:
        """Write what follows from the finding type alone."""
        names = [self._fields[field] for field in self._memo.fields]
        names += [f"m{number}" for number in range(len(self._memo.sources))]
        if names:
            known, work_out = self._write.constant(self._memo.known), self._write.constant(self._memo)
            kind = self._walk.finding_type()
            self._write(f"{', '.join(names)}, = {known}.get({kind}) or {work_out}({kind})")

    def _write_entry(self, entry: PlanEntry) -> None:
        field = self._fields[entry.field]
        if entry.when is None:
            self._write_field(entry, field)
            return
        if entry.when.path.root == "fields":
            self._write_each_of(entry.when.path, self._condition_use(entry))
        positive = entry.when.values or entry.when.exists
        holds = self._conditions[entry.field]
        with self._write.block(f"if {holds}:" if positive else f"if not {holds}:"):
            self._write_field(entry, field)

    def _write_field(self, entry: PlanEntry, field: str) -> None:
        sources = self._sources[entry.field]
        plain = all(self._is_listed(source) and not _is_late(entry, source) for source in sources)
        if not sources:
            pass
        elif entry.cardinality == "one" and plain and all(id(source) in self._noted for source in sources):
            self._write_first_noted(entry, field)
        elif entry.cardinality == "one":
            self._write_one(entry, field)
        elif plain:
            self._write_all_noted(entry, field)
        else:
            self._write_many(entry, field)
        if entry.default is not None:
            self._write(f"if {field} is None: {field} = {self._write.constant(entry.default)}")

    def _is_listed(self, source: PlanSource) -> bool:
        """Tell whether what a source gives is in a variable by now."""
        return id(source) in self._noted or self._memo.number_of(source) is not None

    def _listed(self, source: PlanSource) -> str:
        return self._noted.get(id(source)) or f"m{self._memo.number_of(source)}"

    def _write_first_noted(self, entry: PlanEntry, field: str) -> None:
        noted = [self._noted[id(source)] for source in self._sources[entry.field]]
        if noted == [field]:
            return
        if entry.type in TEXT_TYPES:
            self._write(f"{field} = {' or '.join(noted)}")  # a text that is there is not empty
            return
        self._write(f"{field} = {noted[0]}")
        for name in noted[1:]:
            self._write(f"if {field} is None: {field} = {name}")

    def _write_all_noted(self, entry: PlanEntry, field: str) -> None:
        sources = self._sources[entry.field]
        noted = [self._listed(source) for source in sources]
        if len(noted) == 1 or entry.first_source_only:
            if noted != [field]:
                self._write(f"{field} = {' or '.join(noted)} or None")
            if not all(_gives_one(source) for source in sources):
                with self._write.block(f"if {field} is not None:"):
                    self._write_unique(entry, field)
            return
        with self._write.block(f"if {' or '.join(noted)}:"):
            self._write(f"{field} = [{', '.join(f'*({name} or ())' for name in noted)}]")
            self._write_unique(entry, field)

    def _write_unique(self, entry: PlanEntry, field: str) -> None:
        if entry.type == "geo_point":
            self._write(f"if len({field}) > 1: {field} = {self._write.constant(_unique_objects)}({field})")
        else:
            self._write(f"if len({field}) > 1: {field} = [*{self._write.constant(dict.fromkeys)}({field})]")

    def _write_one(self, entry: PlanEntry, field: str) -> None:
        """Write a single value: of the first source that gives one."""
        check = inline.check(self._write, entry, known=False)
        for number, source in enumerate(self._sources[entry.field]):
            unless = "" if number == 0 and _gives_one(source) else f"{field} is None and "

            def use(value: str, unless: str = unless) -> None:
                self._write(f"if {unless}{check(value)}: {field} = {value}")

            if number:
                with self._write.block(f"if {field} is None:"):
                    self._write_single(entry, source, use)
            else:
                self._write_single(entry, source, use)

    def _write_single(self, entry: PlanEntry, source: PlanSource, use: Use) -> None:
        noted = self._noted.get(id(source))
        if noted is None:
            self._write_source(source, use)
        elif _is_late(entry, source):
            with self._write.block(f"if {noted} is not None:"):
                inline.apply(self._write, self._plan, source, use, known=self._walk.strict)(noted)
        else:
            self._write(f"{self._fields[entry.field]} = {noted}")

    def _write_many(self, entry: PlanEntry, field: str) -> None:
        """Write all values, source after source; or those of the first source that gives any."""
        check = inline.check(self._write, entry, known=False)
        self._write("d = []")

        def use(value: str) -> None:
            self._write(f"if {check(value)}: d.append({value})")

        for number, source in enumerate(self._sources[entry.field]):
            if entry.first_source_only and number:
                with self._write.block("if not d:"):
                    self._write_listed(source, use)
            else:
                self._write_listed(source, use)
        with self._write.block("if d:"):
            self._write_unique(entry, "d")
            self._write(f"{field} = d")

    def _write_listed(self, source: PlanSource, use: Use) -> None:
        if self._is_listed(source):
            self._write(f"if {self._listed(source)}: d += {self._listed(source)}")
        else:
            self._write_source(source, use)

    def _write_source(self, source: PlanSource, use: Use) -> None:
        """Write one source that is not noted on the way: remembered by type, or made of fields."""
        memo = self._memo.number_of(source)
        if memo is not None:
            with self._write.block(f"for x in m{memo}:"):
                use("x")
        elif len(source.paths) > 1:
            self._write_joined(source, use)
        elif source.paths:
            known = self._entries[_field_name(source.paths[0])].type in {*TEXT_TYPES, "double"}
            if source.operation.objects is not None:
                raise NotGeneratedError("objects of a field")
            applied = inline.apply(self._write, self._plan, source, use, known=known)
            self._write_each_of(source.paths[0], applied)
        else:
            self._write_without_path(source, use)

    def _write_joined(self, source: PlanSource, use: Use) -> None:
        names = [self._fields[_field_name(path)] for path in source.paths]
        with self._write.block("if " + " and ".join(f"type({name}) is str" for name in names) + ":"):
            self._write("x = " + " + '/' + ".join(names))
            inline.apply(self._write, self._plan, source, use, known=True)("x")

    def _write_each_of(self, path: PlanPath, use: Use) -> None:
        """Write the use of each value of a field added before."""
        name = _field_name(path)
        field = self._fields[name]
        with self._write.block(f"if {field} is not None:"):
            if self._entries[name].cardinality == "one":
                use(field)
            else:
                with self._write.block(f"for x in {field}:"):
                    use("x")

    def _write_without_path(self, source: PlanSource, use: Use) -> None:
        spec = OPERATIONS[source.operation.name]
        match spec.reads:
            case "event":  # the kind: only findings come here
                inline.constant(self._write, "finding", use)
            case "nothing":
                made = spec.prepare(source.operation.options, self._plan.tables)()
                inline.constant(self._write, made, use)
            case "fields":
                inline.template(self._write, source.operation.options.texts, self._fields)
                use("y")
            case "run":
                self._write_warnings(use)

    def _write_warnings(self, use: Use) -> None:
        """Write the warnings; where nothing is odd, nothing is called."""
        detail_type, source, asff = map(self._walk.top_level, ("detail-type", "source", "asff"))
        kind, score = self._walk.finding_type(), self._fields.get("severity_score", "None")
        parse = self._write.constant(parse_finding_type)
        odd = [
            f"{score} is None or not 0 <= {score} <= 10",
            f"{detail_type} != {self._write.constant(FINDING_DETAIL_TYPE)}",
            f"{source} != {self._write.constant(GUARDDUTY_SOURCE)}",
            f"{asff} is not None or {parse}({kind})[1] is None",
        ]
        with self._write.block(f"if {' or '.join(odd)}:"):
            warnings = self._write.constant(_warnings)
            with self._write.block(
                f"for y in {warnings}({kind}, {score}, ({detail_type}, {source}), {asff}):"
            ):
                use("y")


def _warnings(finding_type: str, score: Any, envelope: tuple[Any, Any], asff: Any) -> list[str]:
    return finding_warnings(finding_type, score, envelope, capped=False, asff=isinstance(asff, dict))


def _gives_one(source: PlanSource, *, many: bool = False) -> bool:
    """Tell whether a source gives one value at the most; `many` allows operations that give several of it."""
    plain = all(isinstance(step, Key) for path in source.paths for step in path.steps)
    return plain and (many or not OPERATIONS[source.operation.name].many)


def _is_late(entry: PlanEntry, source: PlanSource) -> bool:
    """Tell whether an operation waits until it is known that no source before gave the only value."""
    operation = source.operation
    if entry.cardinality != "one" or operation.name == "path" or operation.objects is not None:
        return False
    return _gives_one(source, many=True) and any(path.root == "event" for path in source.paths)


def _test_of(condition: PlanCondition) -> Callable[[Any], bool]:
    wanted = condition.values
    if not wanted:
        return lambda value: value is not None
    return lambda value: any(same_scalar(value, each) for each in wanted)


def _unique_objects(values: list[Any]) -> list[Any]:
    unique: dict[Any, Any] = {}
    for value in values:
        unique.setdefault(unique_key(value), value)
    return list(unique.values())


def _field_name(path: PlanPath) -> str:
    first = path.steps[0]
    if len(path.steps) > 1 or path.root != "fields" or not isinstance(first, Key):
        raise NotGeneratedError("a path into a field, or a join of event paths")
    return first.name
