"""The reference page of the fields, written from the entries of a catalogue."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

import msgspec
from msgspec import UNSET

from guardduty_lens.catalogue.load import Catalogue
from guardduty_lens.catalogue.model import Condition, Entry, Example, Operation, Source

_HEAD = """# Fields

Every field that a record gets, written by `guardduty-lens fields docs` from the catalogue; its examples are
tests. *one* is a single value, *many* an array of unique values; a field without a value is left out.
Paths start at the record's top, in EventBridge layout. An example's *given* is laid over a smallest finding.
"""


def reference_page(catalogue: Catalogue) -> str:
    """Give the page, in Markdown."""
    shown = [entry for entry in catalogue.entries if not entry.hidden]
    parts = [_HEAD]
    for group, entries in groupby(shown, key=lambda entry: catalogue.groups[entry.field]):
        parts.append(f"## {group}\n")
        parts += [_entry(entry) for entry in entries]
    return "\n".join(parts)


def _entry(entry: Entry) -> str:
    lines = [
        f"### {entry.field}",
        "",
        f"*{entry.type}, {entry.cardinality}.* {' '.join(entry.description.split())}",
        "",
    ]
    lines += [f"- {line}" for line in _origins(entry)]
    lines += ["", "| given | gives |", "|---|---|"]
    lines += [f"| {_code(example.given)} | {_outcome(example)} |" for example in entry.examples]
    return "\n".join([*lines, ""])


def _origins(entry: Entry) -> Iterator[str]:
    for source in entry.sources():
        yield _source(source)
    if entry.gather == "first":
        yield "the first of these that gives anything"
    if entry.when is not None:
        yield f"only when {_condition(entry.when)}"
    if entry.default is not None:
        yield f"default {_code(entry.default)}"


def _source(source: Source) -> str:
    operation = source.operation or Operation()
    options = _options(operation.options)
    how = f"operation `{operation.name}`" + (f" {options}" if options else "")
    if source.join:
        return f"{' / '.join(f'`{path}`' for path in source.join)}, {how}"
    if source.path is None:
        return how
    return f"`{source.path}`" if operation.name == "path" and not options else f"`{source.path}`, {how}"


def _options(options: Any) -> str:
    given = msgspec.to_builtins(options)
    return _code(given) if given else ""


def _condition(condition: Condition) -> str:
    if condition.exists is not None:
        return f"`{condition.path}` is {'there' if condition.exists else 'not there'}"
    values: list[Any] = condition.one_of or [condition.equals]
    return f"`{condition.path}` is {' or '.join(_code(value) for value in values)}"


def _outcome(example: Example) -> str:
    parts = []
    if example.gives is not UNSET:
        parts.append(_code(example.gives))
    if example.gives_nothing:
        parts.append("nothing")
    if example.warns:
        parts.append(f"warning {', '.join(_code(code) for code in example.warns)}")
    return "; ".join(parts)


def _code(value: Any) -> str:
    text = msgspec.json.encode(value).decode().replace("|", "\\|")
    fence = "``" if "`" in text else "`"
    return f"{fence}{text}{fence}"
