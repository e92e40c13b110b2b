"""Any payload to its events, by content: shapes inside shapes, to the events at the bottom."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from guardduty_lens.payloads.envelope import is_envelope
from guardduty_lens.payloads.json_text import decode_json, encode_json
from guardduty_lens.payloads.limits import Limits
from guardduty_lens.payloads.pieces import Control, Event, Finished, Position, Rejected, UnreadableError
from guardduty_lens.payloads.shapes import (
    DEFAULT_WRAPPER_KEYS,
    Broken,
    Content,
    Found,
    Inside,
    Message,
    Object,
    Piece,
    find_shape,
    text_bytes,
)
from guardduty_lens.payloads.split import BrokenSpan, Splitter

Unwrapped = Event | Control | Rejected | Finished


class Unwrapper:
    """Peels payloads. Pure: nothing is fetched, nothing is kept between payloads.

    `read` makes a value of the bytes of one that stands inside a payload: its decoded JSON, which is the
    default, or a Finished.
    """

    def __init__(
        self,
        wrapper_keys: Iterable[str] = (),
        limits: Limits | None = None,
        read: Callable[[bytes], Any] | None = None,
    ) -> None:
        self.limits = limits or Limits()
        self._read = read or self.decode
        self._wrapper_keys = tuple(dict.fromkeys([*wrapper_keys, *DEFAULT_WRAPPER_KEYS]))

    def decode(self, raw: bytes) -> Any:
        """Decode one JSON value within the limits, or raise UnreadableError."""
        return decode_json(raw, self.limits.nesting)

    def unwrap(self, value: Any, raw: bytes, position: Position, source: str = "-") -> list[Unwrapped]:
        """Give the events of one decoded payload, in order; `raw` is what it was decoded from.

        A part that cannot be read is one reject, and the others are given. A payload of more events than
        the limit is one reject as a whole. Never raises on data.
        """
        try:
            found = list(islice(self._value(value, raw, position, 0), self.limits.events + 1))
            if len(found) > self.limits.events:
                message = f"one payload holds more than {self.limits.events} events"
                raise UnreadableError("too_many_events", message)
        except UnreadableError as error:  # or a part of it is nested so deep that it cannot be encoded
            return [Rejected(error.reason, str(error), raw, position, source)]
        return [_from(item, source) for item in found]

    def _value(self, value: Any, raw: bytes | None, position: Position, depth: int) -> Iterator[Unwrapped]:
        if depth > self.limits.wrappings:
            message = f"an event is wrapped more than {self.limits.wrappings} times"
            yield Rejected("too_deep", message, _bytes(value, raw), position)
        elif isinstance(value, Finished):
            yield value
        elif isinstance(value, dict):
            yield from self._object(value, position, depth)
        elif isinstance(value, list):
            for number, element in enumerate(value):
                yield from self._value(element, None, position.within(f"[{number}]"), depth + 1)
        elif isinstance(value, str):
            yield from self._content(text_bytes(value), position, depth + 1)
        else:
            message = f"{_bytes(value, raw).decode()[:40]} holds no event"
            yield Rejected("no_event", message, _bytes(value, raw), position)

    def _object(self, value: Object, position: Position, depth: int) -> Iterator[Unwrapped]:
        shape = find_shape(value)
        pieces = shape.open(value, self.limits) if shape else self._wrapped(value)
        for piece in pieces:
            match piece:
                case Found(event):
                    yield Event(event, position)
                case Inside(inner, place):
                    yield from self._value(inner, None, position.within(place), depth + 1)
                case Content(raw, place):
                    yield from self._content(raw, position.within(place), depth + 1)
                case Message(name):
                    yield Control(name, position)
                case Broken(raw, place, error):
                    yield Rejected(error.reason, str(error), raw, position.within(place))

    def _content(self, raw: bytes, position: Position, depth: int) -> Iterator[Unwrapped]:
        """Read bytes that stood inside a payload; they may hold several values, or none."""
        if not raw.strip():
            yield Rejected("no_event", "an empty text holds no event", raw, position)
            return
        if len(raw) <= self.limits.value_bytes and raw[:1] == b"{" and raw[-1:] == b"}":
            try:
                whole = self._read(raw)
            except UnreadableError:
                pass  # several values, or none: it is cut up
            else:
                yield from self._value(whole, raw, position, depth)
                return
        splitter = Splitter(self._read, self.limits)
        for spans in (splitter.feed(raw), splitter.close()):
            for span in spans:
                if isinstance(span, BrokenSpan):
                    yield Rejected(span.reason, span.message, span.raw, position)
                else:
                    yield from self._value(span.value, span.raw, position, depth)

    # --- shippers' wrappers, and what an input transformer of EventBridge made --------------------

    def _wrapped(self, value: Object) -> list[Piece]:
        for key in self._wrapper_keys:
            inner = value.get(key)
            if isinstance(inner, dict | list) and self._holds_events(inner, 0):
                return [Inside(inner, key)]
            if isinstance(inner, str) and self._is_event_text(inner):
                return [Content(text_bytes(inner), key)]
        direct: list[Object] = []
        pieces: list[Piece] = []
        for key, inner in value.items():
            if isinstance(inner, dict) and _is_event_object(inner) and inner not in direct:
                direct.append(inner)
                pieces.append(Inside(inner, key))
        return pieces or [Found(value)]

    def _holds_events(self, value: Any, depth: int) -> bool:
        if depth > self.limits.wrappings:
            return True  # unwrapping it gives the reject
        if isinstance(value, list):
            return any(self._holds_events(element, depth + 1) for element in value)
        if isinstance(value, str):
            return self._is_event_text(value)
        if not isinstance(value, dict):
            return False
        if find_shape(value) is not None:
            return True
        return any(self._holds_events(value[key], depth + 1) for key in self._wrapper_keys if key in value)

    def _is_event_text(self, text: str) -> bool:
        if not text.lstrip("\ufeff \t\r\n").startswith(("{", "[", '"')):
            return False
        splitter = Splitter(self.decode, self.limits)
        raw = text_bytes(text)
        spans = [*splitter.feed(raw), *splitter.close()]
        if any(isinstance(span, BrokenSpan) for span in spans):
            # A finding cut short by a log driver must not pass as somebody's log line.
            return "guardduty" in text.lower()
        return any(self._holds_events(span.value, 1) for span in spans if not isinstance(span, BrokenSpan))


def _is_event_object(value: Object) -> bool:
    shape = find_shape(value)
    return shape is not None and (shape.name in {"finding", "pascal_finding"} or is_envelope(value))


def _bytes(value: Any, raw: bytes | None) -> bytes:
    return encode_json(value) if raw is None else raw


def _from(item: Unwrapped, source: str) -> Unwrapped:
    if isinstance(item, Rejected):
        return Rejected(item.reason, item.message, item.raw, item.position, source)
    return item
