"""`objects`: several leaves of one element as one value, text or object."""

from collections.abc import Callable, Sequence
from typing import Any

from guardduty_lens.catalogue.model import ObjectsOptions
from guardduty_lens.catalogue.operations.base import OperationSpec, Tables

Leaves = Sequence[Any]


def combine(options: ObjectsOptions) -> Callable[[Leaves], Any]:
    """Give the function that makes one value of an element's leaves, in their order; None is no leaf."""
    leaves = tuple((leaf.name or leaf.path, leaf.required) for leaf in options.leaves)
    text = options.text
    return _object_of(leaves) if text is None else _text_of(leaves, text)


def _object_of(leaves: tuple[tuple[str, bool], ...]) -> Callable[[Leaves], dict[str, Any] | None]:
    def apply(values: Leaves) -> dict[str, Any] | None:
        made = {}
        for (name, required), value in zip(leaves, values, strict=True):
            if value is not None:
                made[name] = value
            elif required:
                return None
        return made

    return apply


def _text_of(leaves: tuple[tuple[str, bool], ...], text: str) -> Callable[[Leaves], str | None]:
    def apply(values: Leaves) -> str | None:
        parts = [value if type(value) is str else "" for value in values]
        missing = any(required and not part for (_, required), part in zip(leaves, parts, strict=True))
        return None if missing else text.join(parts)

    return apply


def _prepare(options: ObjectsOptions, _tables: Tables) -> Callable[[Any], Any]:
    made = combine(options)
    keys = tuple(leaf.path for leaf in options.leaves)

    def apply(element: Any) -> Any:
        return made([element.get(key) for key in keys]) if isinstance(element, dict) else None

    return apply


SPEC = OperationSpec("objects", "value", _prepare)
