"""`parse_json`: the values at a path inside a JSON text."""

from collections.abc import Callable
from typing import Any

import msgspec

from guardduty_lens.catalogue.model import ParseJsonOptions
from guardduty_lens.catalogue.operations.base import OperationSpec, Tables
from guardduty_lens.catalogue.paths import Key, parse_path, walk


def _prepare(options: ParseJsonOptions, _tables: Tables) -> Callable[[Any], list[Any]]:
    path = parse_path(options.path)
    first = path[0].name if isinstance(path[0], Key) else ""
    decode = msgspec.json.Decoder().decode

    def apply(value: Any) -> list[Any]:
        if type(value) is not str or _lacks(value, first):
            return []
        try:
            parsed = decode(value)
        except (msgspec.DecodeError, RecursionError):
            return []
        return walk(parsed, path)[0]

    return apply


def _lacks(text: str, key: str) -> bool:
    # A key that is not spelled in the text cannot be in it, unless with an escape: no need to parse.
    return key not in text and "\\" not in text


SPEC = OperationSpec("parse_json", "value", _prepare, many=True)
