"""What recurs, worked out once: by the resource, and by which objects a finding has.

Findings come again and again for the same resource, and a finding has one action. So what a resource gives
is remembered by its JSON, which then need not even be decoded; and the rest is done by a function written
for just the objects that are there, made when they are met often enough.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from guardduty_lens.engine.generate import Generated, generate
from guardduty_lens.engine.memo import Memos, json_members
from guardduty_lens.engine.plan import Plan
from guardduty_lens.engine.source_writer import SourceWriter
from guardduty_lens.engine.tree import Node, make_structs, tree_of

MOST_FUNCTIONS = 128
"""Functions made: what combinations there are is said by data from outside."""

OFTEN = 50
"""How often a combination is met before its function is made, which costs some milliseconds."""

MOST_RESOURCE_BYTES = 3 * 1024 * 1024
"""JSON of resources remembered; what they give takes some three times as much."""

LARGEST_RESOURCE = 16 * 1024
"""Larger ones are not worth remembering."""

Signature = tuple[bool, ...]
Enriched = tuple[bytes, msgspec.Struct, bytes, str | None, list[str] | None]
"""Remembered JSON members, the struct of other fields, more remembered members, severity label, warnings."""


class Specialised:
    """Gives the added fields of an event, decoded strictly, whose `detail` is a finding.

    `root` is the tree to decode by; the resource is left as it stands, as `msgspec.Raw`.
    """

    def __init__(self, plan: Plan, memos: Memos) -> None:
        self._plan = plan
        self._memos = memos
        self.root = tree_of(plan)
        make_structs(self.root, strict=True)
        self._resources = _Resources(plan, memos, self.root)
        self._general: Generated | None = None
        self._functions: dict[Signature, Callable[..., Any]] = {}
        self._met: dict[Signature, int] = {}
        self._places = _Places(self.root)

    def enrich(self, event: Any, resource: bytes) -> Enriched:
        """Give the added fields; `resource` is the JSON of the finding's resource, `null` if there is none.

        Raises FanOutError where an array is longer than is looked at, and msgspec.ValidationError where
        the resource holds what is of no use.
        """
        part = self._resources.known.get(resource) or self._resources.work_out(resource)
        signature = self._places.signature(event)
        function = self._functions.get(signature) or self._function(signature)
        enriched: Enriched = function(event, part)
        return enriched

    def parts(self) -> dict[str, Any]:
        """Give what `enrich` is put together from, for loops of their own."""
        return {
            "known": self._resources.known.get,
            "work_out": self._resources.work_out,
            "signature": self._places.signature,
            "functions": self._functions.get,
            "function": self._function,
        }

    def _function(self, signature: Signature) -> Callable[..., Any]:
        """Give the function of a combination that has none of its own yet: the general one, or its own."""
        if self._general is None:
            self._general = self._generate(set())
        met = self._met[signature] = self._met.get(signature, 0) + 1
        if met < OFTEN or len(self._functions) >= MOST_FUNCTIONS:
            if len(self._met) > 16 * MOST_FUNCTIONS:
                self._met.clear()
            return self._general.enrich
        made = self._functions[signature] = self._generate(self._places.absent(signature)).enrich
        return made

    def _generate(self, absent: set[int]) -> Generated:
        return generate(self._plan, self.root, strict=True, part="rest", absent=absent, memos=self._memos)


class _Resources:
    """What resources give, by their JSON: the members to be written, and what the rest needs to know."""

    def __init__(self, plan: Plan, memos: Memos, root: Node) -> None:
        node = root.members["detail"].members["resource"]
        self._decode = msgspec.json.Decoder(node.type).decode
        self._enrich = generate(plan, root, strict=True, part="resource", memos=memos).enrich
        self._encode = msgspec.json.Encoder().encode
        self.known: dict[bytes, tuple[Any, ...]] = {}
        """What has been worked out lately; look here first."""
        self._before: dict[bytes, tuple[Any, ...]] = {}  # what had been, when there was no more room
        self._bytes = 0

    def work_out(self, resource: bytes) -> tuple[Any, ...]:
        """Work out what a resource gives, unless that was done before, and remember it."""
        part = self._before.get(resource) or self._part(resource)
        if len(resource) <= LARGEST_RESOURCE:
            self._bytes += len(resource)
            if self._bytes > MOST_RESOURCE_BYTES // 2:
                self._before = self.known.copy()
                self.known.clear()
                self._bytes = len(resource)
            self.known[resource] = part
        return part

    def _part(self, resource: bytes) -> tuple[Any, ...]:
        try:
            decoded = self._decode(resource)
        except msgspec.DecodeError:
            raise
        except (ValueError, RecursionError) as error:
            raise msgspec.DecodeError(str(error)) from error
        added, *handed_over = self._enrich(decoded)
        return (json_members(self._encode(added)), *handed_over)


class _Places:
    """The objects whose presence decides: those right below a finding's service and its action."""

    def __init__(self, root: Node) -> None:
        detail = root.members["detail"]
        holders = [(detail, "service"), (detail.members["service"], "action")]
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
            write(f"{name} = {variables[id(above)]}.{above.attribute(key)}")
            empty = write.constant(node.struct())
            write(f"if type({name}) is not {write.constant(node.struct)}: {name} = {empty}")
            below = {key: each for key, each in node.members.items() if each.members or each.elements}
            self._nodes += below.values()
            tests += [f"{name}.{node.attribute(key)} is None" for key in below]
        write(f"return ({', '.join(tests)},)" if tests else "return ()")
        self.signature: Callable[[Any], Signature] = write.function("signature", "event")
        """Gives for each place whether nothing is there."""

    def absent(self, signature: Signature) -> set[int]:
        """Give the ids of the nodes where a signature has nothing."""
        return {id(node) for node, nothing in zip(self._nodes, signature, strict=True) if nothing}
