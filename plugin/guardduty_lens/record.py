"""The record: an event with its added fields."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

Added = msgspec.Struct | Mapping[str, Any]

_encode = msgspec.json.Encoder().encode


class Record:
    """One event, enriched.

    `kind` is its record kind. The event, in EventBridge layout and without any added field, and the fields
    are decoded when they are asked for.
    """

    __slots__ = ("_added", "_event", "_fields", "_fields_of", "_head", "kind")

    def __init__(
        self,
        kind: str,
        head: bytes,
        added: Added,
        fields_of: Callable[[Any], dict[str, Any]],
        event: Mapping[str, Any] | None = None,
    ) -> None:
        self.kind = kind
        self._head = head  # the record's JSON up to the added fields: the event without its last brace
        self._added = added
        self._fields_of = fields_of
        self._fields: dict[str, Any] | None = None
        self._event = event

    @property
    def fields(self) -> dict[str, Any]:
        """The added fields by their names in the catalogue, without any prefix."""
        if self._fields is None:
            self._fields = self._fields_of(self._added)
        return self._fields

    @property
    def event(self) -> Mapping[str, Any]:
        """What the fields were read from: the event in EventBridge layout."""
        if self._event is None:
            self._event = msgspec.json.decode(self._head + b"}", type=dict[str, Any])
        return self._event

    def added(self) -> dict[str, Any]:
        """Give the added fields alone, by the keys they have in the record."""
        return msgspec.json.decode(self.added_json(), type=dict[str, Any])

    def added_json(self) -> bytes:
        """Encode the added fields alone."""
        return _encode(self._added)

    def to_dict(self) -> dict[str, Any]:
        """Give the whole record: the event, then the added fields."""
        return {**self.event, **self.added()}

    def to_json(self) -> bytes:
        """Give the record as one line of JSON, without its line break."""
        if self._head == b"{":
            return _encode(self._added)
        return b"%b,%b" % (self._head, _encode(self._added)[1:])

    def __repr__(self) -> str:
        return f"Record({self.kind}, {self.fields.get('finding_type') or self.event.get('detail-type')})"
