"""The plan as one Python function over decoded structs.

`generate` writes the source of a function that reads attributes by number and constants by number: no text
of a catalogue or of a user stands in it. It gives the same fields as the oracle, or raises FanOutError
where an array is longer than is looked at; the caller then asks the oracle.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from guardduty_lens.catalogue.operations import OPERATIONS
from guardduty_lens.catalogue.operations.objects import combine
from guardduty_lens.catalogue.operations.template import template_fields
from guardduty_lens.catalogue.operations.warnings import finding_warnings
from guardduty_lens.catalogue.paths import FAN_OUT_LIMIT, Each, Key, Match, Step
from guardduty_lens.catalogue.types import CHECKS, same_scalar, unique_key
from guardduty_lens.engine.memo import TypeMemo
from guardduty_lens.engine.plan import Plan, PlanCondition, PlanEntry, PlanPath, PlanSource
from guardduty_lens.engine.tree import Node

Use = Callable[[str], None]

_TEXT_TYPES = frozenset({"label", "id", "text", "url", "date", "ip"})


class FanOutError(Exception):
    """An array is longer than FAN_OUT_LIMIT: the oracle knows what to make of it."""


class NotGeneratedError(Exception):
    """A plan that only the oracle runs, and why."""


class Writer:
    """Lines of Python and the constants that they name."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.constants: dict[str, Any] = {}
        self._depth = 1
        self._numbers: dict[str, int] = {}

    def __call__(self, line: str) -> None:
        """Write a line at the current depth."""
        self.lines.append("    " * self._depth + line)

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        """Write a compound statement; what is written inside is its body."""
        self(head)
        self._depth += 1
        start = len(self.lines)
        yield
        if len(self.lines) == start:
            self("pass")
        self._depth -= 1

    def name(self, kind: str) -> str:
        """Give a new variable's name."""
        self._numbers[kind] = number = self._numbers.get(kind, -1) + 1
        return f"{kind}{number}"

    def constant(self, value: Any) -> str:
        """Give the name under which the function finds a value."""
        name = self.name("k")
        self.constants[name] = value
        return name


def generate(plan: Plan, root: Node, result: Callable[..., Any]) -> tuple[Callable[[Any], Any], str]:
    """Give the function from a decoded finding event to `result(*values)`, and its source.

    `root` is the plan's tree with its structs made; the values are those of the plan's entries in order,
    None where there is none, without hidden ones. Raises NotGeneratedError.
    """
    writer = Writer()
    _Generator(plan, root, writer).write()
    shown = ", ".join(f"f{number}" for number, entry in enumerate(plan.entries) if not entry.hidden)
    result_name = writer.constant(result)
    writer(f"return {result_name}({shown})")
    source = "\n".join(["def enrich(event):", *writer.lines, ""])
    namespace = dict(writer.constants) | {"FanOutError": FanOutError}
    exec(compile(source, "<plan>", "exec"), namespace)  # noqa: S102 - our own text, constants by number
    return namespace["enrich"], source


