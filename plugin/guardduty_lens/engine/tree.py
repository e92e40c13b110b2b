"""What a plan reads of an event, as a tree: one node for every place that a path goes through.

Most of a finding is never looked at, so most of it is never built: `decoder types` made from this tree
let msgspec skip the rest.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from guardduty_lens.catalogue.operations.kind import EVIDENCE_KEYS
from guardduty_lens.catalogue.paths import Key, Match, Path, Step
from guardduty_lens.engine.plan import Plan

Scalars = str | int | float | bool | None

ENVELOPE = ("version", "detail-type", "source", "account", "region", "time", "resources", "id")
"""The keys around `detail`, whose presence decides what is added."""


@dataclass
class Node:
    """One place in an event: its members by key, and its elements, as far as they are read."""

    members: dict[str, "Node"] = field(default_factory=dict)
    elements: "Node | None" = None
    struct: type[msgspec.Struct] | None = None
    """The type its objects decode to, where members are read."""

    def below(self, step: Step) -> "Node":
        """Give the node that a step leads to, making it if need be."""
        if isinstance(step, Key):
            return self.members.setdefault(step.name, Node())
        if self.elements is None:
            self.elements = Node()
        if isinstance(step, Match):
            self.elements.below(Key(step.name))
        return self.elements

    def at(self, path: Path) -> "Node":
        """Give the node that a path leads to, making what is missing."""
        node = self
        for step in path:
            node = node.below(step)
        return node

    def attribute(self, key: str) -> str:
        """Give the name of a member in the struct: by its position, so that no foreign text is a name."""
        return f"a{list(self.members).index(key)}"


def tree_of(plan: Plan) -> Node:
    """Give the tree of all paths into the event that a plan reads, and of what the finding test reads."""
    root = Node()
    for key in ENVELOPE:
        root.below(Key(key))
    detail = root.below(Key("detail"))
    for key in ("type", "id", "arn", *EVIDENCE_KEYS, "region", "updatedAt"):
        detail.below(Key(key))
    root.below(Key("asff"))
    for path in _event_paths(plan):
        root.at(path)
    return root


def _event_paths(plan: Plan) -> Iterator[Path]:
    for entry in plan.entries:
        if entry.when is not None and entry.when.path.root == "event":
            yield entry.when.path.steps
        for source in entry.sources:
            for path in source.paths:
                if path.root == "event":
                    yield path.steps
                    leaves = source.operation.objects.leaves if source.operation.objects else ()
                    yield from ((*path.steps, Key(leaf.path)) for leaf in leaves)


def make_structs(node: Node, name: str = "N") -> Any:
    """Give every node its struct, and give the type to decode the node's value with.

    Every node is a full union, so that odd data never raises: it decodes to what it is, and fails the
    checks of types later.
    """
    if not node.members and node.elements is None:
        return Any
    below: Any = dict[str, Any]
    if node.members:
        fields = [
            (node.attribute(key), make_structs(member, f"{name}_{number}"), None)
            for number, (key, member) in enumerate(node.members.items())
        ]
        rename = {node.attribute(key): key for key in node.members}
        node.struct = below = msgspec.defstruct(name, fields, rename=rename, gc=False)
        # Structs are made once and never form cycles: no work for the garbage collector.
    elements: Any = list[make_structs(node.elements, f"{name}_e")] if node.elements else list[Any]  # type: ignore[misc]
    return below | elements | Scalars
