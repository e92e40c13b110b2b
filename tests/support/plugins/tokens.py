"""The tokens of a JSON text and where they stand: errors of OpenSearch's parsers tell the place."""

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from plugins.refusals import UnrecordedError

_HIDDEN = "REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); byte offset: #"
_TOKEN = re.compile(r'[{}\[\]:,]|"(?:\\.|[^"\\])*"|[^\s{}\[\]:,"]+')
_STARTS = {"{": "START_OBJECT", "}": "END_OBJECT", "[": "START_ARRAY", "]": "END_ARRAY"}
_WORDS = {"true": "VALUE_BOOLEAN", "false": "VALUE_BOOLEAN", "null": "VALUE_NULL"}


class Token(NamedTuple):
    kind: str
    text: str
    line: int
    column: int
    depth: int
    """Of the object or list that it is in, or that it opens or closes."""


class CutOffError(Exception):
    """JSON that ends too early, in the words of the parser."""

    def __init__(self, text: str) -> None:
        place = f"\n at [Source: {_HIDDEN}{len(text.encode())}]"
        if text.rstrip().endswith("{"):
            words = "expected close marker for Object (start marker at "
            words = f"Unexpected end-of-input: {words}[Source: {_HIDDEN}UNKNOWN])"
        elif text.rstrip().endswith(":"):
            words = "Unexpected end-of-input within/between Object entries"
        else:
            raise UnrecordedError(f"JSON that is cut off so: {text[-40:]!r}")
        super().__init__(words + place)


def decoded(text: str) -> Any:
    """Decode JSON. Raises CutOffError."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise CutOffError(text) from error


def tokens(text: str) -> Iterator[Token]:
    """Give the tokens of a text that is JSON, without its commas and colons."""
    depth, found = 0, list(_TOKEN.finditer(text))
    for match, after in zip(found, [*found[1:], None], strict=True):
        word = match[0]
        if word in ",:":
            continue
        if word in "{[":
            depth += 1
        before = text[: match.start()]
        line, column = before.count("\n") + 1, match.start() - before.rfind("\n")
        name = word[0] == '"' and after is not None and after[0] == ":"
        kind = "FIELD_NAME" if name else _STARTS.get(word) or _WORDS.get(word)
        yield Token(kind or ("VALUE_STRING" if word[0] == '"' else "VALUE_NUMBER"), word, line, column, depth)
        if word in "}]":
            depth -= 1


def value_of(text: str, name: str, depth: int = 1) -> Token:
    """Give the first token of the value of the first member of a name."""
    each = tokens(text)
    for token in each:
        if token.kind == "FIELD_NAME" and token.depth == depth and json.loads(token.text) == name:
            return next(each)
    raise LookupError(name)
