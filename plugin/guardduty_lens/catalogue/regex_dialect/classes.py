"""Reads a bracketed class; engines disagree most about what goes without a backslash in there."""

from guardduty_lens.catalogue.regex_dialect.codepoints import Intervals, merge
from guardduty_lens.catalogue.regex_dialect.escapes import read_escape
from guardduty_lens.catalogue.regex_dialect.syntax import Chars, NotPortable

_HYPHEN = "- in the middle of a class that makes no range from one character to another; write \\-"


def read_class(text: str, offset: int) -> tuple[Chars, int]:
    """Give the class whose `[` is at `offset` of `text`, and the offset after its `]`.

    Raises NotPortable.
    """
    return _ClassReader(text, offset).read()


class _ClassReader:
    def __init__(self, text: str, offset: int) -> None:
        self._text = text
        self._start = offset
        self._negated = self._is("^", offset + 1)
        self._first = offset + 1 + self._negated
        self._at = self._first

    def _is(self, expected: str, offset: int) -> bool:
        return self._text.startswith(expected, offset)

    def read(self) -> tuple[Chars, int]:
        if self._is("]", self._at):
            raise NotPortable(
                "] at the start of a class ends it in some engines and is a member in others; write \\]",
                self._at,
            )
        intervals: list[tuple[int, int]] = []
        while not self._is("]", self._at):
            intervals.extend(self._members())
        return Chars(merge(intervals), self._negated), self._at + 1

    def _members(self) -> Intervals:
        start = self._at
        low = self._atom()
        if not self._is("-", self._at) or self._is("-]", self._at):
            return low
        self._at += 1
        bare_hyphen = self._is("-", start) or self._is("-", self._at)
        high = self._atom()
        if bare_hyphen or not (_is_single(low) and _is_single(high)):
            raise NotPortable(_HYPHEN, start)
        if low[0][0] > high[0][0]:
            raise NotPortable("a range from a higher character to a lower one; swap the two", start)
        return ((low[0][0], high[0][0]),)

    def _atom(self) -> Intervals:
        start = self._at
        self._refuse_bare()
        if self._is("\\", start):
            chars = read_escape(self._text, start)
            if chars.negated:
                raise NotPortable(
                    "\\D and \\W are not taken in a class; write a class of its own with [^…]", start
                )
            self._at += 2
            return chars.members
        self._at += 1
        return ((ord(self._text[start]), ord(self._text[start])),)

    def _refuse_bare(self) -> None:
        if self._at >= len(self._text):
            raise NotPortable("a [ without its ]; write \\[ for the character itself", self._start)
        if self._is("[", self._at):
            raise NotPortable(
                "[ in a class opens a named class, a nested class or nothing, by engine; write \\[", self._at
            )
        if self._is("&&", self._at):
            raise NotPortable("&& in a class intersects in some engines; write \\& once", self._at)
        if self._is("-", self._at) and self._at != self._first and not self._is("-]", self._at):
            raise NotPortable(_HYPHEN, self._at)


def _is_single(members: Intervals) -> bool:
    return len(members) == 1 and members[0][0] == members[0][1]
