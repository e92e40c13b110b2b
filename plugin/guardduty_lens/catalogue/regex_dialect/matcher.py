"""Runs a pattern of the portable dialect under RE2, in time linear in the string."""

import functools
from collections.abc import Callable

from guardduty_lens.catalogue.regex_dialect.pattern import Pattern
from guardduty_lens.catalogue.regex_dialect.syntax import NotPortable

MAX_INPUT = 1_024
"""Characters; a longer string does not match. The bounds on backtracking elsewhere are reckoned for it."""

_REMEMBERED = 512
"""Results kept for each pattern: few values make up most events. At most some 2 MB of strings."""


def compile_pattern(pattern: Pattern) -> Callable[[str], dict[str, str] | None]:
    """Give a function from a string to its named groups, or None when the whole of it does not match.

    Groups that took no part or are empty are left out. Strings above MAX_INPUT characters and those with
    lone surrogates do not match. Raises NotPortable when RE2 cannot take the pattern.
    """
    find = functools.lru_cache(maxsize=_REMEMBERED)(_finder(pattern))

    def match(value: str) -> dict[str, str] | None:
        if len(value) > MAX_INPUT:
            return None
        found = find(value)
        return None if found is None else dict(found)

    return match


def _finder(pattern: Pattern) -> Callable[[str], tuple[tuple[str, str], ...] | None]:
    # Only users' patterns need RE2, and most catalogues have none: its shared library stays unloaded.
    import re2

    options = re2.Options()
    options.log_errors = False
    try:
        compiled = re2.compile(pattern.portable, options)
    except re2.error as error:
        raise NotPortable(f"RE2 does not take it: {error}", 0) from error

    def find(value: str) -> tuple[tuple[str, str], ...] | None:
        try:
            found = compiled.fullmatch(value)
        except UnicodeEncodeError:
            return None
        if found is None:
            return None
        return tuple((name, text) for name, text in zip(pattern.groups, found.groups(), strict=True) if text)

    return find
