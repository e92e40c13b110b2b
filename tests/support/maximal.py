"""Findings that hold everything that AWS's model knows."""

from collections.abc import Callable
from typing import Any

from guardduty_lens.aws_model import FindingModel, Shape

SCALARS: dict[str, tuple[Any, Any]] = {
    "boolean": (True, False),
    "integer": (443, 2**31 - 1),
    "long": (7, 2**53 - 1),
    "double": (8.9, -1),
    "timestamp": (1740515646.721, 1740515646),
}


def maximal_finding(model: FindingModel, text: Callable[[int], str]) -> dict[str, Any]:
    """Give a finding with every leaf set, lists and maps with two elements; `text` makes the free strings."""

    def make(shape: Shape, turn: int) -> Any:
        if shape.kind == "structure":
            members = {name: make(model.shapes[each.shape], turn) for name, each in shape.members.items()}
            return members | ({"unusual": [22, {"isps": ["amazon.com"]}][turn]} if shape.is_open else {})
        if shape.member:
            return [make(model.shapes[shape.member.shape], number) for number in (0, 1)]
        if shape.value:
            return {f"key{number}": make(model.shapes[shape.value.shape], number) for number in (0, 1)}
        if shape.kind == "string":
            return shape.enum[-turn] if shape.enum else text(turn)
        return SCALARS[shape.kind][turn]

    return make(model.shapes[model.root], 0)