class _Generator:
    def __init__(self, plan: Plan, root: Node, write: Writer) -> None:
        self._plan = plan
        self._root = root
        self._write = write
        self._objects: dict[int, str] = {id(root): "event"}
        self._variables = {entry.field: f"f{number}" for number, entry in enumerate(plan.entries)}
        self._entries = {entry.field: entry for entry in plan.entries}
        self._memo = TypeMemo(plan)
        self._detail = root.members["detail"]
        self._arrays = 0  # array steps of the walk that is being written

    def write(self) -> None:
        self._write_objects(self._root)
        self._write_memo()
        for entry in self._plan.entries:
            if "finding" not in entry.kinds:
                self._write(f"{self._variables[entry.field]} = None")
            elif entry.field not in self._memo.fields:
                self._write_entry(entry)

    # --- objects on the way to the values: each looked up once ------------------------------------

    def _write_objects(self, root: Node) -> None:
        head = len(self._write.lines)
        self._write_members(root, "event")
        names = [name for name in self._objects.values() if name != "event"]
        if names:
            self._write.lines.insert(head, "    " + " = ".join([*names, "None"]))

    def _write_members(self, node: Node, variable: str) -> None:
        for key, member in node.members.items():
            if not member.members:
                continue
            name = self._objects[id(member)] = self._write.name("n")
            self._write(f"{name} = {variable}.{node.attribute(key)}")
            if member is self._detail:  # a finding, or the function would not be called
                self._write_members(member, name)
                continue
            with self._write.block(f"if type({name}) is {self._write.constant(member.struct)}:"):
                self._write_members(member, name)
            with self._write.block("else:"):
                self._write(f"{name} = None")

    # --- what follows from the finding type alone -------------------------------------------------

    def _write_memo(self) -> None:
        names = [self._variables[field] for field in self._memo.fields]
        names += [self._memo_name(number) for number in range(len(self._memo.sources))]
        if names:
            self._write(f"{', '.join(names)}, = {self._write.constant(self._memo)}({self._finding_type()})")

    def _finding_type(self) -> str:
        return f"{self._objects[id(self._detail)]}.{self._detail.attribute('type')}"

    def _memo_name(self, number: int) -> str:
        return f"m{number}"

    # --- entries ----------------------------------------------------------------------------------

    def _write_entry(self, entry: PlanEntry) -> None:
        field = self._variables[entry.field]
        if entry.when is None:
            self._write_values(entry, field)
            return
        self._write(f"{field} = None")
        holds = self._write_condition(entry.when)
        with self._write.block(f"if {holds}:"):
            self._write_values(entry, field)

    def _write_values(self, entry: PlanEntry, field: str) -> None:
        if entry.cardinality == "one":
            self._write_first(entry, field)
        else:
            self._write_all(entry, field)

    def _write_first(self, entry: PlanEntry, field: str) -> None:
        """Write one value: the first that passes its check."""
        default = None if entry.default is None else self._write.constant(entry.default)
        self._write(f"{field} = None")
        check = self._check(entry)
        with self._write.block("while True:"):
            for source in entry.sources:
                loops = self._loops(source)

                def use(value: str, leave: bool = not loops) -> None:
                    head = f"if {check(value)}:" if leave else f"if {field} is None and {check(value)}:"
                    with self._write.block(head):
                        self._write(f"{field} = {value}")
                        if leave:
                            self._write("break")

                self._write_source(source, entry, use)
                if loops:
                    self._write(f"if {field} is not None: break")
            self._write(f"{field} = {default}" if default else "pass")
            self._write("break")

    def _write_all(self, entry: PlanEntry, field: str) -> None:
        """Write all values that pass the check, unique, in the order met."""
        self._write("d = {}")
        check = self._check(entry)
        key = self._write.constant(unique_key) if entry.type == "geo_point" else None

        def use(value: str) -> None:
            with self._write.block(f"if {check(value)}:"):
                self._write(
                    f"d.setdefault({key}({value}), {value})" if key else f"d.setdefault({value}, {value})"
                )

        with self._write.block("while True:"):
            for source in entry.sources:
                self._write_source(source, entry, use)
                if entry.first_source_only:
                    self._write("if d: break")
            self._write("break")
        self._write(f"{field} = list(d.values()) if d else None")

    def _check(self, entry: PlanEntry) -> Callable[[str], str]:
        if entry.type in _TEXT_TYPES:
            return lambda value: f"type({value}) is str and {value}"
        if entry.type == "boolean":
            return lambda value: f"type({value}) is bool"
        name = self._write.constant(CHECKS[entry.type])
        return lambda value: f"{name}({value})"

    # --- sources ----------------------------------------------------------------------------------

    def _loops(self, source: PlanSource) -> bool:
        """Tell whether a source's values are met inside a loop, which `break` would not leave."""
        many_fields = any(
            path.root == "fields" and self._entries[_field_name(path)].cardinality == "many"
            for path in source.paths
        )
        steps = [step for path in source.paths for step in path.steps]
        if self._memo.number_of(source) is not None:
            return True
        return (
            many_fields
            or OPERATIONS[source.operation.name].many
            or not all(isinstance(s, Key) for s in steps)
        )

    def _write_source(self, source: PlanSource, entry: PlanEntry, use: Use) -> None:
        memo = self._memo.number_of(source)
        if memo is not None:
            with self._write.block(f"for x in {self._memo_name(memo)}:"):
                use("x")
            return
        spec = OPERATIONS[source.operation.name]
        match spec.reads:
            case "event":  # the kind: only findings come here
                self._write_result(self._write.constant("finding"), many=False, use=use)
            case "run":
                self._write_result(self._warnings(), many=True, use=use)
            case "nothing":
                made = spec.prepare(source.operation.options, self._plan.tables)()
                self._write_result(self._write.constant(made), many=False, use=use)
            case "fields":
                self._write_template(source, use)
            case "value":
                self._write_value_source(source, entry, use)

    def _write_result(self, expression: str, *, many: bool, use: Use) -> None:
        if many:
            with self._write.block(f"for y in {expression}:"):
                use("y")
        else:
            self._write(f"y = {expression}")
            use("y")

    def _write_template(self, source: PlanSource, use: Use) -> None:
        options = source.operation.options
        names = template_fields(options)
        fill = OPERATIONS["template"].prepare(options, self._plan.tables)
        apply = self._write.constant(lambda *values: fill(dict(zip(names, values, strict=True))))
        arguments = ", ".join(self._variables[name] for name in names)
        self._write_result(f"{apply}({arguments})", many=False, use=use)

    def _warnings(self) -> str:
        """Give the expression of the warnings; where nothing is odd it does not call a thing."""
        envelope = f"(event.{self._root.attribute('detail-type')}, event.{self._root.attribute('source')})"
        score = self._variables.get("severity_score", "None")
        asff = f"event.{self._root.attribute('asff')}"

        def warnings(kind: str, value: Any, words: tuple[Any, Any], original: Any) -> list[str]:
            return finding_warnings(kind, value, words, capped=False, asff=isinstance(original, dict))

        return f"{self._write.constant(warnings)}({self._finding_type()}, {score}, {envelope}, {asff})"

    def _write_value_source(self, source: PlanSource, entry: PlanEntry, use: Use) -> None:
        operation = source.operation
        spec = OPERATIONS[operation.name]
        if entry.type == "geo_point" and operation.objects is None:
            raise NotGeneratedError(f"{entry.field}: objects are decoded in part")
        if operation.objects is not None:
            self._write_objects_source(source, use)
        elif len(source.paths) > 1:
            self._write_joined(source, use)
        elif operation.name == "path" and not operation.options.except_:
            self._write_walk(source.paths[0], use)
        else:
            apply = self._write.constant(spec.prepare(operation.options, self._plan.tables))
            many = spec.many
            self._write_walk(
                source.paths[0], lambda value: self._write_result(f"{apply}({value})", many=many, use=use)
            )

    def _write_joined(self, source: PlanSource, use: Use) -> None:
        spec = OPERATIONS[source.operation.name]
        apply = self._write.constant(spec.prepare(source.operation.options, self._plan.tables))
        if any(path.root != "fields" for path in source.paths):
            raise NotGeneratedError("a join of event paths")
        names = [self._variables[_field_name(path)] for path in source.paths]
        with self._write.block("if " + " and ".join(f"type({name}) is str" for name in names) + ":"):
            joined = " + '/' + ".join(names)
            self._write_result(f"{apply}({joined})", many=spec.many, use=use)

    def _write_objects_source(self, source: PlanSource, use: Use) -> None:
        options = source.operation.objects
        assert options is not None
        apply = self._write.constant(combine(options))
        path = source.paths[0]
        if path.root != "event":
            raise NotGeneratedError("objects of a field")
        node = self._root.at(path.steps)
        struct = self._write.constant(node.struct)

        def made(value: str) -> None:
            leaves = "".join(f"{value}.{node.attribute(leaf.path)}, " for leaf in options.leaves)
            with self._write.block(f"if type({value}) is {struct}:"):
                self._write_result(f"{apply}(({leaves}))", many=False, use=use)

        self._write_walk(path, made)

    # --- walking ----------------------------------------------------------------------------------

    def _write_walk(self, path: PlanPath, use: Use) -> None:
        if path.root == "fields":
            self._write_field(path, use)
            return
        node, variable = self._root, "event"
        steps = list(path.steps)
        while len(steps) > 1 and isinstance(steps[0], Key) and isinstance(steps[1], Key):
            node = node.below(steps.pop(0))
            variable = self._objects[id(node)]
        self._arrays = _array_steps(steps)
        for left in range(1, self._arrays):
            self._write(f"{_counter(left)} = 0")
        if variable == "event":
            self._write_steps(node, variable, steps, use)
        else:
            with self._write.block(f"if {variable} is not None:"):
                self._write_steps(node, variable, steps, use)

    def _write_field(self, path: PlanPath, use: Use) -> None:
        if len(path.steps) > 1:
            raise NotGeneratedError("a path into a field")
        name = _field_name(path)
        variable = self._variables[name]
        with self._write.block(f"if {variable} is not None:"):
            if self._entries[name].cardinality == "one":
                use(variable)
            else:
                with self._write.block(f"for x in {variable}:"):
                    use("x")

    def _write_steps(self, node: Node, variable: str, steps: list[Step], use: Use) -> None:
        """Write the walk from the object in `variable` (of `node`) down the steps that are left."""
        if not steps:
            use(variable)
            return
        step, rest = steps[0], steps[1:]
        below = node.below(step)
        if isinstance(step, Key):
            value = self._write.name("v")
            self._write(f"{value} = {variable}.{node.attribute(step.name)}")
            self._write_below(below, value, rest, use)
        else:
            self._write_elements(below, variable, step, rest, use)

    def _write_below(self, node: Node, value: str, steps: list[Step], use: Use) -> None:
        if steps and isinstance(steps[0], Key):
            with self._write.block(f"if type({value}) is {self._write.constant(node.struct)}:"):
                self._write_steps(node, value, steps, use)
        else:
            self._write_steps(node, value, steps, use)

    def _write_elements(
        self, node: Node, value: str, step: Each | Match, steps: list[Step], use: Use
    ) -> None:
        size = f"len({value})"
        left = _array_steps(steps) + 1
        with self._write.block(f"if type({value}) is list:"):
            if left < self._arrays:
                size = _counter(left)
                self._write(f"{size} += len({value})")
            self._write(f"if {size} > {FAN_OUT_LIMIT}: raise FanOutError")
            element = self._write.name("v")
            with self._write.block(f"for {element} in {value}:"):
                if isinstance(step, Match):
                    struct = self._write.constant(node.struct)
                    wanted = self._write.constant(step.value)
                    test = f"{element}.{node.attribute(step.name)} == {wanted}"
                    with self._write.block(f"if type({element}) is {struct} and {test}:"):
                        self._write_below(node, element, steps, use)
                else:
                    self._write_below(node, element, steps, use)

    # --- conditions -------------------------------------------------------------------------------

    def _write_condition(self, condition: PlanCondition) -> str:
        holds = self._write.name("w")
        self._write(f"{holds} = False")
        if condition.values:
            wanted = condition.values
            test = self._write.constant(lambda value: any(same_scalar(value, each) for each in wanted))
        else:
            test = self._write.constant(lambda value: value is not None)

        def use(value: str) -> None:
            self._write(f"if {test}({value}): {holds} = True")

        self._write_walk(condition.path, use)
        return holds if condition.values or condition.exists else f"not {holds}"


def _array_steps(steps: list[Step]) -> int:
    return sum(not isinstance(step, Key) for step in steps)


def _counter(arrays_left: int) -> str:
    """Name the counter of all elements that one array step of a path meets, by the steps it has left."""
    return f"c{arrays_left}"


def _field_name(path: PlanPath) -> str:
    first = path.steps[0]
    assert isinstance(first, Key)
    return first.name
