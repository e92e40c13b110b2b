"""`lookup`: what a table says of a string, one value or several."""

from collections.abc import Callable
from typing import Any

from guardduty_lens.catalogue.model import LookupOptions
from guardduty_lens.catalogue.operations.base import OperationSpec, Tables


def _prepare(options: LookupOptions, tables: Tables) -> Callable[[Any], list[Any]]:
    table = options.entries if options.entries is not None else tables[options.table or ""]
    values = {key: _as_list(value) for key, value in table.items()}
    default = [] if options.default is None else _as_list(options.default)

    def apply(value: Any) -> list[Any]:
        return values.get(value, default) if type(value) is str else []

    return apply


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


SPEC = OperationSpec("lookup", "value", _prepare, many=True)
