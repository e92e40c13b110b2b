"""The linter of alert files: every fault of every file at once, each with its place."""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

import msgspec
from jsonschema import Draft202012Validator

from guardduty_lens.alerts.model import BUCKETS, Alert, Fires
from guardduty_lens.alerts.normal import normal
from guardduty_lens.catalogue.lint.words import Fault, plain_faults
from guardduty_lens.catalogue.positions import Document, Where, read_yaml
from guardduty_lens.catalogue.problems import Problem
from guardduty_lens.catalogue.schema import plain_schema
from guardduty_lens.visuals.fields import NUMBERS, Fields
from guardduty_lens.visuals.lint import known_faults, placed, where_faults

Check = Callable[[Alert, Fields], Iterator[Fault]]


def lint_alerts(files: Mapping[str, str], fields: Fields) -> tuple[list[Alert], list[Problem]]:
    """Look at the texts of alert files, by name.

    Gives the alerts of right shape, in the files' order, and all problems, sorted. Never raises.
    """
    alerts: list[Alert] = []
    problems: set[Problem] = set()
    places: dict[str, str] = {}
    for name, text in files.items():
        document, alert, found = _shape(name, text)
        problems.update(found)
        if alert is None:
            continue
        alerts.append(alert)
        faults = [fault for check in CHECKS for fault in check(alert, fields)]
        if alert.id in places:
            faults.append(Fault(("id",), f"the alert {alert.id!r} is already in {places[alert.id]}"))
        places.setdefault(alert.id, name)
        problems.update(placed(document, fault) for fault in faults)
    return alerts, sorted(problems)


def alert_schema() -> dict[str, Any]:
    """Give the JSON Schema (2020-12) of an alert file whose shorthand is written out."""
    exported = plain_schema(msgspec.json.schema(Alert))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:guardduty-lens:alert",
        "title": "Alert file of guardduty-lens",
        **exported,
    }


def _shape(name: str, text: str) -> tuple[Document, Alert | None, list[Problem]]:
    document = read_yaml(text, name)
    if document.problems:
        return document, None, [*document.problems, *document.duplicates]
    data = normal(document.data)
    faults = list(plain_faults(_validator().iter_errors(data)))
    alert = None
    if not faults:
        try:
            alert = msgspec.convert(data, Alert)
        except msgspec.ValidationError as error:  # numbers beyond 64 bits, which the schema allows
            faults.append(Fault((), str(error)))
    return document, alert, [*(placed(document, fault) for fault in faults), *document.duplicates]


def _check_fires(alert: Alert, fields: Fields) -> Iterator[Fault]:  # noqa: ARG001 - as every check
    given = [name for name in Fires.__struct_fields__ if getattr(alert.fires, name) is not None]
    if len(given) != 1:
        yield Fault(("fires",), f"an alert fires in exactly one way, found {', '.join(given) or 'none'}")
        return
    [kind] = given
    if (kind in BUCKETS) and not alert.by:
        yield Fault(("fires", kind), f"{kind} is of each bucket: by which fields?", key=True)
    if alert.by and kind not in (*BUCKETS, "above"):
        yield Fault(("by",), f"{kind} is of all records together, not of buckets", key=True)
    if alert.window is None and (kind in (*BUCKETS, "usual") or alert.index != "state"):
        yield Fault((), "an alert needs a window; only what counts the state may go without")


def _check_fields(alert: Alert, fields: Fields) -> Iterator[Fault]:
    index, fires = alert.index, alert.fires
    for number, field in enumerate(alert.by):
        yield from known_faults(fields, index, field, ("by", number))
    wheres: dict[Where, Any] = {("where",): alert.where}
    if fires.share is not None:
        wheres["fires", "share", "of"] = fires.share.of
    for at, where in wheres.items():
        if where is not None:
            yield from where_faults(fields, index, where, at)
    if fires.first is not None:
        yield from known_faults(fields, index, fires.first, ("fires", "first"), "date")
    for name, part in {"growth": fires.growth, "rise": fires.rise}.items():
        if part is None:
            continue
        at = ("fires", name, "field")
        yield from known_faults(fields, index, part.field, at)
        kind = fields.type_of(index, part.field)
        if kind is not None and kind not in NUMBERS:
            yield Fault(at, f"{name} needs a number, and {part.field} is a {kind}")


def _check_parameters(alert: Alert, fields: Fields) -> Iterator[Fault]:  # noqa: ARG001 - as every check
    for number, tests in enumerate(alert.where or ()):
        for field, test in tests.items():
            for value in test.is_ or ():
                if isinstance(value, str) and value.startswith("$") and value[1:] not in alert.parameters:
                    at: Where = ("where", number, field)
                    yield Fault(at, f"{value} is no parameter: name it under parameters")


def _check_cases(alert: Alert, fields: Fields) -> Iterator[Fault]:  # noqa: ARG001 - as every check
    if len({case.fires for case in alert.cases}) < 2:
        yield Fault(("cases",), "cases that fire and cases that do not are both needed", key=True)
    for number, case in enumerate(alert.cases):
        for turn, given in enumerate(case.given):
            said = [name for name in ("finding", "call", "stats") if getattr(given, name) is not None]
            if len(said) != 1:
                at: Where = ("cases", number, "given", turn)
                yield Fault(at, f"one of finding, call and stats is given, found {', '.join(said) or 'none'}")


CHECKS: tuple[Check, ...] = (_check_fires, _check_fields, _check_parameters, _check_cases)
"""Every check of an alert of right shape. A new one is a function and its line here."""


@cache
def _validator() -> Any:
    return Draft202012Validator(alert_schema())
