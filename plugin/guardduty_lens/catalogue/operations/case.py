"""`case`: the ASCII letters of a string in one case; other letters differ between engines."""

from collections.abc import Callable
from string import ascii_lowercase, ascii_uppercase
from typing import Any

from guardduty_lens.catalogue.model import CaseOptions
from guardduty_lens.catalogue.operations.base import OperationSpec, Tables

_TO = {
    "lower": str.maketrans(ascii_uppercase, ascii_lowercase),
    "upper": str.maketrans(ascii_lowercase, ascii_uppercase),
}


def _prepare(options: CaseOptions, _tables: Tables) -> Callable[[Any], str | None]:
    table = _TO[options.to]
    return lambda value: value.translate(table) if type(value) is str else None


SPEC = OperationSpec("case", "value", _prepare)
