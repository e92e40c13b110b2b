"""The record: an event with its added fields."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from guardduty_lens.payloads.json_text import decode_json
from guardduty_lens.payloads.pieces import Finished

_encode_into = msgspec.json.Encoder(decimal_format="number").encode_into
_COMMA = ord(",")


class Event(msgspec.Struct, frozen=True, gc=False):
    """The JSON of an event in EventBridge layout, in pieces, so that the one that came is copied but once.

    It is `before`, then `raw`; `open` says that raw is the event's own object, of which the last brace is to
    be left out, and `after` follows. A brace is then missing in any case.
    """

    raw: bytes
    before: bytes = b""
    after: bytes = b""
    open: bool = True

    def write(self, buffer: bytearray) -> None:
        """Append the event, all but its last brace."""
        buffer += self.before
        buffer += self.raw
        if self.open:
            buffer[-1:] = self.after


class Record(Finished):
    """One event, enriched.

    `kind` is its record kind, `severity_label` and `warnings` are what its fields of those names say. The
    event, in EventBridge layout and without any added field, and the fields are decoded when asked for.
    """

    __slots__ = (
        "_added",
        "_event",
        "_fields",
        "_members_after",
        "_members_before",
        "_prefix",
        "_source",
        "kind",
        "severity_label",
        "warnings",
    )

    def __init__(
        self,
        kind: str,
        event: Event,
        members_before: bytes,
        added: msgspec.Struct | Mapping[str, Any],
        members_after: bytes,
        severity_label: str | None,
        warnings: Sequence[str] | None,
        prefix: str = "",
    ) -> None:
        self.kind = kind
        self.severity_label = severity_label
        self.warnings = warnings or ()
        self._source = event
        # JSON of added fields, each with a comma before it; what comes before and after the others.
        self._members_before, self._members_after = members_before, members_after
        self._added = added  # the other added fields; there is always one
        self._prefix = prefix
        self._event: dict[str, Any] | None = None
        self._fields: dict[str, Any] | None = None

    @property
    def fields(self) -> dict[str, Any]:
        """The added fields by their names in the catalogue, without any prefix."""
        if self._fields is None:
            self._fields = {key[len(self._prefix) :]: value for key, value in self.added().items()}
        return self._fields

    @property
    def event(self) -> dict[str, Any]:
        """What the fields were read from: the event in EventBridge layout."""
        if self._event is None:
            buffer = bytearray()
            self._source.write(buffer)
            self._event = decode_json(bytes(buffer) + b"}", None)
        return self._event

    def with_fields(self, fields: Mapping[str, Any], warnings: Sequence[str]) -> "Record":
        """Give a record of the same event with other added fields, by their names in the catalogue."""
        added = {f"{self._prefix}{name}": value for name, value in fields.items()}
        return Record(self.kind, self._source, b"", added, b"", self.severity_label, warnings, self._prefix)

    def added(self) -> dict[str, Any]:
        """Give the added fields alone, by the keys they have in the record."""
        added: dict[str, Any] = decode_json(self.added_json(), None)
        return added

    def added_json(self) -> bytes:
        """Encode the added fields alone."""
        buffer = bytearray(b"{")
        self._write_added(buffer)
        return bytes(buffer)

    def to_dict(self) -> dict[str, Any]:
        """Give the whole record: the event, then the added fields."""
        return self.event | self.added()

    def to_json(self) -> bytes:
        """Give the record as one line of JSON, without its line break."""
        buffer = bytearray()
        self.write_json(buffer)
        return bytes(buffer)

    def write_json(self, buffer: bytearray) -> None:
        """Append the record as one line of JSON, without its line break."""
        self._source.write(buffer)
        self._write_added(buffer)

    def write_apart(self, head: bytes, buffer: bytearray) -> None:
        """Append one line of JSON: `head`, such as `{"event":`, the event as that value, the added fields."""
        buffer += head
        self._source.write(buffer)
        buffer += b"}"
        self._write_added(buffer)

    def _write_added(self, buffer: bytearray) -> None:
        """Append the added fields behind an object's members, or its opening brace, and close it."""
        start = len(buffer)
        alone = buffer.endswith(b"{")
        buffer += self._members_before
        end = len(buffer)
        _encode_into(self._added, buffer, end)
        buffer[end] = _COMMA  # in place of the opening brace of the fields' own object
        if self._members_after:
            buffer[-1:] = self._members_after
            buffer += b"}"
        if alone:
            del buffer[start]

    def __repr__(self) -> str:
        return f"Record({self.kind}, {self.fields.get('finding_type') or self.event.get('detail-type')})"
