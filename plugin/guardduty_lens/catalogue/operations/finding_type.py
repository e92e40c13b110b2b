"""`finding_type`: the canonical spelling of a finding type, or one of its parts."""

from collections.abc import Callable
from typing import Any

from guardduty_lens.catalogue.model import FindingTypeOptions
from guardduty_lens.catalogue.operations.base import OperationSpec, Tables
from guardduty_lens.findings.type_grammar import parse_finding_type


def _prepare(options: FindingTypeOptions, _tables: Tables) -> Callable[[Any], str | None]:
    part = options.part or "canonical"

    def apply(value: Any) -> str | None:
        return getattr(parse_finding_type(value), part) if type(value) is str else None

    return apply


SPEC = OperationSpec("finding_type", "value", _prepare)
