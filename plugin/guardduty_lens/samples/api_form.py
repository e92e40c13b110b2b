"""Findings as the AWS CLI prints them: PascalCase, without what AWS's model does not know."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from guardduty_lens.aws_model import load_finding_model

if TYPE_CHECKING:
    from guardduty_lens.aws_model import Shape

Part = dict[str, Any]


def api_page(findings: list[Part]) -> Part:
    """Give a page of GetFindings, `{"Findings": [...]}`."""
    root = load_finding_model().root
    return {"Findings": [_convert(finding, root) for finding in findings]}


@cache
def _shape(name: str) -> Shape:
    return load_finding_model().shapes[name]


def _convert(value: Any, name: str) -> Any:
    shape = _shape(name)
    if shape.kind == "structure":
        return _convert_structure(value, shape)
    if shape.kind == "list" and shape.member is not None:
        return [_convert(element, shape.member.shape) for element in value]
    if shape.kind == "map" and shape.value is not None:
        return {key: _convert(element, shape.value.shape) for key, element in value.items()}
    if shape.kind == "timestamp":
        return datetime.fromtimestamp(value, UTC).isoformat()
    return value


def _convert_structure(value: Part, shape: Shape) -> Part:
    """Rename the members; like the CLI, leave out nulls and what the model does not have."""
    return {
        member.api: _convert(value[key], member.shape)
        for key, member in shape.members.items()
        if value.get(key) is not None
    }
