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
from guardduty_lens.payloads.scan import ValueScan, why_broken

T = TypeVar("T")

_BETWEEN_VALUES = re.compile(rb"(?:[\s,\x1e]|\xef\xbb\xbf)*+")
# Bounded, so that a few bytes more tell whether a line starts a value.
_VALUE_LINE = re.compile(rb"\n(?P<indent>[ \t]{0,1000}+)(?:[,\x1e]|\xef\xbb\xbf)?[ \t]?(?=[\[{])")
_VALUE_LINE_BYTES = 1024
_ANY_INDENT = 1000
_VALUE_STARTS = b'{["'
_LINE_BREAK = b"\n"

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


class _Broken(NamedTuple):
    """A span that is no value, while its end is looked for.

    `why` is the reason and a message, None where its own bytes tell. It ends before a line that starts a
    value and is indented by `indent` at most. A text may still turn out to be a lone number or word.
    """

    why: tuple[str, str] | None
    indent: int
    is_text: bool = False


_NO_VALUE = ("not_json", "expected a JSON object or array")


class Splitter(Generic[T]):
    """Cuts a stream into values; holds no more than one value, or twice the limit, and one block.

    `decode` makes a value of its bytes or raises UnreadableError. `feed` blocks of any size, then
    `close`: any chunking of the same bytes gives the same spans. A broken span that is larger than twice
    the limit comes in parts of that size. Bytes are counted from `start`, where the first block begins.

    `take` is given the bytes at hand and where a line with a value begins; it may do away with lines from
    there on, which then give no spans, and says where it stopped and how many they were.
    """

    def __init__(
        self,
        decode: Callable[[bytes], T],
        limits: Limits | None = None,
        start: int = 0,
        take: Callable[[bytes, int], tuple[int, int]] | None = None,
    ) -> None:
        self._decode = decode
        self._take = take
        self._limit = (limits or Limits()).value_bytes
        self._part = max(1, 2 * self._limit)
        self._data = b""
        self._waiting: list[bytes] = []  # blocks behind the data that were not looked at yet
        self._waiting_bytes = 0
        self._dropped = start  # bytes of the stream before the data
        self._at = 0  # what is before is done with
        self._line = 1
        self._indent = 0  # of the line
        self._in_indent = True  # only blanks are before, in the line
        self._tried = 0  # lines that begin before are known not to be one value each
        self._scan: ValueScan | None = None
        self._failed = ValueScan()  # the last scan of a broken value
        self._failed_from = 0  # where in the stream that value begins
        self._broken: _Broken | None = None
        self._searched = 0  # the end of the broken span is not before
        self._is_stuck = False  # until more bytes come

    def feed(self, block: bytes) -> Iterator[Span[T] | BrokenSpan]:
        """Take a block and give the spans that it completes; very large ones may be given later."""
        self._waiting.append(block)
        self._waiting_bytes += len(block)
        # What is large is looked at again when it has grown by an eighth: each byte is copied a few times
        # however small the blocks are.
        held = len(self._data) - self._at
        if held <= _LINE_PATIENCE or self._waiting_bytes * 8 > held:
            self._join()
            yield from self._spans(final=False)

    def close(self) -> Iterator[Span[T] | BrokenSpan]:
        """Give what is left at the end of the input."""
        self._join()
        yield from self._spans(final=True)

    @property
    def position(self) -> Position:
        """Where the next span would start."""
        return Position(self._line, self._dropped + self._at)

    @property
    def is_between_lines(self) -> bool:
        """Whether all that was fed has been given, and a line begins."""
        has_all = self._at == len(self._data) and not self._waiting
        return has_all and self._in_indent and self._scan is None and self._broken is None

    def _join(self) -> None:
        done = self._at
        self._data = b"".join([self._data[done:], *self._waiting])
        self._waiting, self._waiting_bytes = [], 0
        self._dropped += done
        self._at = 0
        self._tried = max(0, self._tried - done)
        self._searched = max(0, self._searched - done)

    def _spans(self, *, final: bool) -> Iterator[Span[T] | BrokenSpan]:
        self._is_stuck = False
        while not self._is_stuck:
            if self._broken is not None:
                yield from self._pass_over(self._broken, final=final)
            elif self._scan is not None:
                yield from self._scanned(self._scan, final=final)
            else:
                self._skip_to_value()
                start = self._at
                yield from self._whole_lines(final=final)
                if self._at == start:
                    self._begin(final=final)

    # --- lines that are one value each: nearly all there are ------------------------------------------

    def _whole_lines(self, *, final: bool) -> Iterator[Span[T]]:
        """Give the values of lines from here on, up to the first line that is anything else."""
        data, size, decode, limit = self._data, len(self._data), self._decode, self._limit
        at, line, dropped, tried = self._at, self._line, self._dropped, self._tried
        while tried <= at < size and data[at] in _VALUE_STARTS:
            if self._take is not None:
                at, lines = self._take(data, at)
                if lines:
                    line += lines
                    self._at, self._line, self._indent, self._in_indent = at, line, 0, True
                    if at == size or data[at] not in _VALUE_STARTS:
                        return
            end = data.find(_LINE_BREAK, at)
            if end < 0:
                if not final:
                    return
                end = size
            raw = data[at:end].rstrip()
            try:
                # One that is too large is left to the scan, as is one that cannot be read.
                span = Span(decode(raw), raw, Position(line, dropped + at)) if len(raw) <= limit else None
            except UnreadableError:
                span = None
            if span is None:
                self._tried = end
                return
            if end < size:
                end += 1
                line += 1
            self._at, self._line, self._indent, self._in_indent = end, line, 0, True
            at = end
            yield span

    # --- values that are not: many on a line, or over several -----------------------------------------

    def _skip_to_value(self) -> None:
        between = _BETWEEN_VALUES.match(self._data, self._at)
        gap = between.group() if between else b""
        if gap:
            _, line_break, line = gap.rpartition(_LINE_BREAK)
            if line_break:
                self._indent, self._in_indent = 0, True
            if self._in_indent:
                blanks = len(line) - len(line.lstrip(b" \t"))
                self._indent += blanks
                self._in_indent = blanks == len(line)
            self._advance(self._at + len(gap))

    def _begin(self, *, final: bool) -> None:
        """Begin with whatever comes next, unless it is too early to say what that is."""
        head = self._data[self._at : self._at + len(BOM)]
        if not head or (not final and BOM.startswith(head)):
            self._is_stuck = True
        elif head[0] not in _VALUE_STARTS:
            self._break(_Broken(_NO_VALUE, _ANY_INDENT, is_text=True))
        elif self._failed.is_open_at(self._dropped + self._at - self._failed_from):
            # The byte that broke the value around this one breaks it too: it need not be scanned again.
            self._break(_Broken(None, self._indent))
        elif self._at < self._tried:
            self._scan = ValueScan()
        elif len(self._data) - self._at > _LINE_PATIENCE:
            self._tried = len(self._data)
        else:
            self._is_stuck = True

    def _scanned(self, scan: ValueScan, *, final: bool) -> Iterator[Span[T] | BrokenSpan]:
        """Give the value that is being scanned, if it is whole, or find out that it is none."""
        window = self._at + self._limit + 1
        outcome = scan.run(self._data, self._at, min(window, len(self._data)))
        if outcome == "complete" and scan.size <= self._limit:
            yield self._decoded(self._at + scan.size)
        elif outcome == "broken" or (outcome == "more" and final and len(self._data) < window):
            self._failed, self._failed_from = scan, self._dropped + self._at
            self._break(_Broken(None, self._indent))
        elif len(self._data) >= window:
            why = ("too_large", f"a value is larger than {self._limit} bytes")
            self._break(_Broken(why, self._indent))
        else:
            self._is_stuck = True

    def _decoded(self, end: int) -> Span[T] | BrokenSpan:
        raw, position = self._data[self._at : end], self.position
        self._advance(end)
        self._scan, self._in_indent = None, False
        try:
            return Span(self._decode(raw), raw, position)
        except UnreadableError as error:
            return BrokenSpan(error.reason, str(error), raw, position)

    # --- what is no value -----------------------------------------------------------------------------

    def _break(self, broken: _Broken) -> None:
        self._broken, self._scan, self._searched = broken, None, self._at

    def _pass_over(self, broken: _Broken, *, final: bool) -> Iterator[Span[T] | BrokenSpan]:
        """Give a broken span up to its end, or a part of it."""
        size, most = len(self._data), self._at + self._part
        end = self._next_value_line(most, broken.indent)
        if end is None and not final and size < most + _VALUE_LINE_BYTES:
            self._searched = max(self._searched, size - _VALUE_LINE_BYTES)
            self._is_stuck = True
            return
        is_last = end is not None or size <= most
        end = min(most, size) if end is None else end
        raw, position = self._data[self._at : end].rstrip(), self.position
        self._advance(end)
        self._indent, self._in_indent, self._searched = 0, True, end
        why = broken.why or why_broken(raw)
        self._broken = None if is_last else _Broken(why, broken.indent)
        if raw:
            yield self._lone(raw, position) if broken.is_text and is_last else BrokenSpan(*why, raw, position)

    def _next_value_line(self, most: int, indent: int) -> int | None:
        """Find the next line that starts a value, indented by `indent` at most, and not beyond `most`."""
        for line in _VALUE_LINE.finditer(self._data, self._searched, most + _VALUE_LINE_BYTES):
            if len(line["indent"]) <= indent:
                return line.start() + 1 if line.start() < most else None
        return None

    def _lone(self, raw: bytes, position: Position) -> Span[T] | BrokenSpan:
        """Give a text that is one number or word of JSON as a value, though it can hold no event."""
        try:
            return Span(self._decode(raw), raw, position)
        except UnreadableError:
            return BrokenSpan(*_NO_VALUE, raw, position)

    def _advance(self, end: int) -> None:
        self._line += self._data.count(_LINE_BREAK, self._at, end)
        self._at = end
