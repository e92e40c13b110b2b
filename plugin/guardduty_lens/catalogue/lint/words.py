"""What JSON Schema says of a file, in the words of a catalogue."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from jsonschema.exceptions import ValidationError

from guardduty_lens.catalogue.lint.suggest import did_you_mean
from guardduty_lens.catalogue.positions import Where

_TYPES = {
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "a value",
}

_PATTERNS = {
    "field": "a letter, then letters, digits and _, 64 characters at most",
    "group": "a small letter, then small letters, digits and _",
}


class Fault(NamedTuple):
    """A fault of the value at `where`, of a character in it (`offset`), or of its `key`."""

    where: Where
    message: str
    offset: int | None = None
    key: bool = False


def plain_faults(errors: Iterable[ValidationError]) -> Iterator[Fault]:
    """Say each error of a validation in plain words."""
    for error in errors:
        where = tuple(error.absolute_path)
        if error.validator == "anyOf":
            yield from _fault_of_choice(error, where)
        elif error.validator == "additionalProperties":
            yield from _unknown_keys(error, where)
        elif error.validator == "required":
            yield from _missing_keys(error, where)
        else:
            yield Fault(where, _message(error, where))


def _fault_of_choice(error: ValidationError, where: Where) -> Iterator[Fault]:
    """Take the alternative that was meant: a text or a mapping, by what is there."""
    wanted = [_TYPES["string"], _TYPES["object"]]
    if not isinstance(error.instance, str | dict):
        yield Fault(where, f"{_name(where)} should be {' or '.join(wanted)}{_instead(error.instance)}")
        return
    alternatives: Any = error.validator_value
    meant = _alternative(alternatives, text=isinstance(error.instance, str))
    yield from plain_faults(below for below in error.context or () if below.relative_schema_path[0] == meant)


def _alternative(alternatives: Sequence[Mapping[str, Any]], *, text: bool) -> int:
    return next(index for index, item in enumerate(alternatives) if ("$ref" in item) != text)


def _unknown_keys(error: ValidationError, where: Where) -> Iterator[Fault]:
    known: Mapping[str, Any] = error.schema["properties"] if isinstance(error.schema, Mapping) else {}
    word = "operation" if where[-1:] == ("operation",) else "key"
    present: Any = error.instance
    for key in present:
        if key not in known:
            hint = did_you_mean(key, known) or _known_keys(known)
            yield Fault((*where, key), f"unknown {word} {key!r}{hint}", key=True)


def _known_keys(known: Iterable[str]) -> str:
    names = ", ".join(known)
    return f"; known: {names}" if names else "; there are none here"


def _missing_keys(error: ValidationError, where: Where) -> Iterator[Fault]:
    """List all that are missing: each of them is an error of its own, the runner drops repetitions."""
    wanted: Any = error.validator_value
    present: Any = error.instance
    for key in wanted:
        if key not in present:
            yield Fault(where, f"{key!r} is missing", key=True)


def _message(error: ValidationError, where: Where) -> str:
    name = _name(where)
    value: Any = error.instance
    limit: Any = error.validator_value
    match error.validator:
        case "type":
            wanted = [limit] if isinstance(limit, str) else list(limit)
            return f"{name} should be {_any_of(wanted)}{_instead(value)}{_advice(wanted, value)}"
        case "enum":
            return f"{name} cannot be {_short(value)}{did_you_mean(value, limit) or _one_of(limit)}"
        case "pattern":
            return f"{name} cannot be {_short(value)}: {_PATTERNS.get(str(where[-1]), limit)}"
        case "minLength":
            return f"{name} may not be empty"
        case "minItems":
            return f"{name} needs at least {limit}, found {len(value)}"
        case "minProperties" | "maxProperties":
            return f"{name} names exactly {limit}, found {', '.join(value) or 'none'}"
        case "minimum":
            return f"{name} should be at least {limit}, not {value}"
        case "maximum":
            return f"{name} should be at most {limit}, not {value}"
    return f"{name}: {error.message}"


def _name(where: Where) -> str:
    """Call a value by its key; an element by that of its list."""
    names = [step for step in where if isinstance(step, str)]
    if not names:
        return "the file"
    return f"each of {names[-1]!r}" if isinstance(where[-1], int) else repr(names[-1])


def _any_of(types: Sequence[str]) -> str:
    words = [_TYPES[name] for name in types]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _one_of(values: Iterable[str]) -> str:
    return f"; known: {', '.join(values)}"


def _instead(value: Any) -> str:
    if value is None:
        return ", but is empty"
    if isinstance(value, dict | list):
        return ", not a mapping" if isinstance(value, dict) else ", not a list"
    if isinstance(value, str):
        return f", not the text {_short(value)}"
    return f", not {_short(value)}" if isinstance(value, bool) else f", not the number {_short(value)}"


def _short(value: Any) -> str:
    """Quote a value as a file has it, cut where it is long."""
    text = {True: "true", False: "false"}[value] if isinstance(value, bool) else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def _advice(wanted: Sequence[str], value: Any) -> str:
    if "string" in wanted and isinstance(value, bool | int | float):
        return "; put it in quotes"
    return ""
