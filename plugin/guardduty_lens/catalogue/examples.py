"""The examples of entries, which are their tests."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from msgspec import UNSET

from guardduty_lens.catalogue.load import Catalogue
from guardduty_lens.catalogue.model import CatalogueFile, Entry, Example
from guardduty_lens.catalogue.types import same_scalar
from guardduty_lens.engine.oracle import Oracle
from guardduty_lens.engine.plan import compile_plan
from guardduty_lens.findings.severity import AWS

SMALLEST_FINDING: dict[str, Any] = {
    "version": "0",
    "detail-type": "GuardDuty Finding",
    "source": "aws.guardduty",
    "account": "111122223333",
    "region": "us-east-1",
    "resources": [],
    "detail": {
        "schemaVersion": "2.0",
        "accountId": "111122223333",
        "region": "us-east-1",
        "id": "f1",
        "type": "Recon:EC2/Portscan",
        "severity": 5,
        "service": {},
        "resource": {},
    },
}
"""What an example's `given` is laid over."""


class Failure(NamedTuple):
    """An example (counted from 0) that does not hold, and how."""

    field: str
    example: int
    message: str


def check_examples(catalogue: Catalogue, fields: Iterable[str] | None = None) -> list[Failure]:
    """Run the examples of a catalogue's entries (or of the named ones) and list those that fail."""
    oracle = Oracle(compile_plan(catalogue.entries, catalogue.tables, AWS))
    wanted = None if fields is None else set(fields)
    return [
        Failure(entry.field, number, message)
        for entry in catalogue.entries
        if wanted is None or entry.field in wanted
        for number, example in enumerate(entry.examples)
        if (message := _failure(oracle, entry, example))
    ]


def example_problems(parsed: Sequence[CatalogueFile]) -> list[Failure]:
    """Check the examples of a user's files laid over the built-in catalogue."""
    from guardduty_lens.catalogue.load import builtin_catalogue, merge

    fields = [entry.field for file in parsed for entry in file.fields]
    return check_examples(merge(list(parsed), builtin_catalogue()), fields)


def example_event(example: Example) -> dict[str, Any]:
    """Give the event an example speaks of."""
    return dict(example.given) if example.alone else lay_over(SMALLEST_FINDING, example.given)


def lay_over(base: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """Merge objects into objects; a null takes a key away, anything else replaces."""
    merged = dict(base)
    for key, value in change.items():
        below = merged.get(key)
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict):
            merged[key] = lay_over(below if isinstance(below, dict) else {}, value)
        else:
            merged[key] = value
    return merged


def _failure(oracle: Oracle, entry: Entry, example: Example) -> str:
    fields = oracle.fields(example_event(example))
    got = fields.get(entry.field)
    if example.gives is not UNSET and not same_json(got, example.gives):
        return f"gives {_shown(got)}, not {_shown(example.gives)}"
    if example.gives_nothing and got is not None:
        return f"gives {_shown(got)}, not nothing"
    missing = [code for code in example.warns or () if code not in fields.get("lens_warnings", ())]
    return f"does not warn {', '.join(missing)}" if missing else ""


def _shown(value: Any) -> str:
    return "nothing" if value is None else repr(value)


def same_json(one: Any, other: Any) -> bool:
    """Tell whether two values are the same JSON: 8 is 8.0, true is not 1, order of arrays counts."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same_json(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same_json, one, other))
    return same_scalar(one, other)
