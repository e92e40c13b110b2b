"""`split`: one part of a string cut at literal delimiters, each looked for after the last."""

from collections.abc import Callable
from typing import Any

from guardduty_lens.catalogue.model import Delimiter, SplitOptions
from guardduty_lens.catalogue.operations.base import OperationSpec, Tables


def cut(text: str, delimiters: list[Delimiter]) -> list[str | None] | None:
    """Give the parts between delimiters, or None where a required one is missing.

    There is one part more than delimiters; the part after an optional one that is missing is None.
    """
    parts: list[str | None] = [None] * (len(delimiters) + 1)
    start = current = 0
    for number, delimiter in enumerate(delimiters, start=1):
        found = text.find(delimiter.text, start)
        if found >= 0:
            parts[current] = text[start:found]
            start, current = found + len(delimiter.text), number
        elif not delimiter.optional:
            return None
    parts[current] = text[start:]
    return parts


def _prepare(options: SplitOptions, _tables: Tables) -> Callable[[Any], str | None]:
    delimiters = [Delimiter(text=item) if isinstance(item, str) else item for item in options.at]

    def apply(value: Any) -> str | None:
        parts = cut(value, delimiters) if type(value) is str else None
        return parts[options.part - 1] if parts else None

    return apply


SPEC = OperationSpec("split", "value", _prepare)
