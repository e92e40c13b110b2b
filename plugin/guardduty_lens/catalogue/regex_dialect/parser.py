"""Reads the text of a pattern into the syntax tree; whatever the grammar has no word for is refused."""

import re

from guardduty_lens.catalogue.regex_dialect.classes import read_class
from guardduty_lens.catalogue.regex_dialect.escapes import read_escape
from guardduty_lens.catalogue.regex_dialect.syntax import (
    MAX_COUNT,
    MAX_DEPTH,
    Branches,
    Chars,
    Group,
    Item,
    NotPortable,
    Run,
    Sequence,
)

_NOT_LINE_FEED = Chars(((0x0A, 0x0A),), negated=True)

_COUNT = re.compile(r"\{([0-9]+)(,?)([0-9]*)\}")
_GROUP_NAME = re.compile(r"[a-z][a-z0-9_]*")

_SIMPLE_COUNTS: dict[str, tuple[int, int | None]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}

_LOOK_AROUND = "look-around is not known to RE2; say by classes what may stand there"
_NAMED = "named groups are written (?P<name>…) here, and rewritten for each engine"
_REFERENCE = "references to groups are not known to RE2"

_REFUSED_GROUPS = (
    ("(?<=", _LOOK_AROUND),
    ("(?<!", _LOOK_AROUND),
    ("(?=", _LOOK_AROUND),
    ("(?!", _LOOK_AROUND),
    ("(?<", _NAMED),
    ("(?'", _NAMED),
    ("(?P=", _REFERENCE),
    ("(?P>", _REFERENCE),
    ("(?P", _NAMED),
    ("(?&", _REFERENCE),
    ("(?R", _REFERENCE),
    ("(?>", "atomic groups are not known to RE2; write (?:…)"),
    ("(?|", "branch reset is not known to RE2; name each group by itself"),
    ("(?~", "absence groups are known to Onigmo alone"),
    ("(?(", "conditions are not known to RE2; write the cases as alternatives"),
    ("(?#", "comments are not known to RE2; describe the field instead"),
    ("(?", "flags differ between engines; spell it out, such as [Aa] for a letter of either case"),
    ("(", "plain groups are numbered differently by engines; write (?:…), or (?P<name>…) to capture"),
)


