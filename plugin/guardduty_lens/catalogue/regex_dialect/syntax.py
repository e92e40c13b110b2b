"""The syntax tree of the portable dialect, its limits, and the refusal.

There is no node for a repeated group, for the dialect has none: only one character or class repeats.
"""

from dataclasses import dataclass

from guardduty_lens.catalogue.regex_dialect.codepoints import Intervals, complement

MAX_PATTERN = 2_000
"""Characters in a pattern."""

MAX_COUNT = 1_000
"""The highest number in `{n,m}`: RE2's own limit."""

MAX_DEPTH = 20
"""Groups inside groups; Onigmo's and Java's compilers recurse."""

MAX_SPREAD = 64
"""By how much the length of a run may vary when what follows may start with one of its characters."""

MAX_WAYS = 1_000
"""Ways in which an engine that backtracks may have to try one string.

With 961 ways and 1,024 characters Java 17 took 20 ms to fail.
"""

MAX_SIZE = 5_000
"""Intervals of code points, counts multiplied out: RE2 expands counts and compiles at most 8 MiB."""


class NotPortable(ValueError):  # noqa: N818 - it reads as the verdict it is
    """A pattern does not mean the same, or is not safe, in every engine.

    `reason` says what was found, why it is refused and, where there is one, what to write instead;
    `offset` counts characters from the start of the pattern.
    """

    def __init__(self, reason: str, offset: int) -> None:
        super().__init__(f"{reason} (at offset {offset})")
        self.reason = reason
        self.offset = offset


@dataclass(frozen=True, slots=True)
class Chars:
    """One character out of a set: `members`, or all others when `negated`."""

    members: Intervals
    negated: bool = False

    @property
    def allowed(self) -> Intervals:
        """The set itself, negation carried out."""
        return complement(self.members) if self.negated else self.members


@dataclass(frozen=True, slots=True)
class Run:
    """Characters of one set, at least `least` and at most `most` of them (None: no limit)."""

    chars: Chars
    least: int
    most: int | None
    offset: int


@dataclass(frozen=True, slots=True)
class Group:
    """A group, capturing when it has a name; `optional` is its `?`."""

    name: str | None
    branches: "Branches"
    optional: bool
    offset: int


Item = Run | Group
Sequence = tuple[Item, ...]
Branches = tuple[Sequence, ...]
"""Alternatives, the first that leads to a match wins; never none, and none of them empty."""
