"""`regex`: one named group of a portable regular expression over one string."""

from collections.abc import Callable
from typing import Any

from guardduty_lens.catalogue.model import RegexOptions
from guardduty_lens.catalogue.operations.base import OperationSpec, Tables


def _prepare(options: RegexOptions, _tables: Tables) -> Callable[[Any], str | None]:
    from guardduty_lens.catalogue.regex_dialect import compile_pattern, parse_pattern

    match = compile_pattern(parse_pattern(options.pattern))

    def apply(value: Any) -> str | None:
        groups = match(value) if type(value) is str else None
        return groups.get(options.group) if groups else None

    return apply


SPEC = OperationSpec("regex", "value", _prepare)
