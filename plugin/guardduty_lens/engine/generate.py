"""The plan as one Python function over decoded structs.

The function goes through the event once, object by object, and notes what each source gives; what is not
there costs one look. Then it makes the fields, in the plan's order. Attributes, variables and constants are
named by number: no text of a catalogue or of a user stands in the source. It gives the oracle's fields, or
raises FanOutError where an array is longer than is looked at; the caller then asks the oracle.
"""

import re
from collections.abc import Callable, Collection
from typing import Any, Literal, NamedTuple

import msgspec

from guardduty_lens.catalogue.operations import OPERATIONS
from guardduty_lens.catalogue.operations.kind import FINDING_DETAIL_TYPE, GUARDDUTY_SOURCE
from guardduty_lens.catalogue.operations.warnings import finding_warnings
from guardduty_lens.catalogue.paths import Key
from guardduty_lens.catalogue.types import same_scalar, unique_key
from guardduty_lens.engine import inline
from guardduty_lens.engine.inline import TEXT_TYPES, Use
from guardduty_lens.engine.memo import Memos
from guardduty_lens.engine.origins import (
    LABEL,
    WARNINGS,
    field_name,
    fields_of_resource,
    writing_order,
)
from guardduty_lens.engine.plan import Plan, PlanCondition, PlanEntry, PlanPath, PlanSource
from guardduty_lens.engine.source_writer import SourceWriter
from guardduty_lens.engine.tree import Node, NotGeneratedError
from guardduty_lens.engine.walk import FanOutError, WalkWriter
from guardduty_lens.findings.type_grammar import parse_finding_type

Part = Literal["all", "resource", "rest"]
"""What a function does: the whole plan, what the finding's resource gives, or the rest with that at hand."""


class Generated(NamedTuple):
    """A function of a plan, and its source.

    `enrich(event)`, and `enrich(event, part)` of the rest, give the JSON members that were remembered of
    the resource, a struct that encodes to the other added fields without those that are None, the members
    remembered of the type, the severity label and the warnings. Of a resource, `enrich(resource)` gives the
    struct, and what the rest needs to know of it.
    """

    enrich: Callable[..., tuple[Any, ...]]
    source: str


def generate(
    plan: Plan, root: Node, *, strict: bool, part: Part = "all", absent: Collection[int] = (), memos: Memos
) -> Generated:
    """Write and compile a function for a plan.

    `root` is the plan's tree with its structs made, `strict` as they are; `absent` holds the ids of nodes
    below which nothing will be: all other nodes that are looked at may or may not be there. Raises
    NotGeneratedError.
    """
    walk = WalkWriter(root, SourceWriter(), strict=strict, absent=absent)
    generator = _Generator(plan, walk, part, memos)
    keys, returned = generator.write()
    result = msgspec.defstruct(
        "Added", [(name, Any, None) for name in keys], rename=keys, omit_defaults=True, gc=False
    )
    write = walk.write
    added = f"{write.constant(result)}({', '.join(keys)})"
    write(f"return {', '.join(added if each == 'added' else each for each in returned)},")
    arguments = {"all": "event", "resource": "resource", "rest": "event, part"}[part]
    enrich = write.function("enrich", arguments, FanOutError=FanOutError)
    return Generated(enrich, write.source("enrich", arguments))


_VARIABLE = re.compile(r"\b[fvw][0-9]+(?:_[0-9]+)?\b")


