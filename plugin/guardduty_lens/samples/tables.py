"""The shipped tables of the sample findings: types, words, API calls and texts.

Facts about the types come from the pages of finding types of the GuardDuty User Guide (see `source` in
`types.json`); everything else is written for this project.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

Row = TypeVar("Row", bound="list[Any]")


@dataclass(frozen=True, slots=True)
class TypeFacts:
    """What AWS publishes of one finding type."""

    name: str
    """The type, such as `Recon:EC2/Portscan`."""
    severity: str
    """The default severity as the page words it: `High`, `Low*`, `Varies by detected threat` ..."""
    feature: str
    """`service.featureName` of its findings."""
    custom_rule: bool
    """Whether it comes from an opt-in custom detection rule."""

    @property
    def purpose(self) -> str:
        """The threat purpose, the part before the colon."""
        return self.name.partition(":")[0]

    @property
    def resource(self) -> str:
        """The resource type, between the colon and the slash."""
        return self.name.partition(":")[2].partition("/")[0]


@cache
def table(name: str) -> dict[str, Any]:
    """Give a shipped JSON table; to be read, not changed.

    Raises:
        FileNotFoundError: no such table is shipped.

    """
    text = resources.files(__package__).joinpath(f"{name}.json").read_bytes()
    decoded: dict[str, Any] = msgspec.json.decode(text)
    return decoded


def words(name: str) -> list[Any]:
    """Give one list of `words.json`."""
    found: list[Any] = table("words")[name]
    return found


@cache
def active_types() -> tuple[TypeFacts, ...]:
    """Give every active finding type, in the order of AWS's pages."""
    rows = table("types")["types"]
    return tuple(TypeFacts(row["type"], row["severity"], row["feature"], row["opt_in"]) for row in rows)


def first_match(rows: Iterable[Row], finding_type: str) -> Row:
    """Give the first row whose pattern, its first cell, matches the type.

    Raises:
        LookupError: no pattern matches.

    """
    for row in rows:
        if fnmatchcase(finding_type, row[0]):
            return row
    raise LookupError(finding_type)
