"""What reading a payload yields: positions, events, rejects and control messages."""

from typing import Any

import msgspec


class Position(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where something stands: in a line (from 1), at a byte (from 0), and inside wrappers."""

    line: int = 1
    byte: int = 0
    inside: str = ""

    def within(self, place: str) -> "Position":
        """Give the position of a part of this one, such as `Records[0].body`."""
        separator = "" if not self.inside or place.startswith("[") else "."
        return Position(self.line, self.byte, f"{self.inside}{separator}{place}")

    def __str__(self) -> str:
        where = f"line {self.line}, byte {self.byte}"
        return f"{where}, in {self.inside}" if self.inside else where


class Event(msgspec.Struct, frozen=True):
    """One event: its decoded object, and where it stood."""

    value: dict[str, Any]
    position: Position


class Finished:
    """Base of what a reader of bytes has already made of an event: passed on as it is."""

    __slots__ = ()


class Control(msgspec.Struct, frozen=True):
    """A message of a transport about itself: counted, and no record."""

    name: str
    position: Position


class Rejected(msgspec.Struct, frozen=True):
    """The smallest span that could not be read: why, where, and its bytes as they came."""

    reason: str
    message: str
    raw: bytes
    position: Position
    source: str = "-"


class UnreadableError(ValueError):
    """A span that cannot be read; `reason` is the code it is counted by, `raw` its bytes where at hand."""

    def __init__(self, reason: str, message: str, raw: bytes = b"") -> None:
        super().__init__(message)
        self.reason = reason
        self.raw = raw


REJECT_REASONS = {
    "not_json": "the text is no JSON",
    "not_utf8": "the bytes are no UTF-8",
    "incomplete": "the input ended, or another value began, inside a JSON value",
    "no_event": "JSON that can hold no event, such as a lone number",
    "bad_base64": "a transport's data is no base64",
    "bad_gzip": "compressed data is damaged",
    "too_large": "one value is larger than the limit",
    "too_deep": "objects, arrays or wrappers are nested deeper than the limit",
    "too_many_events": "one payload holds more events than the limit",
}
