"""`number`: a number as it is, or a short decimal text as the number it spells."""

import re
from collections.abc import Callable
from typing import Any

from guardduty_lens.catalogue.model import NumberOptions
from guardduty_lens.catalogue.operations.base import OperationSpec, Tables
from guardduty_lens.catalogue.types import is_number

# Short enough that every engine reads the same double from it.
_DECIMAL = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,6})?")


def to_number(value: Any) -> int | float | None:
    """Give the number, or None; true and false are no numbers."""
    if type(value) is str:
        return float(value) if _DECIMAL.fullmatch(value) else None
    return value if is_number(value) else None


def _prepare(_options: NumberOptions, _tables: Tables) -> Callable[[Any], int | float | None]:
    return to_number


SPEC = OperationSpec("number", "value", _prepare)
