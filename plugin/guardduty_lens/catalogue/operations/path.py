"""`path`: the values as they are, save those listed in `except`."""

from collections.abc import Callable
from typing import Any

from guardduty_lens.catalogue.model import PathOptions
from guardduty_lens.catalogue.operations.base import OperationSpec, Tables


def _prepare(options: PathOptions, _tables: Tables) -> Callable[[Any], Any]:
    if not options.except_:
        return _same
    left_out = frozenset(options.except_)
    return lambda value: None if type(value) is str and value in left_out else value


def _same(value: Any) -> Any:
    return value


SPEC = OperationSpec("path", "value", _prepare)
