"""Where one JSON value ends: a resumable scan of its tokens that notices the first thing out of place.

Used only where a line is not a whole value, so it may be plain rather than fast.
"""

import re
from array import array
from bisect import bisect_left
from typing import Literal

_TOKEN = re.compile(
    rb"[ \t\r\n]*+(?:"
    rb'(?P<string>"[^"\\\n]*+(?:\\[^\n][^"\\\n]*+)*+")'
    rb"|(?P<scalar>true|false|null|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)(?=[\s,:\]}\[{\"])"
    rb"|(?P<mark>[\[\]{},:]))"
)
_SPACE = re.compile(rb"[ \t\r\n]*+")
_IN_STRING = re.compile(rb'[^"\\\n]*+(?:\\[^\n][^"\\\n]*+)*+')
# What may still become a token when more bytes come.
_UNFINISHED_SCALAR = re.compile(rb"(?:[-+.0-9eE]*|t(?:r(?:ue?)?)?|f(?:a(?:l(?:se?)?)?)?|n(?:u(?:ll?)?)?)\Z")
_QUOTE = b'"'

_Expected = Literal["value", "value or end", "key", "key or end", "colon", "comma or end"]
_VALUE = frozenset({"value", "value or end"})
_KEY = frozenset({"key", "key or end"})
_END = frozenset({"comma or end", "value or end", "key or end"})


class ValueScan:
    """The scan of one value; `size` counts its bytes up to the end of the last token that was in place."""

    def __init__(self) -> None:
        self.size = 0
        self.expected: _Expected = "value"
        self._open = array("q")  # where the objects and arrays begin that are not closed yet
        self._closers = bytearray()
        self._string_read = 0  # bytes already read of a string that goes on where the data ends

    def run(self, data: bytes, start: int, end: int) -> Literal["complete", "more", "broken"]:
        """Go on reading the value that begins at `start`, in the data up to `end`.

        Where it says `complete` or `broken`, it would say so whatever follows.
        """
        if self._string_read and self._in_open_string(data, start, end):
            return "more"
        while (token := _TOKEN.match(data, start + self.size, end)) is not None:
            if not self._take(token, start):
                return "broken"
            self.size = token.end() - start
            if not self._closers:
                return "complete"
        return "more" if self._may_go_on(data, start, end) else "broken"

    def is_open_at(self, place: int) -> bool:
        """Tell whether an object or array that begins `place` bytes into the value is not closed yet."""
        number = bisect_left(self._open, place)
        return number < len(self._open) and self._open[number] == place

    def _may_go_on(self, data: bytes, start: int, end: int) -> bool:
        """Tell whether what is behind the last token may become one when more bytes come."""
        space = _SPACE.match(data, start + self.size, end)
        self.size = space.end() - start if space else self.size
        if data.startswith(_QUOTE, start + self.size, end):
            self._string_read = 1
            return self._in_open_string(data, start, end)
        return _UNFINISHED_SCALAR.match(data, start + self.size, end) is not None

    def _in_open_string(self, data: bytes, start: int, end: int) -> bool:
        """Tell whether the data ends inside the string that comes next, reading each byte of it once."""
        text = _IN_STRING.match(data, start + self.size + self._string_read, end)
        at = text.end() if text else end
        is_open = data[at : min(at + 2, end)] in {b"", b"\\"}
        self._string_read = at - start - self.size if is_open else 0
        return is_open

    def _take(self, token: re.Match[bytes], start: int) -> bool:
        mark = token["mark"]
        if mark is None:
            return self._take_plain(is_string=token.lastgroup == "string")
        if mark in b"[{":
            return self._begin(mark, token.start("mark") - start)
        if mark in b"]}":
            return self._close(mark)
        if mark == b":":
            return self._move("colon", "value")
        in_object = self._closers[-1:] == b"}"
        return self._move("comma or end", "key" if in_object else "value")

    def _move(self, expected: _Expected, then: _Expected) -> bool:
        if self.expected != expected:
            return False
        self.expected = then
        return True

    def _take_plain(self, *, is_string: bool) -> bool:
        if self.expected in _KEY:
            if is_string:
                self.expected = "colon"
            return is_string
        if self.expected not in _VALUE:
            return False
        self.expected = "comma or end"
        return True

    def _begin(self, mark: bytes, place: int) -> bool:
        if self.expected not in _VALUE:
            return False
        self._open.append(place)
        self._closers += b"]" if mark == b"[" else b"}"
        self.expected = "value or end" if mark == b"[" else "key or end"
        return True

    def _close(self, mark: bytes) -> bool:
        if self.expected not in _END or self._closers[-1:] != mark:
            return False
        self._open.pop()
        self._closers.pop()
        self.expected = "comma or end"
        return True


def why_broken(raw: bytes) -> tuple[str, str]:
    """Give the reason and a message for bytes that begin like a value and are none."""
    scan = ValueScan()
    if scan.run(raw, 0, len(raw)) == "more":
        return "incomplete", f"the value ends early, where a {scan.expected} was expected"
    return "not_json", f"expected a {scan.expected} {scan.size} bytes into the value"
