"""The types of fields, and the check a value must pass to satisfy a source.

Values are never converted by a check: a label that arrives as a number is no label.
"""

import math
from collections.abc import Callable
from typing import Any, TypeGuard

LONG_LIMIT = 2**53
"""Integers from here on lose digits in engines that hold numbers as doubles."""

DOUBLE_LIMIT = 10**308
"""Longer integers are no doubles."""


def _is_text(value: Any) -> bool:
    return type(value) is str and value != ""


def _is_boolean(value: Any) -> bool:
    return type(value) is bool


def is_integral(value: Any) -> bool:
    """Tell whether a value is a whole number, 8.0 as well as 8, below 2^53 in size."""
    if type(value) is int:
        return -LONG_LIMIT < value < LONG_LIMIT
    return type(value) is float and -LONG_LIMIT < value < LONG_LIMIT and value.is_integer()


def is_number(value: Any) -> TypeGuard[int | float]:
    """Tell whether a value is a finite number (true and false are none)."""
    if type(value) is int:
        return -DOUBLE_LIMIT < value < DOUBLE_LIMIT
    return type(value) is float and math.isfinite(value)


def _is_byte(value: Any) -> bool:
    return is_integral(value) and -128 <= value <= 127


def _is_integer(value: Any) -> bool:
    return is_integral(value) and -(2**31) <= value < 2**31


def _is_geo_point(value: Any) -> bool:
    if not isinstance(value, dict) or len(value) != 2:
        return False
    lat, lon = value.get("lat"), value.get("lon")
    return is_number(lat) and is_number(lon) and -90 <= lat <= 90 and -180 <= lon <= 180


CHECKS: dict[str, Callable[[Any], bool]] = {
    "label": _is_text,
    "id": _is_text,
    "text": _is_text,
    "url": _is_text,
    "date": _is_text,
    "ip": _is_text,
    "boolean": _is_boolean,
    "byte": _is_byte,
    "integer": _is_integer,
    "long": is_integral,
    "double": is_number,
    "geo_point": _is_geo_point,
}


def unique_key(value: Any) -> Any:
    """Give what makes a checked value unique: itself, for objects their parts."""
    return tuple(sorted(value.items())) if isinstance(value, dict) else value


def same_scalar(value: Any, wanted: Any) -> bool:
    """Tell whether two scalars are the same JSON: 8 is 8.0, but true is not 1."""
    return (type(value) is bool) == (type(wanted) is bool) and bool(value == wanted)
