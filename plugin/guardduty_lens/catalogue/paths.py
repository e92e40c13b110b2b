"""Paths into a record: `detail.a.b[*].c`, `x[key=VALUE].values[*]`.

A key on what is no object, or `[*]` on what is no array, yields nothing; null equals missing at every
step. Every array step looks at no more than FAN_OUT_LIMIT elements, over all the arrays that reach it.
"""

import re
from collections.abc import Iterable
from typing import Any

import msgspec

FAN_OUT_LIMIT = 1_000
"""Elements looked at by one array step of one path: hostile arrays must not cost seconds."""


class Key(msgspec.Struct, frozen=True, tag="key"):
    """Go to the member of this name."""

    name: str


class Each(msgspec.Struct, frozen=True, tag="each"):
    """Go to every element."""


class Match(msgspec.Struct, frozen=True, tag="match"):
    """Go to the elements whose member `name` equals the text `value`."""

    name: str
    value: str


Step = Key | Each | Match
Path = tuple[Step, ...]


class PathError(ValueError):
    """A text that is no path; `offset` is the character it fails at."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.offset = offset


_SEGMENT = re.compile(r"(?P<name>[^.\[\]=\s]+)(?P<steps>(?:\[[^\[\]]*\])*)")
_BRACKET = re.compile(r"\[(?:(?P<each>\*)|(?P<key>[^=\[\]\s]+)=(?P<value>[^\[\]]+))\]")


def parse_path(text: str) -> Path:
    """Read a path.

    Raises PathError on anything else, with the offset in `text`.
    """
    steps: list[Step] = []
    position = 0
    while True:
        segment = _SEGMENT.match(text, position)
        if segment is None:
            raise PathError(f"expected a key at character {position + 1} of the path {text!r}", position)
        steps.append(Key(segment["name"]))
        steps.extend(_bracket_steps(text, segment.start("steps"), segment.end("steps")))
        position = segment.end()
        if position == len(text):
            return tuple(steps)
        if text[position] != ".":
            raise PathError(f"expected '.' at character {position + 1} of the path {text!r}", position)
        position += 1


def _bracket_steps(text: str, position: int, end: int) -> Iterable[Step]:
    while position < end:
        bracket = _BRACKET.match(text, position)
        if bracket is None:
            raise PathError(f"only [*] and [key=VALUE] may stand in brackets: {text!r}", position)
        yield Each() if bracket["each"] else Match(bracket["key"], bracket["value"])
        position = bracket.end()


def format_path(path: Path) -> str:
    """Write a path as `parse_path` reads it."""
    parts: list[str] = []
    for step in path:
        match step:
            case Key(name):
                parts.append(f".{name}" if parts else name)
            case Each():
                parts.append("[*]")
            case Match(name, value):
                parts.append(f"[{name}={value}]")
    return "".join(parts)


def walk(root: Any, path: Path) -> tuple[list[Any], bool]:
    """Give the values at a path in document order, and whether an array step was capped."""
    nodes: list[Any] = [root]
    capped = False
    for step in path:
        if isinstance(step, Key):
            nodes = [node[step.name] for node in nodes if isinstance(node, dict) and step.name in node]
        else:
            elements = [element for node in nodes if isinstance(node, list) for element in node]
            capped = capped or len(elements) > FAN_OUT_LIMIT
            nodes = elements[:FAN_OUT_LIMIT]
            if isinstance(step, Match):
                nodes = [
                    node for node in nodes if isinstance(node, dict) and node.get(step.name) == step.value
                ]
        nodes = [node for node in nodes if node is not None]
    return nodes, capped
