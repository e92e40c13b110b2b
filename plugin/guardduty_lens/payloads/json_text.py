"""JSON text to values: strict, bounded in depth, exact in its numbers."""

import json
import math
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from guardduty_lens.payloads.pieces import UnreadableError

BOM = b"\xef\xbb\xbf"

_STRUCTURE = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[\[{]|[\]}]', re.DOTALL)


def _number(text: str) -> float | Decimal:
    # A double cannot hold 1e400: kept as it is, it passes no check of a field and leaves us unchanged.
    number = float(text)
    return number if math.isfinite(number) else Decimal(text)


_decode = msgspec.json.Decoder(float_hook=_number).decode


def _object(value: Any) -> dict[Any, Any]:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is no kind of JSON value")


_encode = msgspec.json.Encoder(decimal_format="number", enc_hook=_object).encode


def decode_json(raw: bytes, nesting: int | None) -> Any:
    """Decode one JSON value.

    Raises UnreadableError: `not_utf8`, `not_json`, or `too_deep` beyond `nesting` levels (None: as deep as
    the decoder goes).
    """
    if not raw.isascii():
        _check_utf8(raw)
    if nesting is not None and is_too_deep(raw, nesting):
        raise UnreadableError("too_deep", f"objects and arrays are nested more than {nesting} deep")
    try:
        return _decode(raw)
    except msgspec.DecodeError as error:
        raise UnreadableError("not_json", _message(error)) from error
    except RecursionError as error:
        raise UnreadableError("too_deep", "objects and arrays are nested deeper than is decoded") from error
    except ValueError as error:  # an integer of more than 4,300 digits
        raise UnreadableError("not_json", str(error)) from error


def encode_json(value: Any) -> bytes:
    """Encode a value on one line: one that `decode_json` gave, or boto3, or any mapping.

    Raises UnreadableError: `too_deep`, or `not_utf8` for half a surrogate pair, which is then escaped in its
    `raw`; TypeError for what is no JSON value.
    """
    try:
        try:
            return _encode(value)
        except UnicodeEncodeError as error:
            raw = json.dumps(value, default=repr).encode()
            raise UnreadableError("not_utf8", "a text holds half a surrogate pair", raw) from error
    except RecursionError as error:
        raise UnreadableError("too_deep", "objects and arrays are nested deeper than is encoded") from error


def is_too_deep(raw: bytes, nesting: int) -> bool:
    """Tell whether a JSON text has more than `nesting` levels."""
    # There are no more levels than opening brackets: the common case costs two counts. (Dropping bytes
    # runs on memchr, which `bytes.count` does not: a quarter of the time.)
    opened = 2 * len(raw) - len(raw.replace(b"{", b"")) - len(raw.replace(b"[", b""))
    return opened > nesting and deepest(raw) > nesting


def deepest(raw: bytes) -> int:
    """Count the deepest level of objects and arrays in a JSON text."""
    level = most = 0
    for token in _STRUCTURE.finditer(raw):
        first = raw[token.start()]
        if first in b"[{":
            level += 1
            most = max(most, level)
        elif first in b"]}":
            level -= 1
    return most


def _check_utf8(raw: bytes) -> None:
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        hint = " (UTF-16?)" if raw[:2] in {b"\xff\xfe", b"\xfe\xff"} else ""
        message = f"byte {error.start} is no UTF-8: 0x{raw[error.start]:02x}{hint}"
        raise UnreadableError("not_utf8", message) from error


def _message(error: msgspec.DecodeError) -> str:
    text = str(error)
    # msgspec says "truncated" of half a surrogate pair as well as of a text that ends too early.
    return f"{text} (or half a surrogate pair)" if text == "Input data was truncated" else text
