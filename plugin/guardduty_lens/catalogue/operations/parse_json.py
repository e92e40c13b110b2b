"""`parse_json`: the values at a path inside a JSON text."""

from collections.abc import Callable
from typing import Any

import msgspec

from guardduty_lens.catalogue.model import ParseJsonOptions
from guardduty_lens.catalogue.operations.base import OperationSpec, Tables
from guardduty_lens.catalogue.paths import parse_path, walk


def _prepare(options: ParseJsonOptions, _tables: Tables) -> Callable[[Any], list[Any]]:
    path = parse_path(options.path)
    decode = msgspec.json.Decoder().decode

    def apply(value: Any) -> list[Any]:
        if type(value) is not str:
            return []
        try:
            parsed = decode(value)
        except (msgspec.DecodeError, RecursionError):
            return []
        return walk(parsed, path)[0]

    return apply


SPEC = OperationSpec("parse_json", "value", _prepare, many=True)
