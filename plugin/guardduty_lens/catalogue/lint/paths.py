"""Checks of what entries read: paths into the record, AWS's model of a finding, fields added before."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from guardduty_lens.aws_model import Shape, load_finding_model
from guardduty_lens.catalogue.lint.subject import NUMBER_TYPES, TEXT_TYPES, Subject, Use
from guardduty_lens.catalogue.lint.suggest import did_you_mean
from guardduty_lens.catalogue.lint.words import Fault
from guardduty_lens.catalogue.model import ENVELOPE_KEYS
from guardduty_lens.catalogue.paths import Each, Key, Match, Path, PathError, Step, format_path, parse_path

EVENT_KEYS = ENVELOPE_KEYS | {"asff"}
"""Keys of an event that a path may start with; `asff` holds what came in Security Hub's form."""

_TEXT_KEYS = ENVELOPE_KEYS - {"detail", "resources"}

_FITTING_TYPES = {
    "string": TEXT_TYPES,
    "boolean": frozenset({"boolean"}),
    "integer": NUMBER_TYPES,
    "long": NUMBER_TYPES,
    "double": NUMBER_TYPES,
    "structure": frozenset({"geo_point"}),
}
"""Types of fields that take a value of AWS's model as it is."""


class _Flaw(NamedTuple):
    message: str
    offset: int = 0


def check_sources(subject: Subject) -> Iterator[Fault]:
    """Require that every path of a source leads somewhere."""
    for use in subject.uses():
        outside = use.source.outside_model is not None
        for where, text in use.reads():
            if use.operation.regex and text in (*subject.before, *subject.later):
                continue  # that a regex reads no fields is another check's
            for flaw in _flaws(subject, text, outside=outside):
                yield Fault(where, flaw.message, flaw.offset)


def check_condition_path(subject: Subject) -> Iterator[Fault]:
    """Require that the path of `when` leads somewhere; outside AWS's model if that of a source does."""
    if subject.entry.when is not None:
        outside = any(use.source.outside_model for use in subject.uses())
        for flaw in _flaws(subject, subject.entry.when.path, outside=outside):
            yield Fault(("when", "path"), flaw.message, flaw.offset)


def check_outside_model(subject: Subject) -> Iterator[Fault]:
    """Require that only paths outside AWS's model claim to be (asked of shipped files alone).

    A newer model may learn a user's path; that must not break the user's file.
    """
    for use in subject.uses():
        if use.source.outside_model is None or subject.builtin is not None:
            continue
        if all(model_shape(text) for _, text in use.reads()):
            yield Fault(
                (*use.at, "outside_model"), "AWS's model knows this path: no reason is needed", key=True
            )


def check_kind_of_value(subject: Subject) -> Iterator[Fault]:
    """Require that by AWS's model the value is one that the operation, or the field's type, takes."""
    for use in subject.uses():
        if use.source.outside_model is None:
            for where, text in use.reads():
                shape = model_shape(text)
                message = _misfit(subject, use, shape) if shape else ""
                if message:
                    yield Fault(where, f"{text} {message}")


def model_shape(text: str) -> Shape | None:
    """Give what a path leads to by AWS's model; None for other paths and for texts that are none."""
    try:
        path = parse_path(text)
    except PathError:
        return None
    return load_finding_model().resolve(_model_steps(path)) if _first_key(path) == "detail" else None


def _flaws(subject: Subject, text: str, *, outside: bool) -> Iterator[_Flaw]:
    try:
        path = parse_path(text)
    except PathError as error:
        yield _Flaw(str(error), error.offset)
        return
    first = _first_key(path)
    if first == "detail":
        if not outside:
            yield from _model_flaws(path)
    elif first in EVENT_KEYS:
        if first in _TEXT_KEYS and len(path) > 1:
            yield _Flaw(f"{first!r} is a text: nothing lies below it", len(first))
    elif first in subject.before:
        if len(path) > 1:
            yield _Flaw(f"the field {first!r} is read by its name alone", len(first))
    elif first in subject.later:
        yield _Flaw(_too_late(subject, first))
    elif not outside:
        yield _Flaw(_unknown_start(subject, path))


def _too_late(subject: Subject, field: str) -> str:
    if field == subject.entry.field:
        return f"{field!r} reads itself"
    if subject.builtin is not None and subject.entry.field in subject.builtin:
        return f"{field!r} is set after {subject.entry.field!r}, which keeps its place in the built-in order"
    if any(use.operation.regex for use in subject.uses()):
        return f"{field!r} is set later: an entry with a regex runs before fields are set"
    return f"{field!r} is set later ({subject.later[field].place}): a field reads those set before it"


def _unknown_start(subject: Subject, path: Path) -> str:
    first = _first_key(path)
    message = f"{first!r} is no key of an event and no field set before"
    if load_finding_model().resolve((first,)):
        return f"{message}; did you mean {'detail.' + format_path(path)!r}?"
    return message + did_you_mean(first, [*sorted(EVENT_KEYS), *subject.before])


def _model_flaws(path: Path) -> Iterator[_Flaw]:
    """Tell the first step that AWS's model does not know."""
    model, steps = load_finding_model(), _model_steps(path)
    for done in range(1, len(steps) + 1):
        if model.resolve(steps[:done]) is None:
            offset = len(format_path(path[: done + 1])) - len(steps[done - 1])
            yield _Flaw(_not_in_model(path, done), offset)
            return
    for done, step in enumerate(path[1:]):
        if isinstance(step, Match) and model.resolve((*steps[:done], "[*]", step.name)) is None:
            yield _Flaw(f"AWS's model knows no {step.name!r} in {format_path(path[: done + 1])}[*]")


def _not_in_model(path: Path, done: int) -> str:
    steps = _model_steps(path)
    above, step = format_path(path[:done]), steps[done - 1]
    near = load_finding_model().suggest(steps[:done])
    if near == ("[*]",):
        return f"{above} is a list: write {above}[*]"
    if step.startswith("["):
        return f"{above} is no list in AWS's model: take {step} away"
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return f"AWS's model of a finding knows no {step!r} in {above}{hint}"


def _misfit(subject: Subject, use: Use, shape: Shape) -> str:
    name, kind = use.operation.name, shape.kind
    if kind == "list":
        return "is a list: add [*]"
    if name == "objects":
        return "" if kind in ("structure", "map", "any") else "is no object, which 'objects' needs"
    if name == "path" and subject.entry.type not in _FITTING_TYPES.get(kind, {subject.entry.type}):
        return f"is {_KIND_WORDS[kind]} in AWS's model, which {subject.entry.type!r} never takes"
    if kind == "structure" and name != "path":
        return f"is an object, which {name!r} cannot use: take one of its members"
    return ""


_KIND_WORDS = {
    "string": "a text",
    "boolean": "true or false",
    "integer": "a number",
    "long": "a number",
    "double": "a number",
    "structure": "an object",
}


def _first_key(path: Path) -> str:
    first = path[0]
    return first.name if isinstance(first, Key) else ""


def _model_steps(path: Path) -> Sequence[str]:
    """Give the steps below `detail` as AWS's model takes them."""
    return tuple(_model_step(step) for step in path[1:])


def _model_step(step: Step) -> str:
    match step:
        case Key(name):
            return name
        case Each():
            return "[*]"
        case Match(name, value):
            return f"[{name}={value}]"
