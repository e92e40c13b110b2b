"""`text`: text as it is, or a whole number's digits."""

from collections.abc import Callable
from typing import Any

from guardduty_lens.catalogue.model import TextOptions
from guardduty_lens.catalogue.operations.base import OperationSpec, Tables
from guardduty_lens.catalogue.types import is_integral


def to_text(value: Any) -> str | None:
    """Give the text, or None; 8 and 8.0 both give "8"."""
    if type(value) is str:
        return value
    return str(int(value)) if is_integral(value) else None


def _prepare(_options: TextOptions, _tables: Tables) -> Callable[[Any], str | None]:
    return to_text


SPEC = OperationSpec("text", "value", _prepare)
