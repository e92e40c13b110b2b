"""A stream of bytes to the JSON values in it, without I/O.

Values may stand one a line, many on a line, over many lines, with nothing or a comma between them, after
a byte order mark, with CRLF. What is no value is one broken span, up to the next line that starts one.
"""

import re
from collections.abc import Callable, Iterator
from typing import Generic, NamedTuple, TypeVar

from guardduty_lens.payloads.json_text import BOM
from guardduty_lens.payloads.limits import Limits
from guardduty_lens.payloads.pieces import Position, UnreadableError
from guardduty_lens.payloads.scan import ValueScan

T = TypeVar("T")

_BETWEEN_VALUES = re.compile(rb"(?:[\s,\x1e]|\xef\xbb\xbf)*")
_LINE_WITH_VALUE = re.compile(rb"\n(?P<indent>[ \t]*)(?=[\[{])")
_VALUE_STARTS = b'{["'

# A line that is not whole yet is waited for up to this size; beyond it, its values are looked for.
_LINE_PATIENCE = 1024 * 1024


class Span(NamedTuple, Generic[T]):
    """One value: what it decoded to, its bytes and where they stood."""

    value: T
    raw: bytes
    position: Position


class BrokenSpan(NamedTuple):
    """Bytes that are no value: why, and where they stood."""

    reason: str
    message: str
    raw: bytes
    position: Position


class Splitter(Generic[T]):
    """Cuts a stream into values; holds no more than one value and one block.

    `decode` makes a value of its bytes or raises UnreadableError. `feed` blocks of any size, then
    `close`: any chunking of the same bytes gives the same spans.
    """

    def __init__(self, decode: Callable[[bytes], T], limits: Limits | None = None) -> None:
        self._decode = decode
        self._limit = (limits or Limits()).value_bytes
        self._data = b""
        self._at = 0  # what is before is done with
        self._searched = 0  # no line that starts a value is before, in a broken span
        self._counted = 0  # line breaks are counted up to here
        self._line = 1
        self._dropped = 0
        self._indent = 0  # of the line that the next value starts; 0 inside a line
        self._scan: ValueScan | None = None
        self._broken: tuple[str, str] | None = None

    def feed(self, block: bytes) -> Iterator[Span[T] | BrokenSpan]:
        """Take a block and give the spans that it completes."""
        self._drop_done()
        self._data += block
        yield from self._spans(final=False)

    def close(self) -> Iterator[Span[T] | BrokenSpan]:
        """Give what is left at the end of the input."""
        yield from self._spans(final=True)

    @property
    def position(self) -> Position:
        """Where the next span would start."""
        return self._position(self._at)

    def _spans(self, *, final: bool) -> Iterator[Span[T] | BrokenSpan]:
        while (span := self._next(final=final)) is not None:
            yield span

    def _drop_done(self) -> None:
        done = self._at
        self._count_lines(done)
        self._data = self._data[done:]
        self._dropped += done
        self._at = self._counted = 0
        self._searched = max(0, self._searched - done)
        if self._scan is not None:
            self._scan.shift(done)

    def _next(self, *, final: bool) -> Span[T] | BrokenSpan | None:
        while True:
            if self._broken is not None:
                return self._end_of_broken(*self._broken, final=final)
            if self._scan is None:
                self._skip_to_value()
                rest = self._data[self._at : self._at + len(BOM)]
                if not rest or (not final and rest != BOM and BOM.startswith(rest)):
                    return None
                if self._data[self._at] not in _VALUE_STARTS:
                    self._break("not_json", "expected a JSON object or array")
                    continue
                line_end, patience = self._line_end(final=final)
                if patience:
                    return None
                if line_end is not None and (span := self._whole_line(line_end)) is not None:
                    return span
                self._scan = ValueScan(self._at)
            span_or_broken = self._scanned(self._scan, final=final)
            if span_or_broken is not None or self._broken is None:
                return span_or_broken

    def _skip_to_value(self) -> None:
        between = _BETWEEN_VALUES.match(self._data, self._at)
        if between is None or between.end() == self._at:
            return
        last_break = self._data.rfind(b"\n", self._at, between.end())
        blanks = self._data[max(last_break + 1, self._at) : between.end()]
        if last_break >= 0:
            self._indent = 0
        if self._indent >= 0:
            self._indent += blanks.count(b" ") + blanks.count(b"\t")
        self._at = between.end()

    def _line_end(self, *, final: bool) -> tuple[int | None, bool]:
        """Give where the line ends, if that is known, and whether to wait for more of it."""
        found = self._data.find(b"\n", self._at)
        if found >= 0:
            return found, False
        if final:
            return len(self._data), False
        return None, len(self._data) - self._at < _LINE_PATIENCE

    def _whole_line(self, end: int) -> Span[T] | None:
        raw = self._data[self._at : end].rstrip()
        if len(raw) > self._limit:
            return None
        try:
            value = self._decode(raw)
        except UnreadableError:
            return None  # the scan finds out what is wrong, and where
        span = Span(value, raw, self._position(self._at))
        self._finish(end)
        return span

    def _scanned(self, scan: ValueScan, *, final: bool) -> Span[T] | BrokenSpan | None:
        """Give the scanned value; or None, having either broken off or run out of bytes."""
        outcome = scan.run(self._data)
        size = scan.next - self._at
        if size > self._limit or (outcome == "more" and len(self._data) - self._at > self._limit):
            self._break("too_large", f"a value is larger than {self._limit} bytes")
        elif outcome == "complete":
            return self._decoded(scan.next)
        elif outcome == "broken":
            self._break("not_json", f"expected {scan.expected} {size} bytes into the value")
        elif final:
            self._break("incomplete", f"the input ends inside a value: expected {scan.expected}")
        return None

    def _decoded(self, end: int) -> Span[T] | BrokenSpan:
        raw, position = self._data[self._at : end], self._position(self._at)
        self._finish(end)
        try:
            return Span(self._decode(raw), raw, position)
        except UnreadableError as error:
            return BrokenSpan(error.reason, str(error), raw, position)

    def _finish(self, end: int) -> None:
        self._at = end
        self._indent = -1
        self._scan = None

    def _break(self, reason: str, message: str) -> None:
        self._broken = (reason, message)
        self._scan = None
        self._searched = self._at

    def _end_of_broken(self, reason: str, message: str, *, final: bool) -> BrokenSpan | None:
        end = self._next_value_line()
        overlong = len(self._data) - self._at > self._limit
        if end is None:
            if not (final or overlong):
                self._searched = max(self._at, self._data.rfind(b"\n"))
                return None
            end = len(self._data)
        raw, position = self._data[self._at : end].rstrip(), self._position(self._at)
        self._at = self._searched = end
        if not (overlong and not final and end == len(self._data)):
            self._broken = None
            self._indent = 0
        return BrokenSpan(reason, message, raw, position)

    def _next_value_line(self) -> int | None:
        for line in _LINE_WITH_VALUE.finditer(self._data, self._searched):
            if len(line["indent"]) <= max(0, self._indent):
                return line.start() + 1
        return None

    def _position(self, start: int) -> Position:
        self._count_lines(start)
        return Position(self._line, self._dropped + start)

    def _count_lines(self, upto: int) -> None:
        self._line += self._data.count(b"\n", self._counted, upto)
        self._counted = upto
