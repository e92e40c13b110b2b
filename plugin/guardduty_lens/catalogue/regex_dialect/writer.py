r"""Writes the syntax tree anew, in the words every engine shares.

Nothing relies on an engine's defaults: no `.`, no `\d`, no `$`. Three characters are written as codes for
the sake of the places patterns go to: `%{` opens a reference in grok, `${` in Fluent Bit and Logstash, `#{`
in Ruby, and the count in `%{3}` would do for that.
"""

from collections.abc import Mapping
from typing import Literal

from guardduty_lens.catalogue.regex_dialect.syntax import Branches, Chars, Group, Item, Run

Flavour = Literal["re2", "onigmo", "ruby", "java"]

_GROUP_OPENINGS: dict[Flavour, str] = {"re2": "(?P<", "onigmo": "(?<", "ruby": "(?<", "java": "(?<"}

_CODES = {
    **{code: f"\\x{code:02x}" for code in (*range(0x20), 0x7F, ord("#"), ord("$"), ord("%"))},
    ord("\t"): "\\t",
    ord("\n"): "\\n",
    ord("\r"): "\\r",
}
_OUTSIDE = {**_CODES, **{ord(char): f"\\{char}" for char in "\\.*+?()[]{}|^"}}
_INSIDE = {**_CODES, **{ord(char): f"\\{char}" for char in "\\[]^-&"}}

_SUFFIXES: dict[tuple[int, int | None], str] = {(1, 1): "", (0, 1): "?", (0, None): "*", (1, None): "+"}


def write_pattern(branches: Branches, flavour: Flavour, names: Mapping[str, str]) -> str:
    r"""Give the pattern between `\A(?:` and `)\z`, its groups called as `names` says."""
    return f"\\A(?:{_branches(branches, _GROUP_OPENINGS[flavour], names)})\\z"


def _branches(branches: Branches, opening: str, names: Mapping[str, str]) -> str:
    return "|".join("".join(_item(item, opening, names) for item in branch) for branch in branches)


def _item(item: Item, opening: str, names: Mapping[str, str]) -> str:
    if isinstance(item, Run):
        return _chars(item.chars) + _suffix(item)
    return _group(item, opening, names)


def _group(group: Group, opening: str, names: Mapping[str, str]) -> str:
    start = "(?:" if group.name is None else f"{opening}{names[group.name]}>"
    return f"{start}{_branches(group.branches, opening, names)}){'?' if group.optional else ''}"


def _suffix(run: Run) -> str:
    known = _SUFFIXES.get((run.least, run.most))
    if known is not None:
        return known
    if run.least == run.most:
        return f"{{{run.least}}}"
    return f"{{{run.least},{'' if run.most is None else run.most}}}"


def _chars(chars: Chars) -> str:
    low, high = chars.members[0]
    if not chars.negated and len(chars.members) == 1 and low == high:
        return chr(low).translate(_OUTSIDE)
    return f"[{'^' if chars.negated else ''}{''.join(_interval(*pair) for pair in chars.members)}]"


def _interval(low: int, high: int) -> str:
    start, end = chr(low).translate(_INSIDE), chr(high).translate(_INSIDE)
    if low == high:
        return start
    return f"{start}{end}" if high == low + 1 else f"{start}-{end}"
