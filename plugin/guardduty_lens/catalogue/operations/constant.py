"""`constant`: always this value, where the entry's `when` holds."""

from collections.abc import Callable
from typing import Any

from guardduty_lens.catalogue.model import ConstantOptions
from guardduty_lens.catalogue.operations.base import OperationSpec, Tables


def _prepare(options: ConstantOptions, _tables: Tables) -> Callable[[], Any]:
    return lambda: options.value


SPEC = OperationSpec("constant", "nothing", _prepare)
