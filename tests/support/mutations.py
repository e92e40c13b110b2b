"""Every node of a JSON value in turn made into something odd."""

from collections.abc import Iterator
from typing import Any

UNICODE = '\u00e4\U0001f600\u2028\x7f\u0000 "\\/'

Place = tuple[str | int, ...]

KINDS = ("null", "wrong type", "empty", "unicode", "nested array")


def places(value: Any, place: Place = ()) -> Iterator[Place]:
    """Give the place of every node below a value, in document order."""
    members = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, member in members:
        yield (*place, key)
        yield from places(member, (*place, key))


def replaced(value: Any, place: Place, change: Any) -> Any:
    """Give a copy of a value in which `change(node)` stands where the node at `place` stood."""
    if not place:
        return change(value)
    copy = value.copy()
    copy[place[0]] = replaced(value[place[0]], place[1:], change)
    return copy


def _wrong_type(node: Any) -> Any:
    if isinstance(node, str):
        return 7
    if isinstance(node, dict):
        return "text"
    return {"a": node} if isinstance(node, list) else "8"


def _empty(node: Any) -> Any:
    return type(node)() if node is not None else ""


CHANGES = {
    "null": lambda node: None,
    "wrong type": _wrong_type,
    "empty": _empty,
    "unicode": lambda node: UNICODE,
    "nested array": lambda node: [[node], node],
}


def mutations(value: Any) -> Iterator[tuple[str, Any]]:
    """Give every mutation of a value: what was done and where, and the mutated copy."""
    for place in places(value):
        for kind in KINDS:
            yield f"{kind} at {'.'.join(map(str, place))}", replaced(value, place, CHANGES[kind])
