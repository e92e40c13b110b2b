"""A pattern of the portable dialect: read, checked, and written for an engine."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from guardduty_lens.catalogue.regex_dialect.checks import check_size, count_ways
from guardduty_lens.catalogue.regex_dialect.parser import Parser
from guardduty_lens.catalogue.regex_dialect.syntax import MAX_PATTERN, Branches, NotPortable
from guardduty_lens.catalogue.regex_dialect.writer import Flavour, write_pattern

_JAVA_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern that means the same in every engine; it always has to match the whole string."""

    text: str
    branches: Branches
    groups: tuple[str, ...]
    """The named groups, in the order in which they open."""

    @property
    def portable(self) -> str:
        """The pattern as RE2 takes it."""
        return self.write("re2")

    def write(self, flavour: Flavour, names: Mapping[str, str] | None = None) -> str:
        """Give the pattern as an engine takes it: `(?P<name>…)` for re2, `(?<name>…)` for the others.

        `names` renames groups; those it leaves out keep their names. Raises ValueError when two groups
        would share a name, or when an engine would not take one (Java's have no underscore).
        """
        renamed = {group: (names or {}).get(group, group) for group in self.groups}
        allowed = _JAVA_NAME if flavour == "java" else _NAME
        for name in renamed.values():
            if allowed.fullmatch(name) is None:
                raise ValueError(f"{name!r} cannot name a group in {flavour}")
        if len(set(renamed.values())) < len(renamed):
            raise ValueError("two groups would get the same name")
        return write_pattern(self.branches, flavour, renamed)


def parse_pattern(text: str) -> Pattern:
    """Read a pattern, and refuse one that is not portable or not safe.

    Raises NotPortable with the reason and the offset in `text`.
    """
    _check_text(text)
    parser = Parser(text)
    branches = parser.parse()
    check_size(branches)
    count_ways(branches)
    return Pattern(text, branches, tuple(parser.groups))


def _check_text(text: str) -> None:
    if len(text) > MAX_PATTERN:
        raise NotPortable(f"the pattern has more than {MAX_PATTERN} characters", MAX_PATTERN)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise NotPortable("half of a surrogate pair, which is no character", error.start) from error
