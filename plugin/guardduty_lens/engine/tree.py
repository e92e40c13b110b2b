"""What a plan reads of an event, as a tree: one node for every place that a path goes through.

Most of a finding is never looked at, so most of it is never built: the types made from this tree let
msgspec skip the rest. Lenient types take any JSON; strict ones only what the plan has a use for, so that
nothing needs to be checked again, and refuse the rest.
"""

from dataclasses import dataclass, field
from typing import Any

import msgspec

from guardduty_lens.catalogue.operations.kind import EVIDENCE_KEYS
from guardduty_lens.catalogue.paths import Key, Match, Path, Step
from guardduty_lens.engine.plan import Plan, PlanEntry, PlanSource

Scalars = str | int | float | bool | None

ENVELOPE = ("version", "detail-type", "source", "account", "region", "time", "resources", "id")
"""The keys around `detail`, whose presence decides what is added."""


@dataclass
class Node:
    """One place in an event: its members by key, and its elements, as far as they are read."""

    members: dict[str, "Node"] = field(default_factory=dict)
    elements: "Node | None" = None
    reads: set[str] = field(default_factory=set)
    """The kinds of JSON that are of use here: str, int, float, bool, or any."""
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
    detail.below(Key("type")).reads.add("str")
    root.below(Key("asff"))
    for entry in plan.entries:
        if entry.when is not None and entry.when.path.root == "event":
            root.at(entry.when.path.steps).reads.add("any")
        for source in entry.sources:
            for path in source.paths:
                if path.root == "event":
                    _read(root.at(path.steps), entry, source)
    return root


_NUMBER = {"int", "float"}
_READS_OF_OPERATION = {
    "finding_type": {"str"},
    "regex": {"str"},
    "split": {"str"},
    "lookup": {"str"},
    "case": {"str"},
    "parse_json": {"str"},
    "number": {"str", *_NUMBER},
    "text": {"str", *_NUMBER},
    "bands": _NUMBER,
}
_READS_OF_TYPE = {"boolean": {"bool"}, "geo_point": {"any"}} | dict.fromkeys(
    ("byte", "integer", "long", "double"), _NUMBER
)


def _read(node: Node, entry: PlanEntry, source: PlanSource) -> None:
    """Note which kinds of JSON a source has a use for at a node."""
    operation = source.operation
    if operation.objects is not None:
        for leaf in operation.objects.leaves:
            node.below(Key(leaf.path)).reads |= {"str"} if operation.objects.text is not None else _NUMBER
    else:
        by_type = _READS_OF_TYPE.get(entry.type, {"str"})
        node.reads |= _READS_OF_OPERATION.get(operation.name, by_type)


def make_structs(node: Node, name: str = "N", *, strict: bool) -> Any:
    """Give every node its struct, and give the type to decode the node's value with.

    Lenient types are full unions: odd data decodes to what it is, and fails the checks of fields later.
    Strict types refuse it, and take null everywhere.
    """
    members, elements = _members_type(node, name, strict=strict), None
    if node.elements is not None:
        elements = list[make_structs(node.elements, f"{name}_e", strict=strict)]  # type: ignore[misc]
    if not (members or elements):
        return _leaf_type(node) if strict else Any
    if not strict:
        return (members or dict[str, Any]) | (elements or list[Any]) | Scalars
    made: Any = _leaf_type(node) if node.reads else None
    for each in (members, elements):
        made = made | each if each else made
    return made


def _members_type(node: Node, name: str, *, strict: bool) -> Any:
    if not node.members:
        return None
    fields = [
        (node.attribute(key), make_structs(member, f"{name}_{number}", strict=strict), None)
        for number, (key, member) in enumerate(node.members.items())
    ]
    rename = {node.attribute(key): key for key in node.members}
    # Structs are made once and never form cycles: no work for the garbage collector.
    node.struct = msgspec.defstruct(name, fields, rename=rename, gc=False)
    return node.struct


_TYPES = {"str": str, "int": int, "float": float, "bool": bool}


def _leaf_type(node: Node) -> Any:
    if not node.reads or "any" in node.reads:
        return Any
    made: Any = None
    for kind in sorted(node.reads):
        made = _TYPES[kind] | made
    return made
