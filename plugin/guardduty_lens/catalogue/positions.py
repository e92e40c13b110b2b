"""YAML as plain data that knows where each value and each key stands.

The subset is that of configuration: no anchors, aliases, merges or tags, one document. Plain scalars follow
YAML 1.2's core schema, narrowed: `true`, `false`, `null`, `~`, decimal numbers without leading zeros (so that
an account id stays text); all others, such as dates, `yes` and `0x1f`, are text.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from guardduty_lens.catalogue.problems import Problem

MAX_SIZE = 1_048_576
"""Characters of a file; PyYAML reads about 350,000 of them a second."""

MAX_DEPTH = 40
"""Values inside values: far more than a catalogue needs, far less than Python's stack takes."""

Where = tuple[str | int, ...]
"""The keys and indexes that lead from the top of a document to a value."""

_WORDS: Mapping[str, Any] = {"": None, "~": None, "null": None, "true": True, "false": False}

# Longer integers cost quadratic time, and none is meant as one.
_DIGITS = r"(?:0|[1-9][0-9]{0,99})"
_INTEGER = re.compile(rf"-?{_DIGITS}")
_FLOAT = re.compile(
    rf"-?(?:{_DIGITS}\.[0-9]{{0,100}}|\.[0-9]{{1,100}}|{_DIGITS}(?=[eE]))(?:[eE][-+]?[0-9]{{1,3}})?"
)

_HINTS = {
    "while scanning an alias": "a path with [*] stands in quotes here, or on a line of its own in a list",
    "mapping values are not allowed here": "is a text with ': ' in it to be quoted?",
    "found character '\\t' that cannot start any token": "indent with spaces",
    "found character '%' that cannot start any token": "put it in quotes",
    "found character '@' that cannot start any token": "put it in quotes",
    "found character '`' that cannot start any token": "put it in quotes",
    "found unknown escape character": r"a backslash stands for itself in '…'",
}


@dataclass(frozen=True, slots=True)
class Mark:
    """Where something starts; `inner` is the column of a text's first character.

    `inner` is None where the text is written differently from what it says (escapes, several lines).
    """

    line: int
    column: int
    inner: int | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """A file's data and the places of its parts.

    With `problems` the data is not to be used; `duplicates` lists keys that repeat (the first one counts).
    """

    name: str
    data: Any = None
    problems: tuple[Problem, ...] = ()
    duplicates: tuple[Problem, ...] = ()
    values: Mapping[Where, Mark] = field(default_factory=dict)
    keys: Mapping[Where, Mark] = field(default_factory=dict)

    def problem(self, where: Where, message: str, *, offset: int | None = None, key: bool = False) -> Problem:
        """Make a problem of a value, of a character in it, or of its key.

        What is not written down, such as the long form of a shorthand, stands where its parent stands.
        """
        mark = self.keys.get(where) if key else None
        while mark is None and where:
            mark = self.values.get(where)
            where = where[:-1]
        mark = mark or self.values.get((), Mark(1, 1))
        column = mark.column if offset is None or mark.inner is None else mark.inner + offset
        return Problem(self.name, mark.line, column, message)


def read_yaml(text: str, name: str) -> Document:
    """Read the text of the file `name`.

    Never raises: what cannot be read is among the document's problems.
    """
    text = text.removeprefix("\ufeff")
    if len(text) > MAX_SIZE:
        return _refused(name, 1, 1, f"the file has more than {MAX_SIZE:,} characters")
    try:
        composer = _Composer(text)
    except yaml.reader.ReaderError as error:
        line, column = _place_of(text, error.position)
        return _refused(name, line, column, f"the character U+{error.character:04X} may not stand in YAML")
    try:
        node = composer.get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark or composer.get_mark()
        return _refused(name, mark.line + 1, mark.column + 1, _syntax_message(error))
    except (ValueError, OverflowError):
        # PyYAML does not look at the number in an escape or in a %YAML line before it uses it.
        mark = composer.get_mark()
        return _refused(name, mark.line + 1, mark.column + 1, "no YAML: a number that is out of range")
    reader = _Reader(name, text, composer.refused)
    data = None if node is None else reader.read(node, ())
    return reader.document(data)


def _refused(name: str, line: int, column: int, message: str) -> Document:
    return Document(name, problems=(Problem(name, line, column, message),))


def _place_of(text: str, index: int) -> tuple[int, int]:
    before = text[:index]
    return before.count("\n") + 1, index - before.rfind("\n")


def _syntax_message(error: yaml.MarkedYAMLError) -> str:
    problem = error.problem or error.context or "it cannot be read"
    if problem.startswith("but found another document"):
        return "a file holds one document: no second '---'"
    if isinstance(error, yaml.composer.ComposerError):
        return problem
    hints = (hint for start, hint in _HINTS.items() if f"{error.context}\n{problem}".find(start) >= 0)
    hint = next(hints, "")
    return f"no YAML: {problem}" + (f" ({hint})" if hint else "")


