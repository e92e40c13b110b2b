"""`template`: the first text whose `{field}` parts are all there."""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from guardduty_lens.catalogue.model import TemplateOptions
from guardduty_lens.catalogue.operations.base import OperationSpec, Tables

_PART = re.compile(r"\{(?P<field>[A-Za-z][A-Za-z0-9_]*)(?P<url>:url)?\}")
Parts = list[tuple[str, str, bool]]


def template_parts(text: str) -> tuple[Parts, str]:
    """Read a template: (literal before, field, percent-encoded?) in order, and the literal at the end.

    Raises ValueError where a brace is no part.
    """
    parts: Parts = []
    position = 0
    for part in _PART.finditer(text):
        parts.append((text[position : part.start()], part["field"], part["url"] is not None))
        position = part.end()
    tail = text[position:]
    if any("{" in literal or "}" in literal for literal in [tail, *(part[0] for part in parts)]):
        raise ValueError(f"only {{field}} and {{field:url}} may stand in braces: {text!r}")
    return parts, tail


def percent_encoded(text: str) -> str:
    """Encode a text for any part of a URL."""
    return text if text.isascii() and text.isalnum() else _quoted(text)


@lru_cache(maxsize=1024)
def _quoted(text: str) -> str:
    return quote(text, safe="")


def template_fields(options: TemplateOptions) -> tuple[str, ...]:
    """Give the names of the fields that a template reads, each once."""
    parts = [part for text in options.texts for part in template_parts(text)[0]]
    return tuple(dict.fromkeys(field for _, field, _ in parts))


def _prepare(options: TemplateOptions, _tables: Tables) -> Callable[[Mapping[str, Any]], str | None]:
    templates = [template_parts(text) for text in options.texts]

    def apply(fields: Mapping[str, Any]) -> str | None:
        made = (_fill(parts, tail, fields) for parts, tail in templates)
        return next((text for text in made if text is not None), None)

    return apply


def _fill(parts: Parts, tail: str, fields: Mapping[str, Any]) -> str | None:
    pieces = []
    for literal, field, url in parts:
        value = fields.get(field)
        if type(value) is not str:
            return None
        pieces += [literal, percent_encoded(value) if url else value]
    return "".join([*pieces, tail])


SPEC = OperationSpec("template", "fields", _prepare)
