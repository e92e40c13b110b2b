"""What a check gets to see: one entry, and what stands around it."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from guardduty_lens.catalogue.lint.words import Fault
from guardduty_lens.catalogue.model import Entry, Operation, PathOptions, Source
from guardduty_lens.catalogue.operations import OPERATIONS
from guardduty_lens.catalogue.positions import Where

TEXT_TYPES = frozenset({"label", "id", "text", "url", "date", "ip"})
NUMBER_TYPES = frozenset({"byte", "integer", "long", "double"})

_NO_OPERATION = Operation(path=PathOptions())


class Known(NamedTuple):
    """A field by its name: where it is defined, and what it is (empty where its entry does not say)."""

    field: str
    place: str
    type: str
    cardinality: str


class Use(NamedTuple):
    """One source with the operation that applies to it, and where both stand in the entry."""

    source: Source
    at: Where
    path_at: Where
    operation: Operation
    operation_at: Where

    @property
    def takes_source(self) -> bool:
        """Whether the operation is one of values that come from somewhere."""
        return OPERATIONS[self.operation.name].reads == "value"

    @property
    def options_at(self) -> Where:
        """Where the operation's options stand."""
        return (*self.operation_at, self.operation.name)

    def reads(self) -> list[tuple[Where, str]]:
        """Give the paths (or names of fields) that are read, and where each stands."""
        paths = [] if self.source.path is None else [(self.path_at, self.source.path)]
        joined = self.source.join or ()
        return paths + [((*self.at, "join", number), text) for number, text in enumerate(joined)]


@dataclass(frozen=True, slots=True)
class Subject:
    """One entry of right shape.

    `before` are the fields that run before it, `later` all others, itself among them. `builtin` are the
    shipped entries by field when a user's file is looked at, None when the shipped ones are.
    """

    entry: Entry
    before: Mapping[str, Known]
    later: Mapping[str, Known]
    tables: frozenset[str]
    builtin: Mapping[str, Entry] | None
    first_place: str | None = None
    """Where the field is defined already, in these files."""

    def uses(self) -> Iterator[Use]:
        """Give each source with its operation; one without a path where the entry names no source."""
        inherited = self.entry.operation or _NO_OPERATION
        inherited_at: Where = ("operation",) if self.entry.operation else ()
        if self.entry.from_ is None:
            yield Use(Source(), (), (), inherited, inherited_at)
        for number, item in enumerate(self.entry.from_ or ()):
            at: Where = ("from", number)
            if isinstance(item, str):
                yield Use(Source(path=item), at, at, inherited, inherited_at)
            elif item.operation:
                yield Use(item, at, (*at, "path"), item.operation, (*at, "operation"))
            else:
                yield Use(item, at, (*at, "path"), inherited, inherited_at)


Check = Callable[[Subject], Iterable[Fault]]
"""Gives the faults of an entry, each with its place in it."""


def listed(names: Sequence[Any]) -> str:
    """Write names as a sentence lists them."""
    return ", ".join(repr(name) for name in names)
