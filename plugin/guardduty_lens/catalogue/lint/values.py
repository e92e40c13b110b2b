"""Checks of the values that entries give: constants, defaults, examples."""

from collections.abc import Iterator

from msgspec import UNSET

from guardduty_lens.catalogue.lint.subject import Subject
from guardduty_lens.catalogue.lint.suggest import did_you_mean
from guardduty_lens.catalogue.lint.uses import uses_of
from guardduty_lens.catalogue.lint.words import Fault
from guardduty_lens.catalogue.model import Example
from guardduty_lens.catalogue.operations.warnings import WARNING_CODES
from guardduty_lens.catalogue.positions import Where
from guardduty_lens.catalogue.types import CHECKS as TYPE_CHECKS


def check_constant(subject: Subject) -> Iterator[Fault]:
    """Require that a constant is of the field's type."""
    for use in uses_of(subject, "constant"):
        constant = use.operation.constant
        assert constant is not None
        if not TYPE_CHECKS[subject.entry.type](constant.value):
            yield Fault((*use.options_at, "value"), f"{constant.value!r} is no {subject.entry.type!r}")


def check_default(subject: Subject) -> Iterator[Fault]:
    """Require that a default is of the field's type, and only a single value has one."""
    entry = subject.entry
    if entry.default is None:
        return
    if entry.cardinality == "many":
        yield Fault(("default",), "a field of many values has no default", key=True)
    elif not TYPE_CHECKS[entry.type](entry.default):
        yield Fault(("default",), f"{entry.default!r} is no {entry.type!r}")


def check_examples_say(subject: Subject) -> Iterator[Fault]:
    """Require that an example says what the entry gives, that it gives nothing, or what it warns of."""
    for number, example in enumerate(subject.entry.examples):
        said = (example.gives is not UNSET) + example.gives_nothing
        at = ("examples", number)
        if said == 2:
            yield Fault(at, "an example has 'gives' or 'gives_nothing', not both")
        elif said == 0 and not example.warns:
            yield Fault(at, "an example says what it 'gives', 'gives_nothing: true', or what it 'warns'")


def check_example_values(subject: Subject) -> Iterator[Fault]:
    """Require that what an example gives is of the field's type and cardinality."""
    for number, example in enumerate(subject.entry.examples):
        for below, message in _wrong_values(subject, example):
            yield Fault(("examples", number, "gives", *below), message)


def check_example_warnings(subject: Subject) -> Iterator[Fault]:
    """Require that an example warns with codes that there are."""
    for number, example in enumerate(subject.entry.examples):
        for index, code in enumerate(example.warns or ()):
            if code not in WARNING_CODES:
                message = f"there is no warning {code!r}{did_you_mean(code, WARNING_CODES)}"
                yield Fault(("examples", number, "warns", index), message)


def _wrong_values(subject: Subject, example: Example) -> Iterator[tuple[Where, str]]:
    value, entry = example.gives, subject.entry
    holds = TYPE_CHECKS[entry.type]
    if value is UNSET:
        return
    if value is None:
        yield (), "that nothing is given is written 'gives_nothing: true'"
    elif entry.cardinality == "one":
        if not holds(value):
            yield (), f"{value!r} is no {entry.type!r}"
    elif not isinstance(value, list) or not value:
        yield (), "a field of many values gives a list that is not empty, or 'gives_nothing: true'"
    else:
        for index, item in enumerate(value):
            if not holds(item):
                yield (index,), f"{item!r} is no {entry.type!r}"