class _Composer(yaml.SafeLoader):
    """Composes nodes; notes and takes out what a catalogue has no use for, so that all of it is told."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.refused: list[tuple[yaml.Mark, str]] = []
        self._depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent):
            self.get_event()  # type: ignore[no-untyped-call]
            return self._stand_in(event)
        self._take_out(event)
        if self._depth == MAX_DEPTH:
            message = f"more than {MAX_DEPTH} values inside each other"
            raise yaml.composer.ComposerError(None, None, message, event.start_mark)
        self._depth += 1
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def _stand_in(self, alias: Any) -> yaml.Node:
        self.refused.append((alias.start_mark, f"no aliases: write out what *{alias.anchor} stands for"))
        return yaml.ScalarNode("", "", alias.start_mark, alias.end_mark)

    def _take_out(self, event: Any) -> None:
        if event.anchor is not None:
            self.refused.append((event.start_mark, f"no anchors: take &{event.anchor} away"))
            event.anchor = None
        if event.tag is not None:
            self.refused.append((event.start_mark, f"no tags: take {_short_tag(event.tag)} away"))
            event.tag = None


def _short_tag(tag: str) -> str:
    return tag.replace("tag:yaml.org,2002:", "!!", 1)


class _Reader:
    """Makes plain data of nodes, and notes where everything stands."""

    def __init__(self, name: str, text: str, refused: list[tuple[yaml.Mark, str]]) -> None:
        self._name = name
        self._text = text
        self._values: dict[Where, Mark] = {}
        self._keys: dict[Where, Mark] = {}
        self._problems = [self._problem(mark, message) for mark, message in refused]
        self._duplicates: list[Problem] = []

    def document(self, data: Any) -> Document:
        problems, duplicates = tuple(sorted(self._problems)), tuple(self._duplicates)
        return Document(self._name, data, problems, duplicates, self._values, self._keys)

    def read(self, node: yaml.Node, where: Where) -> Any:
        self._values.setdefault(where, self._mark(node))
        if isinstance(node, yaml.MappingNode):
            return self._read_mapping(node, where)
        if isinstance(node, yaml.SequenceNode):
            return [self.read(item, (*where, index)) for index, item in enumerate(node.value)]
        return self._read_scalar(node, plain=getattr(node, "style", None) is None)

    def _read_mapping(self, node: yaml.MappingNode, where: Where) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = self._read_key(key_node)
            if key is None:
                continue
            below = (*where, key)
            if key in data:
                self._duplicate(key_node, key, self._keys[below])
                continue
            self._keys[below] = self._mark(key_node)
            data[key] = self.read(value_node, below)
        return data

    def _read_key(self, node: yaml.Node) -> str | None:
        """Give a key as it is written: 404 is text here, as in JSON."""
        message = None
        if not isinstance(node, yaml.ScalarNode):
            message = "a key is a text, no list or mapping"
        elif node.style is None and node.value == "<<":
            message = "no merges: write the keys out instead of '<<'"
        elif node.style is None and node.value == "":
            message = "there is no key before the ':'"
        elif _half_of_a_pair(node.value):
            message = "half of a surrogate pair, which is no character"
        if message is None:
            return str(node.value)
        self._problems.append(self._problem(node.start_mark, message))
        return None

    def _duplicate(self, node: yaml.Node, key: str, first: Mark) -> None:
        message = f"the key {key!r} is already in line {first.line}; only one can count"
        self._duplicates.append(self._problem(node.start_mark, message))

    def _read_scalar(self, node: yaml.Node, *, plain: bool) -> Any:
        text = str(node.value)
        if _half_of_a_pair(text):
            message = "half of a surrogate pair, which is no character"
            self._problems.append(self._problem(node.start_mark, message))
        return _plain(text) if plain else text

    def _mark(self, node: yaml.Node) -> Mark:
        start = node.start_mark
        line, column = start.line + 1, start.column + 1
        if not isinstance(node, yaml.ScalarNode) or node.style in ("|", ">"):
            return Mark(line, column)
        quotes = 0 if node.style is None else 1
        written = self._text[start.index + quotes : node.end_mark.index - quotes]
        return Mark(line, column, column + quotes if written == node.value else None)

    def _problem(self, mark: yaml.Mark, message: str) -> Problem:
        return Problem(self._name, mark.line + 1, mark.column + 1, message)


def _half_of_a_pair(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text) if not text.isascii() else False


def _plain(text: str) -> Any:
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        number = float(text)
        return number if math.isfinite(number) else text
    return text
