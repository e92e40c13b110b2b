"""Where one JSON value ends: a resumable scan of its tokens that notices the first thing out of place.

Used only where a line is not a whole value, so it may be plain rather than fast.
"""

import re
from typing import Literal

_TOKEN = re.compile(
    rb'(?P<string>"[^"\\\n]*(?:\\[^\n][^"\\\n]*)*")'
    rb"|(?P<scalar>true|false|null|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)(?=[\s,:\]}\[{\"])"
    rb"|(?P<mark>[\[\]{},:])"
)
_SPACE = re.compile(rb"[ \t\r\n]*")
# What may still become a token when more bytes come: an open string, or a scalar at the very end.
_UNFINISHED = re.compile(rb'(?:"[^"\\\n]*(?:\\[^\n][^"\\\n]*)*\\?|[-+.\w]+)\Z')

_Expected = Literal["value", "value or end", "key", "key or end", "colon", "comma or end"]
_VALUE = frozenset({"value", "value or end"})
_KEY = frozenset({"key", "key or end"})
_END = frozenset({"comma or end", "value or end", "key or end"})


class ValueScan:
    """The scan of one value from `start`; `next` is behind the last token that was in place."""

    def __init__(self, start: int) -> None:
        self.start = start
        self.next = start
        self.expected: _Expected = "value"
        self._closers: list[bytes] = []

    def run(self, data: bytes) -> Literal["complete", "more", "broken"]:
        """Read tokens of `data` from `next` on, until the value is whole or something is out of place."""
        while True:
            space = _SPACE.match(data, self.next)
            self.next = space.end() if space else self.next
            token = _TOKEN.match(data, self.next)
            if token is None:
                unfinished = self.next == len(data) or _UNFINISHED.match(data, self.next)
                return "more" if unfinished else "broken"
            if not self._take(token):
                return "broken"
            self.next = token.end()
            if not self._closers:
                return "complete"

    def shift(self, by: int) -> None:
        """Follow the data when its first `by` bytes are dropped."""
        self.start -= by
        self.next -= by

    def _take(self, token: re.Match[bytes]) -> bool:
        mark = token["mark"]
        if mark is None:
            return self._take_plain(is_string=token["string"] is not None)
        if mark in b"[{":
            return self._open(mark)
        if mark in b"]}":
            return self._close(mark)
        if mark == b":":
            return self._move("colon", "value")
        in_object = bool(self._closers) and self._closers[-1] == b"}"
        return self._move("comma or end", "key" if in_object else "value")

    def _move(self, expected: _Expected, then: _Expected) -> bool:
        if self.expected != expected:
            return False
        self.expected = then
        return True

    def _take_plain(self, *, is_string: bool) -> bool:
        if self.expected in _KEY:
            self.expected = "colon"
            return is_string
        if self.expected not in _VALUE:
            return False
        self.expected = "comma or end"
        return True

    def _open(self, mark: bytes) -> bool:
        if self.expected not in _VALUE:
            return False
        self._closers.append(b"]" if mark == b"[" else b"}")
        self.expected = "value or end" if mark == b"[" else "key or end"
        return True

    def _close(self, mark: bytes) -> bool:
        if self.expected not in _END or not self._closers or self._closers[-1] != mark:
            return False
        self._closers.pop()
        self.expected = "comma or end"
        return True
