"""One function for each combination of objects that findings have.

A finding has one resource and one action: most of the plan's sources lead nowhere in it. So the first look
is at which objects are there, and the work is done by a function written for just that combination, made
when it is met often enough.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from guardduty_lens.engine.generate import Generated, generate
from guardduty_lens.engine.memo import TypeMemo
from guardduty_lens.engine.plan import Plan
from guardduty_lens.engine.source_writer import SourceWriter
from guardduty_lens.engine.tree import Node, make_structs, tree_of

MOST_FUNCTIONS = 128
"""Functions made: what combinations there are is said by data from outside."""

OFTEN = 50
"""How often a combination is met before its function is made, which costs some milliseconds."""

Signature = tuple[bool, ...]
Enrich = Callable[[Any], msgspec.Struct]


class Specialised:
    """Calls give the added fields of an event, decoded strictly, whose `detail` is a finding."""

    def __init__(self, plan: Plan, memo: TypeMemo) -> None:
        self._plan = plan
        self._memo = memo
        self.root = tree_of(plan)
        make_structs(self.root, strict=True)
        self._general: Generated | None = None
        self._functions: dict[Signature, Enrich] = {}
        self._met: dict[Signature, int] = {}
        self._places = _Places(self.root)

    def __call__(self, event: Any) -> msgspec.Struct:
        """Give the added fields. Raises FanOutError where an array is longer than is looked at."""
        signature = self._places.signature(event)
        enrich = self._functions.get(signature)
        return (enrich or self._function(signature))(event)

    def _function(self, signature: Signature) -> Enrich:
        """Give the function of a combination that has none of its own yet: the general one, or its own."""
        if self._general is None:
            self._general = generate(self._plan, self._memo, self.root, strict=True)
        met = self._met[signature] = self._met.get(signature, 0) + 1
        if met < OFTEN or len(self._functions) >= MOST_FUNCTIONS:
            if len(self._met) > 16 * MOST_FUNCTIONS:
                self._met.clear()
            return self._general.enrich
        absent = self._places.absent(signature)
        generated = generate(self._plan, self._memo, self.root, strict=True, absent=absent)
        self._functions[signature] = generated.enrich
        return generated.enrich


class _Places:
    """The objects whose presence decides: those right below a finding's resource, service and action."""

    def __init__(self, root: Node) -> None:
        detail = root.members["detail"]
        service = detail.members["service"]
        holders = [(detail, "resource"), (detail, "service"), (service, "action")]
        write = SourceWriter()
        write(f"detail = event.{root.attribute('detail')}")
        variables = {id(detail): "detail"}
        self._nodes: list[Node] = []
        tests: list[str] = []
        for number, (above, key) in enumerate(holders):
            node = above.members.get(key)
            if node is None or node.struct is None:
                continue
            name = variables[id(node)] = f"h{number}"
            empty = write.constant(node.struct())
            write(f"{name} = {variables[id(above)]}.{above.attribute(key)}")
            write(f"if type({name}) is not {write.constant(node.struct)}: {name} = {empty}")
            below = {key: each for key, each in node.members.items() if each.members or each.elements}
            self._nodes += below.values()
            tests += [f"{name}.{node.attribute(key)} is None" for key in below]
        write(f"return ({', '.join(tests)},)" if tests else "return ()")
        namespace = dict(write.constants)
        source = "\n".join(["def signature(event):", *write.lines])
        exec(compile(source, "<places>", "exec"), namespace)  # noqa: S102 - our own text, constants by number
        self.signature: Callable[[Any], Signature] = namespace["signature"]
        """Gives for each place whether nothing is there."""

    def absent(self, signature: Signature) -> set[int]:
        """Give the ids of the nodes where a signature has nothing."""
        return {id(node) for node, nothing in zip(self._nodes, signature, strict=True) if nothing}
