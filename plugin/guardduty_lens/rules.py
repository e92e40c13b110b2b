"""Rules by which a user leaves records out: each has a name, and what it left out is counted by it."""

import math
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from guardduty_lens.findings.severity import SeverityScheme
from guardduty_lens.record import Record

_NUMERIC_TYPES = frozenset({"byte", "integer", "long", "double"})


class Rule(NamedTuple):
    """A named rule; `drops` tells whether a record is left out."""

    name: str
    drops: Callable[[Record], bool]


class RuleError(ValueError):
    """A rule that cannot be read, and why."""


def only_kinds(kinds: Collection[str]) -> Rule:
    """Leave out every record of another kind."""
    return Rule("only", lambda record: record.kind not in kinds)


def exclude_samples() -> Rule:
    """Leave out AWS's sample findings."""
    return Rule("exclude-samples", lambda record: record.fields.get("is_sample") is True)


def exclude_archived() -> Rule:
    """Leave out archived findings."""
    return Rule("exclude-archived", lambda record: record.fields.get("is_archived") is True)


def min_severity(text: str, scheme: SeverityScheme) -> Rule:
    """Leave out findings below a label or a score; those of rank 0 (Unknown, Reserved) stay.

    Raises RuleError for what is neither.
    """
    ranks = {label.lower(): rank for label, rank in scheme.ranks().items()}
    if text.lower() in ranks:
        field, least = "severity_rank", float(ranks[text.lower()])
    else:
        labels = ", ".join(scheme.ranks())
        field, least = "severity_score", _number(text, f"the labels of the scheme {scheme.name} are {labels}")

    def drops(record: Record) -> bool:
        if record.kind != "finding" or not record.fields.get("severity_rank"):
            return False
        return bool(record.fields.get(field, 0) < least)

    return Rule("min-severity", drops)


def rules_of(
    *,
    only: Collection[str] = (),
    least_severity: str | None = None,
    without_samples: bool = False,
    without_archived: bool = False,
    drop: Iterable[str] = (),
    keep: Iterable[str] = (),
    scheme: SeverityScheme,
    types: Mapping[str, str],
) -> list[Rule]:
    """Make the rules that a user asks for. Raises RuleError."""
    made = [only_kinds(only)] if only else []
    made += [exclude_samples()] if without_samples else []
    made += [exclude_archived()] if without_archived else []
    made += [min_severity(least_severity, scheme)] if least_severity is not None else []
    made += [drop_if(text, types) for text in drop]
    return made + [keep_if(text, types) for text in keep]


def drop_if(text: str, types: Mapping[str, str]) -> Rule:
    """Leave out records for which a condition holds; see `parse_condition` for its form."""
    name, holds = parse_condition(text, types)
    return Rule(name, lambda record: holds(record.fields))


def keep_if(text: str, types: Mapping[str, str]) -> Rule:
    """Leave out records for which a condition does not hold."""
    name, holds = parse_condition(text, types)
    return Rule(name, lambda record: not holds(record.fields))


_NAME = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9_.-]*):\s+")
_TEST = re.compile(
    r"""(?P<absent>!)?(?P<field>[A-Za-z][A-Za-z0-9_]*)"""
    r"""(?:\s*(?P<operator>!=|<=|>=|=|<|>|~)\s*(?P<value>"[^"]*"|'[^']*'|[^\s"']+))?"""
)
_AND = re.compile(r"\s+and\s+")

_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda value, wanted: bool(value == wanted),
    "<": lambda value, wanted: bool(value < wanted),
    "<=": lambda value, wanted: bool(value <= wanted),
    ">": lambda value, wanted: bool(value > wanted),
    ">=": lambda value, wanted: bool(value >= wanted),
    "~": fnmatchcase,
}

Test = Callable[[Mapping[str, Any]], bool]


def parse_condition(text: str, types: Mapping[str, str]) -> tuple[str, Test]:
    """Read `[NAME: ]TEST[ and TEST]…` into its name (else its text) and a function of a record's fields.

    A TEST is `field`, `!field` (absent), or `field OPERATOR value`: `=`, `!=`, `~` (a pattern with `*` and
    `?`), and `< <= > >=` on numbers. On fields of many values any one counts; `!=` means none is equal.
    `types` gives each field's type. Raises RuleError with what is wrong and where.
    """
    name = _NAME.match(text)
    position = name.end() if name else 0
    tests = []
    while True:
        test = _TEST.match(text, position)
        if test is None:
            raise RuleError(f"expected a field at character {position + 1} of the rule {text!r}")
        tests.append(_test(test, types))
        position = test.end()
        if position == len(text.rstrip()):
            break
        joined = _AND.match(text, position)
        if joined is None:
            raise RuleError(f"expected 'and' at character {position + 1} of the rule {text!r}")
        position = joined.end()
    return name["name"] if name else text.strip(), lambda fields: all(test(fields) for test in tests)


def _test(test: re.Match[str], types: Mapping[str, str]) -> Test:
    field, operator = test["field"], test["operator"]
    if field not in types:
        near = get_close_matches(field, types, n=1)
        raise RuleError(f"no field {field!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
    if operator is None:
        return (lambda fields: field not in fields) if test["absent"] else (lambda fields: field in fields)
    if test["absent"]:
        raise RuleError(f"'!' stands before a field alone: {test[0]!r}")
    if operator == "=" and test["value"].startswith("="):
        raise RuleError(f"no operator == in {test[0]!r}: write =")
    wanted = _wanted(_unquoted(test["value"]), operator, field, types[field])
    compare = _COMPARISONS["=" if operator == "!=" else operator]

    def any_holds(fields: Mapping[str, Any]) -> bool:
        value = fields.get(field)
        values = value if isinstance(value, list) else [] if value is None else [value]
        return any(compare(item, wanted) for item in values)

    return (lambda fields: not any_holds(fields)) if operator == "!=" else any_holds


def _unquoted(value: str) -> str:
    return value[1:-1] if value[0] in "\"'" else value


def _wanted(value: str, operator: str, field: str, field_type: str) -> str | float | bool:
    if operator in {"<", "<=", ">", ">="} and field_type not in _NUMERIC_TYPES:
        raise RuleError(f"{operator} needs a number, and {field!r} is of type {field_type}")
    if operator == "~" and field_type in _NUMERIC_TYPES | {"boolean", "geo_point"}:
        raise RuleError(f"~ needs text, and {field!r} is of type {field_type}")
    if field_type in _NUMERIC_TYPES:
        return _number(value, f"{field!r} is of type {field_type}")
    if field_type == "boolean":
        if value not in {"true", "false"}:
            raise RuleError(f"{field!r} is true or false, not {value!r}")
        return value == "true"
    return value.replace("[", "[[]") if operator == "~" else value  # a bracket is no pattern of ours


def _number(text: str, otherwise: str) -> float:
    try:
        number = float(text)
    except ValueError as error:
        raise RuleError(f"{text!r} is no number; {otherwise}") from error
    if not math.isfinite(number):
        raise RuleError(f"{text!r} is no number that a field can have; {otherwise}")
    return number
