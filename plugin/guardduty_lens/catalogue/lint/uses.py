"""Checks of how operations and sources come together."""

from collections.abc import Iterator

from guardduty_lens.catalogue.lint.subject import NUMBER_TYPES, TEXT_TYPES, Subject, Use
from guardduty_lens.catalogue.lint.suggest import did_you_mean
from guardduty_lens.catalogue.lint.words import Fault
from guardduty_lens.catalogue.model import Condition, Operation
from guardduty_lens.catalogue.operations.kind import KINDS
from guardduty_lens.catalogue.paths import Key, PathError, parse_path

FIXED_CODE = ("kind", "warnings")
"""Operations of the shipped catalogue alone: they are code that means one field each."""

_GIVES = dict.fromkeys(
    ("kind", "warnings", "finding_type", "regex", "split", "bands", "template", "case", "text"), TEXT_TYPES
) | {"number": NUMBER_TYPES}
"""Types of fields that take what an operation always gives."""


def check_fixed_code(subject: Subject) -> Iterator[Fault]:
    """Require that a user's file has no operation that is fixed code."""
    if subject.builtin is None:
        return
    for use in subject.uses():
        if use.operation.name in FIXED_CODE:
            message = f"{use.operation.name!r} is for the built-in catalogue alone"
            yield Fault(use.operation_at, message, key=True)


def check_needs_source(subject: Subject) -> Iterator[Fault]:
    """Require that an operation on values has one path or join, the others have none."""
    for use in subject.uses():
        name = use.operation.name
        given = (use.source.path is not None) + (use.source.join is not None)
        if use.takes_source and given == 0:
            missing = "'from' is missing" if use.at == () else "'path' (or 'join') is missing"
            yield Fault(use.at or ("field",), f"{missing}: the operation {name!r} needs a source")
        elif use.takes_source and given == 2:
            yield Fault(use.at, "a source has 'path' or 'join', not both")
        elif not use.takes_source and given:
            yield Fault(use.at, f"the operation {name!r} reads no source: take it away")


def check_gives_type(subject: Subject) -> Iterator[Fault]:
    """Require that what the operation gives is of the field's type."""
    for use in subject.uses():
        types = _types_given(use.operation)
        if types and subject.entry.type not in types:
            message = (
                f"{use.operation.name!r} gives no {subject.entry.type!r}, only {', '.join(sorted(types))}"
            )
            yield Fault(use.options_at, message, key=True)


def check_regex_source(subject: Subject) -> Iterator[Fault]:
    """Require that a regex reads one event path without an array step: it runs before fields are set."""
    for use in subject.uses():
        if use.operation.regex is None:
            continue
        if use.source.join:
            yield Fault((*use.at, "join"), "a regex reads one path, no 'join'")
        elif use.source.path is not None:
            message = _regex_source(subject, use.source.path)
            if message:
                yield Fault(use.path_at, message)


def check_join(subject: Subject) -> Iterator[Fault]:
    """Require that a join has single texts only."""
    for use in subject.uses():
        for where, text in use.reads():
            message = _join_part(subject, text) if use.source.join and where != use.path_at else ""
            if message:
                yield Fault(where, message)


def check_condition(subject: Subject) -> Iterator[Fault]:
    """Require that a condition says exactly one thing, and no kind that there is not."""
    condition = subject.entry.when
    if condition is None:
        return
    wanted = ("exists", "equals", "one_of")
    given = [name for name in wanted if getattr(condition, name) is not None]
    if len(given) != 1:
        found = " and ".join(given) or "none"
        yield Fault(
            ("when",), f"'when' has exactly one of exists, equals and one_of, found {found}", key=True
        )
    if condition.path == "record_kind":
        yield from _unknown_kinds(condition)


def _types_given(operation: Operation) -> frozenset[str]:
    if operation.objects:
        return TEXT_TYPES if operation.objects.text is not None else frozenset({"geo_point"})
    return _GIVES.get(operation.name, frozenset())


def _regex_source(subject: Subject, text: str) -> str:
    if text in subject.before or text in subject.later:
        return f"a regex runs before fields are set and reads the event alone, not the field {text!r}"
    return "" if _is_single(text) else "a regex reads one text: no path with [*] or [key=VALUE]"


def _join_part(subject: Subject, text: str) -> str:
    known = subject.before.get(text)
    if known and known.cardinality == "many":
        return f"{text!r} may have many values; only single ones are joined"
    if known and known.type and known.type not in TEXT_TYPES:
        return f"{text!r} is no text; only texts are joined"
    return "" if _is_single(text) else "only single values are joined: no path with [*] or [key=VALUE]"


def _is_single(text: str) -> bool:
    """Tell whether a path has no array step; a bad path is another check's."""
    try:
        return all(isinstance(step, Key) for step in parse_path(text))
    except PathError:
        return True


def _unknown_kinds(condition: Condition) -> Iterator[Fault]:
    named = {("when", "equals"): condition.equals} if condition.equals is not None else {}
    values = named | {("when", "one_of", index): item for index, item in enumerate(condition.one_of or ())}
    for where, value in values.items():
        if value not in KINDS:
            yield Fault(where, f"no record is of kind {value!r}{did_you_mean(value, KINDS)}")


def uses_of(subject: Subject, operation: str) -> Iterator[Use]:
    """Give the uses of one operation."""
    return (use for use in subject.uses() if use.operation.name == operation)
