"""`lookup`: what a table says of a string, one value or several."""

from collections.abc import Callable
from typing import Any

from guardduty_lens.catalogue.model import LookupOptions
from guardduty_lens.catalogue.operations.base import OperationSpec, Tables


def lookup_table(options: LookupOptions, tables: Tables) -> tuple[dict[str, list[Any]], list[Any]]:
    """Give the table with a list of values for each text, and the values of any other text."""
    table = options.entries if options.entries is not None else tables[options.table or ""]
    default = [] if options.default is None else _as_list(options.default)
    return {key: _as_list(value) for key, value in table.items()}, default


def _prepare(options: LookupOptions, tables: Tables) -> Callable[[Any], list[Any]]:
    values, default = lookup_table(options, tables)

    def apply(value: Any) -> list[Any]:
        return values.get(value, default) if type(value) is str else []

    return apply


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


SPEC = OperationSpec("lookup", "value", _prepare, many=True)