class _Generator:
    """Writes the fields of a plan: what is noted on the way through the event, and what is made of it."""

    def __init__(self, plan: Plan, walk: WalkWriter, part: Part, memos: Memos) -> None:
        self._plan = plan
        self._walk = walk
        self._write = walk.write
        self._part = part
        self._sources = {
            entry.field: [source for source in entry.sources if not walk.leads_nowhere(source)]
            for entry in plan.entries
        }  # those of each entry that may give something
        self._memo = memos.of(plan, self._sources)
        self._numbers = {entry.field: number for number, entry in enumerate(plan.entries)}
        self._fields = {field: f"f{number}" for field, number in self._numbers.items()}
        self._entries = {entry.field: entry for entry in plan.entries}
        self._conditions = {
            entry.field: f"w{self._numbers[entry.field]}" for entry in plan.entries if entry.when
        }
        self._noted: dict[int, str] = {}  # the variable that holds what a source gave
        self._of_resource = fields_of_resource(plan.entries) if part != "all" else frozenset[str]()
        self._handed_over: list[str] = []  # what the resource's part knows and the rest needs

    def write(self) -> tuple[dict[str, str], list[str]]:
        """Write the body; give the key of each variable in the struct, and what is returned."""
        for entry in self._plan.entries:
            self._register(entry)
        if self._part == "resource":
            self._walk.write_resource("resource")
        else:
            self._walk.write_all(with_resource=self._part == "all")
        if self._part != "resource":
            self._write_memo()
        mine = [entry for entry in self._plan.entries if self._is_mine(entry)]
        for entry in mine:
            self._write_entry(entry)
        keys = {entry.field: entry.key for entry in mine if not entry.hidden}
        order = (field for field in writing_order(self._plan.entries) if field in keys)
        shown = {self._fields[field]: keys[field] for field in order}
        self._write_head(shown)
        return shown, self._returned()

    def _is_mine(self, entry: PlanEntry) -> bool:
        """Tell whether this part makes a field; those that follow from the type are there already."""
        if (entry.field in self._of_resource) != (self._part == "resource") and self._part != "all":
            return False
        may_be_there = bool(self._sources[entry.field]) or entry.default is not None
        return "finding" in entry.kinds and may_be_there and entry.field not in self._memo.fields

    def _returned(self) -> list[str]:
        if self._part == "resource":
            return ["added", *self._handed_over]
        known = (self._fields.get(field, "None") for field in (LABEL, WARNINGS))
        return ["b''" if self._part == "all" else "g1", "added", "g0", *known]

    def _write_head(self, shown: Collection[str]) -> None:
        """Write, before all else, what is at hand, and None or 0 for what is met only on some ways."""
        at_hand = {self._fields[field] for field in self._memo.fields} if self._part != "resource" else set()
        head = []
        if self._part == "rest":
            head.append(f"    g1, {''.join(f'{name}, ' for name in self._handed_over)} = part")
            at_hand.update(self._handed_over)
        used = [*_VARIABLE.findall("\n".join(self._write.lines)), *shown, *self._returned()]
        names = [name for name in dict.fromkeys(used) if _VARIABLE.fullmatch(name) and name not in at_hand]
        if names:
            head.append(f"    {' = '.join(names)} = None")
        if self._walk.counters:
            head.append(f"    {' = '.join(self._walk.counters)} = 0")
        self._write.lines[:0] = head

    # --- what is wanted of the event --------------------------------------------------------------

    def _register(self, entry: PlanEntry) -> None:
        if entry.when is not None and entry.when.path.root == "event":
            variable = self._conditions[entry.field]
            if self._is_walked(entry, entry.when.path, variable):
                self._walk.wants(entry.when.path, self._condition_use(entry))
        if entry.field in self._memo.fields:
            return
        for number, source in enumerate(entry.sources):
            alive = any(source is each for each in self._sources[entry.field])
            reads_event = any(path.root == "event" for path in source.paths)
            if alive and reads_event and self._memo.number_of(source) is None:
                self._register_source(entry, source, number)

    def _is_walked(self, entry: PlanEntry, path: PlanPath, variable: str) -> bool:
        """Tell whether this part's way leads along a path; what the resource's gives is handed over."""
        if self._part == "all":
            return True
        below = self._walk.is_below_resource(path)
        if below and entry.field not in self._of_resource:  # known by this name to both parts
            self._handed_over.append(variable)
        return below == (self._part == "resource")

    def _register_source(self, entry: PlanEntry, source: PlanSource, number: int) -> None:
        if entry.field in self._of_resource and self._part == "rest":
            return
        path = source.paths[0]
        noted = self._noted[id(source)] = self._note_name(entry, number, path)
        if not self._is_walked(entry, path, noted):
            return
        if _is_late(entry, source):
            self._walk.wants(path, lambda value: self._write(f"{noted} = {value}"))
        elif source.operation.objects is not None:
            use = self._note(entry, source)
            known = self._walk.knows_kind(entry, source)
            self._walk.wants_objects(path, source.operation.objects, entry, use, known=known)
        else:
            self._walk.wants(path, self._applied(entry, source, self._note(entry, source)))

    def _applied(self, entry: PlanEntry, source: PlanSource, use: Use) -> Use:
        known = self._walk.knows_kind(entry, source)
        return inline.apply(self._write, self._plan, source, use, known=known)

    def _note_name(self, entry: PlanEntry, number: int, path: PlanPath) -> str:
        """Name what a source notes: the field itself, where nothing else has a say."""
        sources = self._sources[entry.field]
        alone = len(sources) == 1 and entry.when is None and not _is_late(entry, sources[0])
        if self._part != "all" and entry.field not in self._of_resource:
            alone = alone and not self._walk.is_below_resource(path)
        return self._fields[entry.field] if alone else f"v{self._numbers[entry.field]}_{number}"

    def _note(self, entry: PlanEntry, source: PlanSource) -> Use:
        """Write the noting of a value that a source gives: the first, or all."""
        noted = self._noted[id(source)]
        as_it_is = inline.gives_itself(source) or (
            source.operation.objects is not None and entry.type in TEXT_TYPES
        )
        check = self._check(entry, source, known=as_it_is and self._walk.knows_kind(entry, source))
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

    def _check(self, entry: PlanEntry, source: PlanSource, *, known: bool) -> Callable[[str], str]:
        """Give the test of a field's type on what a source gives; where it needs none, that it is there."""
        objects = source.operation.objects
        point = objects is not None and inline.is_geo_point(objects, entry)
        sure = point and self._walk.knows_kind(entry, source)
        if sure or inline.gives_only(self._plan, source, entry):
            return lambda value: f"{value} is not None"
        return inline.check(self._write, entry, known=known)

    def _condition_use(self, entry: PlanEntry) -> Use:
        holds, condition = self._conditions[entry.field], entry.when
        assert condition is not None
        test = self._write.constant(_test_of(condition))
        return lambda value: self._write(f"if {test}({value}): {holds} = True")

    # --- the fields -------------------------------------------------------------------------------

    def _write_memo(self) -> None:
        """Write what follows from the finding type alone."""
        names = ["g0", *(self._fields[field] for field in self._memo.fields)]
        names += [f"m{number}" for number in range(len(self._memo.sources))]
        known, work_out = self._write.constant(self._memo.known.get), self._write.constant(self._memo)
        kind = self._walk.finding_type()
        self._write(f"{', '.join(names)}, = {known}({kind}) or {work_out}({kind})")

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
        for number, source in enumerate(self._sources[entry.field]):
            number_known = entry.type == "double" and source.operation.number is not None
            known = number_known and self._is_strictly_read(entry, source)
            check = self._check(entry, source, known=known)
            unless = "" if number == 0 and _gives_one(source) else f"{field} is None and "

            def use(value: str, unless: str = unless, check: Callable[[str], str] = check) -> None:
                self._write(f"if {unless}{check(value)}: {field} = {value}")

            if number:
                with self._write.block(f"if {field} is None:"):
                    self._write_single(entry, source, use)
            else:
                self._write_single(entry, source, use)

    def _is_strictly_read(self, entry: PlanEntry, source: PlanSource) -> bool:
        reads_event = any(path.root == "event" for path in source.paths)
        return reads_event and self._walk.knows_kind(entry, source)

    def _write_single(self, entry: PlanEntry, source: PlanSource, use: Use) -> None:
        noted = self._noted.get(id(source))
        if noted is None:
            self._write_source(source, use)
        elif _is_late(entry, source):
            with self._write.block(f"if {noted} is not None:"):
                self._applied(entry, source, use)(noted)
        else:
            self._write(f"{self._fields[entry.field]} = {noted}")

    def _write_many(self, entry: PlanEntry, field: str) -> None:
        """Write all values, source after source; or those of the first source that gives any."""
        self._write("d = []")
        for number, source in enumerate(self._sources[entry.field]):
            check = self._check(entry, source, known=False)

            def use(value: str, check: Callable[[str], str] = check) -> None:
                self._write(f"if {check(value)}: d.append({value})")

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
            known = self._entries[field_name(source.paths[0])].type in {*TEXT_TYPES, "double"}
            applied = inline.apply(self._write, self._plan, source, use, known=known)
            self._write_each_of(source.paths[0], applied)
        else:
            self._write_without_path(source, use)

    def _write_joined(self, source: PlanSource, use: Use) -> None:
        names = [self._fields[field_name(path)] for path in source.paths]
        with self._write.block("if " + " and ".join(f"type({name}) is str" for name in names) + ":"):
            self._write("x = " + " + '/' + ".join(names))
            inline.apply(self._write, self._plan, source, use, known=True)("x")

    def _write_each_of(self, path: PlanPath, use: Use) -> None:
        """Write the use of each value of a field added before."""
        name = field_name(path)
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
    asff = asff if isinstance(asff, dict | msgspec.Struct) else None
    return finding_warnings(finding_type, score, envelope, capped=False, asff=asff is not None)


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


def check_can_be_generated(plan: Plan) -> None:
    """Raise NotGeneratedError where a plan says what only the plain interpreter knows."""
    for entry in plan.entries:
        paths = [path for source in entry.sources for path in source.paths]
        if any(path.root == "fields" and len(path.steps) > 1 for path in paths):
            raise NotGeneratedError(f"{entry.field}: a path into a field")
        if entry.when is not None and entry.when.path.root == "fields" and len(entry.when.path.steps) > 1:
            raise NotGeneratedError(f"{entry.field}: a condition on a path into a field")
        for source in entry.sources:
            reads_event = any(path.root == "event" for path in source.paths)
            if len(source.paths) > 1 and reads_event:
                raise NotGeneratedError(f"{entry.field}: a join of event paths")
            objects = source.operation.objects is not None
            if source.paths and (
                (objects and not reads_event) or (entry.type == "geo_point" and not objects)
            ):
                raise NotGeneratedError(f"{entry.field}: whole objects, of which only parts are decoded")
