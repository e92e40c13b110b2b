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


class NotGeneratedError(Exception):
    """A plan that only the oracle runs, and why."""


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
    type: Any = None
    """The type its values decode to."""

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

    def holds_only(self, kinds: set[str]) -> bool:
        """Tell whether a strictly decoded value is of one of these kinds, or null."""
        return bool(self.reads) and self.reads <= kinds and not self.members and self.elements is None

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


def kinds_read(entry: PlanEntry, source: PlanSource) -> set[str]:
    """Give the kinds of JSON that a source has a use for: of the values at its path, or of their leaves."""
    operation = source.operation
    if operation.objects is not None:
        return {"str"} if operation.objects.text is not None else _NUMBER
    return _READS_OF_OPERATION.get(operation.name, _READS_OF_TYPE.get(entry.type, {"str"}))


def _read(node: Node, entry: PlanEntry, source: PlanSource) -> None:
    objects = source.operation.objects
    for place in [node.below(Key(leaf.path)) for leaf in objects.leaves] if objects else [node]:
        place.reads |= kinds_read(entry, source)


def make_structs(node: Node, name: str = "N", *, strict: bool) -> Any:
    """Give every node its struct, and give the type to decode the node's value with.

    Lenient types are full unions: odd data decodes to what it is, and fails the checks of fields later.
    Strict types refuse it, and take null everywhere.
    """
    members, elements = _members_type(node, name, strict=strict), None
    if node.elements is not None:
        elements = list[make_structs(node.elements, f"{name}_e", strict=strict)]  # type: ignore[misc]
    if not (members or elements):
        node.type = _leaf_type(node) if strict else Any
    elif strict:
        node.type = _leaf_type(node) if node.reads else None
        for each in (members, elements):
            node.type = node.type | each if each else node.type
    else:
        node.type = (members or dict[str, Any]) | (elements or list[Any]) | Scalars
    return node.type


def _members_type(node: Node, name: str, *, strict: bool) -> Any:
    if not node.members:
        return None
    fields = [
        (node.attribute(key), make_structs(member, f"{name}_{number}", strict=strict), None)
        for number, (key, member) in enumerate(node.members.items())
    ]
    rename = {node.attribute(key): key for key in node.members}
    # Structs are made once and never form cycles: no work for the garbage collector.
    try:
        node.struct = msgspec.defstruct(name, fields, rename=rename, gc=False)
    except ValueError as error:  # a key that would have to be escaped
        raise NotGeneratedError(str(error)) from error
    return node.struct


_TYPES = {"str": str, "int": int, "float": float, "bool": bool}


def _leaf_type(node: Node) -> Any:
    if not node.reads or "any" in node.reads:
        return Any
    made: Any = None
    for kind in sorted(node.reads):
        made = _TYPES[kind] | made
    return made
