"""Writing the way through an event: every object looked at once, every array gone through once."""

from collections.abc import Callable, Collection

from guardduty_lens.catalogue.model import ObjectsOptions
from guardduty_lens.catalogue.paths import FAN_OUT_LIMIT, Key, Match, Step
from guardduty_lens.engine import inline
from guardduty_lens.engine.origins import RESOURCE
from guardduty_lens.engine.plan import PlanEntry, PlanPath, PlanSource
from guardduty_lens.engine.source_writer import SourceWriter
from guardduty_lens.engine.tree import Node, kinds_read

Use = Callable[[str], None]
"""Writes what is done with the value in a variable."""


class FanOutError(Exception):
    """An array is longer than FAN_OUT_LIMIT: the oracle knows what to make of it."""


class WalkWriter:
    """Collects what is wanted of an event, then writes the way through it.

    `strict` events hold only what is of use, so less is left to be tested; nodes in `absent` (by id) have
    nothing below them.
    """

    def __init__(self, root: Node, write: SourceWriter, *, strict: bool, absent: Collection[int]) -> None:
        self.write = write
        self.strict = strict
        self.counters: list[str] = []
        """Variables that count the elements one step meets in all its arrays; they start at 0."""
        self._root = root
        self._detail = root.members["detail"]
        self._absent = absent
        self._uses: dict[int, list[Use]] = {}
        self._matches: dict[int, list[tuple[Match, list[Step], Use]]] = {}
        self._finding = ""
        self._left_out: Node | None = None

    def leads_nowhere(self, source: PlanSource) -> bool:
        """Tell whether a source's paths go below what is absent."""
        for path in source.paths:
            node = self._root
            for step in path.steps if path.root == "event" else ():
                node = node.below(step)
                if id(node) in self._absent:
                    return True
        return False

    def knows_kind(self, entry: PlanEntry, source: PlanSource) -> bool:
        """Tell whether what is decoded at a source's path, or its leaves, is of the kind that it wants."""
        if not self.strict:
            return False
        node, objects = self._root.at(source.paths[0].steps), source.operation.objects
        places = [node.below(Key(leaf.path)) for leaf in objects.leaves] if objects else [node]
        return all(place.holds_only(kinds_read(entry, source)) for place in places)

    def wants(self, path: PlanPath, use: Use) -> None:
        """Have the values at a path used."""
        node = self._root
        for number, step in enumerate(path.steps):
            node = node.below(step)
            if isinstance(step, Match):
                self._matches.setdefault(id(node), []).append((step, list(path.steps[number + 1 :]), use))
                return
        self._uses.setdefault(id(node), []).append(use)

    def wants_objects(
        self, path: PlanPath, options: ObjectsOptions, entry: PlanEntry, use: Use, *, known: bool
    ) -> None:
        """Have the objects at a path made into values of their leaves, and these used."""
        node = self._root.at(path.steps)
        point = known and inline.is_geo_point(options, entry)

        def made(value: str) -> None:
            with self.write.block(f"if {self._is_object(node, value)}:"):
                leaves = [self.write.name("l") for _ in options.leaves]
                for name, leaf in zip(leaves, options.leaves, strict=True):
                    self.write(f"{name} = {value}.{node.attribute(leaf.path)}")
                if point:
                    inline.geo_point(self.write, leaves, use)
                else:
                    self.write(f"y = {inline.objects(self.write, options, leaves, known=known)}")
                    use("y")

        self.wants(path, made)

    def write_all(self, *, with_resource: bool) -> None:
        """Write the way; after it, all that was wanted has been used."""
        self._left_out = None if with_resource else self._detail.below(RESOURCE[1])
        self._write_members(self._root, "event", in_loop=False)

    def write_resource(self, variable: str) -> None:
        """Write the way through a resource alone."""
        self._write_value(self._detail.below(RESOURCE[1]), variable, in_loop=False)

    def is_below_resource(self, path: PlanPath) -> bool:
        """Tell whether a path leads to a finding's resource, or below it."""
        return path.root == "event" and path.steps[:2] == RESOURCE

    def finding_type(self) -> str:
        """Give the expression of the finding's type."""
        return f"{self._finding}.{self._detail.attribute('type')}"

    def top_level(self, key: str) -> str:
        """Give the expression of a member of the event."""
        return f"event.{self._root.attribute(key)}"

    # --- objects ----------------------------------------------------------------------------------

    def _write_members(self, node: Node, variable: str, *, in_loop: bool) -> None:
        for key, member in node.members.items():
            if self._is_wanted(member):
                value = self.write.name("n") if member.members or member.elements else "x"
                self.write(f"{value} = {variable}.{node.attribute(key)}")
                self._write_value(member, value, in_loop=in_loop)

    def _is_wanted(self, node: Node) -> bool:
        if id(node) in self._absent or node is self._left_out:
            return False
        if node is self._detail or id(node) in self._uses or id(node) in self._matches:
            return True
        below = [*node.members.values(), *([node.elements] if node.elements else [])]
        return any(self._is_wanted(member) for member in below)

    def _write_value(self, node: Node, value: str, *, in_loop: bool) -> None:
        for use in self._uses.get(id(node), ()):
            use(value)
        if node is self._detail:  # a finding, or the function would not be called
            self._finding = value
            self._write_members(node, value, in_loop=in_loop)
        elif node.members:
            with self.write.block(f"if {self._is_object(node, value)}:"):
                self._write_members(node, value, in_loop=in_loop)
        if node.elements is not None and self._is_wanted(node.elements):
            self._write_array(node, value, in_loop=in_loop)

    def _is_object(self, node: Node, value: str) -> str:
        if self.strict and node.elements is None and not node.reads:
            return f"{value} is not None"
        return f"type({value}) is {self.write.constant(node.struct)}"

    # --- arrays -----------------------------------------------------------------------------------

    def _write_array(self, node: Node, value: str, *, in_loop: bool) -> None:
        only_arrays = self.strict and not node.members and not node.reads
        assert node.elements is not None
        with self.write.block(f"if {value}:" if only_arrays else f"if type({value}) is list:"):
            element = self._write_loop(value, in_loop=in_loop)
            with self.write.block(f"for {element} in {value}:"):
                self._write_value(node.elements, element, in_loop=True)
                for match, steps, use in self._matches.get(id(node.elements), ()):
                    self._write_match(node.elements, element, match, steps, use)

    def _write_loop(self, value: str, *, in_loop: bool) -> str:
        """Write the test of an array's length, and give the name of its elements.

        The limit is for all elements that one step meets, in all the arrays that it goes through.
        """
        size = f"len({value})"
        if in_loop:
            counter = self.write.name("c")
            self.counters.append(counter)
            size = f"({counter} := {counter} + len({value}))"
        self.write(f"if {size} > {FAN_OUT_LIMIT}: raise FanOutError")
        return self.write.name("e")

    def _write_match(self, node: Node, element: str, match: Match, steps: list[Step], use: Use) -> None:
        test = f"{element}.{node.attribute(match.name)} == {self.write.constant(match.value)}"
        with self.write.block(f"if {self._is_object(node, element)} and {test}:"):
            self._write_steps(node, element, steps, use)

    def _write_steps(self, node: Node, variable: str, steps: list[Step], use: Use) -> None:
        """Write the rest of a walk that goes on from a matched element."""
        if not steps:
            use(variable)
            return
        step, rest = steps[0], steps[1:]
        below = node.below(step)
        if isinstance(step, Key):
            value = self.write.name("n")
            with self.write.block(f"if {self._is_object(node, variable)}:"):
                self.write(f"{value} = {variable}.{node.attribute(step.name)}")
                self._write_steps(below, value, rest, use)
            return
        with self.write.block(f"if type({variable}) is list:"):
            element = self._write_loop(variable, in_loop=True)
            with self.write.block(f"for {element} in {variable}:"):
                if isinstance(step, Match):
                    self._write_match(below, element, step, rest, use)
                else:
                    self._write_steps(below, element, rest, use)
