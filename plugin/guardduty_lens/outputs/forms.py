"""The forms a record is written in."""

from collections.abc import Callable
from typing import Any

from guardduty_lens.payloads.json_text import encode_json
from guardduty_lens.record import Record

FLATTEN_DEPTH = 10
"""The first seed flattens with `maxDepth: 10`."""

Form = Callable[[Record, bytearray], None]
"""Appends a record to what is to be written."""


def whole(record: Record, buffer: bytearray) -> None:
    """Append the record: the event and its added fields."""
    record.write_json(buffer)


def added_only(record: Record, buffer: bytearray) -> None:
    """Append the added fields alone, for shippers that merge them into a message."""
    buffer += record.added_json()


def flattened(record: Record, buffer: bytearray) -> None:
    """Append the first seed's form: the content of `detail` flattened, and the added fields.

    An event without an object under `detail` is flattened as a whole.
    """
    detail = record.event.get("detail")
    buffer += encode_json(
        flatten(detail if isinstance(detail, dict) else dict(record.event)) | record.added()
    )


def flatten(value: dict[str, Any], depth: int = FLATTEN_DEPTH) -> dict[str, Any]:
    """Flatten as npm's `flat` does: keys joined by dots, positions of arrays as keys.

    Empty objects and arrays stay, and so does what lies below `depth` levels.
    """
    flat: dict[str, Any] = {}
    _flatten_into(flat, value, "", depth)
    return flat


def _flatten_into(flat: dict[str, Any], value: dict[str, Any] | list[Any], prefix: str, depth: int) -> None:
    members = value.items() if isinstance(value, dict) else enumerate(value)
    for key, member in members:
        path = f"{prefix}.{key}" if prefix else str(key)
        if isinstance(member, dict | list) and member and depth > 1:
            _flatten_into(flat, member, path, depth - 1)
        else:
            flat[path] = member
