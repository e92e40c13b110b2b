"""`bands`: the label of the numeric range a number lies in."""

from collections.abc import Callable
from typing import Any

from guardduty_lens.catalogue.model import BandsOptions
from guardduty_lens.catalogue.operations.base import OperationSpec, Tables
from guardduty_lens.catalogue.types import is_number


def _prepare(options: BandsOptions, _tables: Tables) -> Callable[[Any], str | None]:
    bands = tuple(options.bands or ())

    def apply(value: Any) -> str | None:
        if not is_number(value):
            return None
        return next((band.label for band in bands if band.holds(value)), options.default)

    return apply


SPEC = OperationSpec("bands", "value", _prepare)