class Parser:
    """A recursive descent over one pattern, used once."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0
        self._anchor: int | None = None
        self.groups: list[str] = []

    def parse(self) -> Branches:
        """Give the alternatives of the whole pattern.

        A `^` that opens and a `$` that closes the pattern are dropped. Raises NotPortable.
        """
        if self._take("^"):
            self._anchor = 0
        branches = self._branches()
        if self._peek() == ")":
            raise NotPortable("a ) without its (; write \\) for the character itself", self._at)
        if self._anchor is not None and len(branches) > 1:
            raise NotPortable(
                "^ and $ belong to one alternative only; leave them out, for a pattern always has to match "
                "the whole string",
                self._anchor,
            )
        return branches

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _take(self, expected: str) -> bool:
        found = self._text.startswith(expected, self._at)
        if found:
            self._at += len(expected)
        return found

    def _branches(self) -> Branches:
        branches = [self._sequence()]
        while self._take("|"):
            branches.append(self._sequence())
        return tuple(branches)

    def _sequence(self) -> Sequence:
        start = self._at
        items: list[Item] = []
        while self._peek() not in ("", "|", ")") and not self._take_last_dollar():
            items.append(self._group() if self._peek() == "(" else self._run())
        if not items:
            raise NotPortable(
                "an empty pattern, group or alternative; for what may be missing write (?:…)?", start
            )
        return tuple(items)

    def _take_last_dollar(self) -> bool:
        last = self._depth == 0 and self._at == len(self._text) - 1
        if not last or not self._take("$"):
            return False
        self._anchor = self._at - 1 if self._anchor is None else self._anchor
        return True

    def _group(self) -> Group:
        start = self._at
        name = self._group_name()
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise NotPortable(f"groups are nested more than {MAX_DEPTH} deep", start)
        branches = self._branches()
        self._depth -= 1
        if not self._take(")"):
            raise NotPortable("a ( without its ); write \\( for the character itself", start)
        return Group(name, branches, self._optional(), start)

    def _group_name(self) -> str | None:
        start = self._at
        if self._take("(?:"):
            return None
        if not self._take("(?P<"):
            reason = next(why for opening, why in _REFUSED_GROUPS if self._text.startswith(opening, start))
            raise NotPortable(reason, start)
        found = _GROUP_NAME.match(self._text, self._at)
        if found is None or not self._text.startswith(">", found.end()):
            raise NotPortable("a group's name is a-z, then a-z, 0-9 and _ only, then >", self._at)
        if found[0] in self.groups:
            raise NotPortable(
                f"two groups are named {found[0]}; engines differ on which one counts", self._at
            )
        self.groups.append(found[0])
        self._at = found.end() + 1
        return found[0]

    def _optional(self) -> bool:
        if self._peek() in ("*", "+", "{"):
            raise NotPortable(
                "a group may only be followed by ?: repeated groups can take engines exponential time, and "
                "differ in what they capture; repeat a single character or class",
                self._at,
            )
        optional = self._take("?")
        if optional:
            self._refuse_second_quantifier()
        return optional

    def _run(self) -> Run:
        start = self._at
        chars = self._chars()
        if not chars.allowed:
            raise NotPortable("a class that no character is in", start)
        least, most = self._counts()
        return Run(chars, least, most, start)

    def _chars(self) -> Chars:
        char = self._peek()
        if char == "[":
            chars, self._at = read_class(self._text, self._at)
            return chars
        if char == "\\":
            chars = read_escape(self._text, self._at)
            self._at += 2
            return chars
        self._refuse_bare(char)
        self._at += 1
        return _NOT_LINE_FEED if char == "." else Chars(((ord(char), ord(char)),))

    def _refuse_bare(self, char: str) -> None:
        if char in "*+?":
            raise NotPortable(
                f"{char} has nothing to repeat; write \\{char} for the character itself", self._at
            )
        if char == "{":
            raise NotPortable("{ has nothing to count; write \\{ for the character itself", self._at)
        if char in "^$":
            raise NotPortable(
                f"{char} inside a pattern means a line's edge in some engines and the string's in others; "
                f"leave it out, for a pattern always has to match the whole string, or write \\{char}",
                self._at,
            )

    def _counts(self) -> tuple[int, int | None]:
        simple = _SIMPLE_COUNTS.get(self._peek())
        if simple is None and self._peek() != "{":
            return 1, 1
        if simple is None:
            least, most = self._braces()
        else:
            least, most = simple
            self._at += 1
        self._refuse_second_quantifier()
        return least, most

    def _braces(self) -> tuple[int, int | None]:
        start = self._at
        if self._text.startswith("{,", start):
            raise NotPortable("{,n} is plain text to some engines; write {0,n}", start)
        found = _COUNT.match(self._text, start)
        if found is None:
            raise NotPortable("{ without a count such as {2} or {2,5}; write \\{ for the character", start)
        self._at = found.end()
        least, most = int(found[1]), int(found[3]) if found[3] else None
        if not found[2]:
            most = least
        if max(least, most or 0) > MAX_COUNT:
            raise NotPortable(f"counts end at {MAX_COUNT}, as in RE2", start)
        if most is not None and least > most:
            raise NotPortable("a count from more to less; some engines swap the two", start)
        if most == 0:
            raise NotPortable("a count of zero matches nothing; leave it out", start)
        return least, most

    def _refuse_second_quantifier(self) -> None:
        found = self._peek()
        if found == "?":
            raise NotPortable(
                "lazy quantifiers differ between engines; none is needed, for a run stops at what follows",
                self._at,
            )
        if found == "+":
            raise NotPortable("possessive quantifiers are not known to RE2; leave the + out", self._at)
        if found in ("*", "{"):
            raise NotPortable(f"{found} after another quantifier; keep one of them", self._at)
