"""The linter of dashboard files: every fault of every file at once, each with its place."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import msgspec
from jsonschema import Draft202012Validator

from guardduty_lens.catalogue.lint.suggest import did_you_mean
from guardduty_lens.catalogue.lint.words import Fault, plain_faults
from guardduty_lens.catalogue.positions import Document, Where, read_yaml
from guardduty_lens.catalogue.problems import Problem
from guardduty_lens.visuals.fields import NUMBERS, Fields
from guardduty_lens.visuals.model import AnyOf, Dashboard, Index, Measure, Panel, Scalar, Split, Test
from guardduty_lens.visuals.normal import normal
from guardduty_lens.visuals.schema import dashboard_schema

RELATIVE = re.compile(r"now(-[0-9]{1,4}[hdw])?")
"""A bound that moves with the clock, as OpenSearch writes it."""

_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9:.]+(Z|[+-][0-9]{2}:[0-9]{2}))?")

SPLITS: Mapping[str, tuple[int, int]] = {
    "metric": (0, 0),
    "pie": (1, 2),
    "bar": (1, 1),
    "stacked_bar": (2, 2),
    "line": (1, 2),
    "area": (1, 2),
    "table": (1, 4),
    "tag_cloud": (1, 1),
    "heat_map": (2, 2),
    "region_map": (1, 1),
    "markdown": (0, 0),
    "search": (0, 0),
}
"""How many splits a chart has, at least and at most."""

_TRENDS = ("line", "area")
_SEVERAL_MEASURES = ("table",)


@dataclass(frozen=True, slots=True)
class Subject:
    """One panel, and what stands around it."""

    dashboard: Dashboard
    panel: Panel
    index: Index
    fields: Fields
    known_dashboards: frozenset[str]


Check = Callable[[Subject], Iterator[Fault]]


def lint_dashboards(
    files: Mapping[str, str], fields: Fields, known: Iterable[str] = ()
) -> tuple[list[Dashboard], list[Problem]]:
    """Look at the texts of dashboard files, by name; `known` are dashboards that links may lead to besides.

    Gives the dashboards of right shape, in the files' order, and all problems, sorted. Never raises.
    """
    shaped = [_shape(name, text) for name, text in files.items()]
    ids = frozenset(known) | {dashboard.id for _, dashboard, _ in shaped if dashboard is not None}
    problems = {problem for _, _, found in shaped for problem in found}
    places: dict[str, str] = {}
    for document, dashboard, _ in shaped:
        if dashboard is not None:
            faults = [*_of_dashboard(dashboard, fields, ids), *_taken(dashboard, places, document.name)]
            problems.update(placed(document, fault) for fault in faults)
    return [dashboard for _, dashboard, _ in shaped if dashboard is not None], sorted(problems)


def _shape(name: str, text: str) -> tuple[Document, Dashboard | None, list[Problem]]:
    document = read_yaml(text, name)
    if document.problems:
        return document, None, [*document.problems, *document.duplicates]
    data = normal(document.data)
    faults = list(plain_faults(_validator().iter_errors(data)))
    dashboard = None
    sound = _without_broken_panels(data, faults)
    if sound is not None:
        try:
            dashboard = msgspec.convert(sound, Dashboard)
        except msgspec.ValidationError as error:  # numbers beyond 64 bits, which the schema allows
            faults.append(Fault((), str(error)))
    problems = [placed(document, fault) for fault in faults]
    return document, dashboard, [*problems, *document.duplicates]


def _without_broken_panels(data: Any, faults: Sequence[Fault]) -> Any:
    """Put a sound panel in the place of each of wrong shape, so that the others are looked at too.

    None where something else is wrong.
    """
    broken = set()
    for fault in faults:
        if len(fault.where) < 2 or fault.where[0] != "panels":
            return None
        broken.add(fault.where[1])
    if not broken:
        return data
    panels = [
        {"id": f"broken-{number}", "title": "Broken", "chart": "metric"} if number in broken else panel
        for number, panel in enumerate(data["panels"])
    ]
    return data | {"panels": panels}


def placed(document: Document, fault: Fault) -> Problem:
    """Place a fault of the long form where the file has it: steps that shorthand leaves out are skipped."""
    place: Where = ()
    for step in fault.where:
        if (*place, step) in document.values or (*place, step) in document.keys:
            place = (*place, step)
    return document.problem(place, fault.message, key=fault.key)


def _of_dashboard(dashboard: Dashboard, fields: Fields, ids: frozenset[str]) -> Iterator[Fault]:
    for number, field in enumerate(dashboard.controls):
        yield from known_faults(fields, dashboard.index, field, ("controls", number))
    seen: set[str] = set()
    for number, panel in enumerate(dashboard.panels):
        at: Where = ("panels", number)
        if panel.id in seen:
            yield Fault(
                (*at, "id"), f"the panel {panel.id!r} is there already; ids are unique in a dashboard"
            )
        seen.add(panel.id)
        subject = Subject(dashboard, panel, dashboard.index_of(panel), fields, ids)
        for check in CHECKS:
            yield from (fault._replace(where=(*at, *fault.where)) for fault in check(subject))


def _taken(dashboard: Dashboard, places: dict[str, str], name: str) -> Iterator[Fault]:
    if dashboard.id in places:
        yield Fault(("id",), f"the dashboard {dashboard.id!r} is already in {places[dashboard.id]}")
    places.setdefault(dashboard.id, name)


def _check_needs(subject: Subject) -> Iterator[Fault]:
    panel = subject.panel
    belongs = {"text": "markdown", "columns": "search", "sort": "search"}
    for key, chart in belongs.items():
        there = getattr(panel, key) is not None
        if there and panel.chart != chart:
            yield Fault((key,), f"{key!r} is for a {chart} panel, not for a {panel.chart}", key=True)
        if not there and panel.chart == chart:
            yield Fault((), f"a {chart} panel needs {key!r}")
    if panel.chart in ("markdown", "search") and panel.measures is not None:
        yield Fault(("measures",), f"a {panel.chart} panel measures nothing", key=True)


def _check_splits(subject: Subject) -> Iterator[Fault]:
    panel, (least, most) = subject.panel, SPLITS[subject.panel.chart]
    if not least <= len(panel.by) <= most:
        wanted = str(least) if least == most else f"{least} to {most}"
        yield Fault(("by",), f"a {panel.chart} is split by {wanted}, not by {len(panel.by)}", key=True)
        return
    for number, split in enumerate(panel.by):
        yield from _split_faults(subject, split, ("by", number))
    if panel.chart in _TRENDS and panel.by[-1].time is None:
        yield Fault(("by",), f"the last split of a {panel.chart} is a time", key=True)
    if panel.chart == "region_map" and panel.by[0].field not in ("remote_country_codes",):
        yield Fault(("by",), "a region_map is split by remote_country_codes: shapes are joined on ISO codes")


def _split_faults(subject: Subject, split: Split, at: Where) -> Iterator[Fault]:
    given = [key for key in ("field", "time", "groups") if getattr(split, key) is not None]
    if len(given) != 1:
        yield Fault(
            at, f"a split has exactly one of field, time and groups, found {', '.join(given) or 'none'}"
        )
        return
    if split.field is not None:
        yield from known_faults(subject.fields, subject.index, split.field, (*at, "field"))
    if split.time is not None:
        yield from known_faults(subject.fields, subject.index, split.time, (*at, "time"), "date")
        if split is not subject.panel.by[-1]:
            yield Fault((*at, "time"), "a split by time is the last one: others are series of it")
    for label, where in (split.groups or {}).items():
        yield from where_faults(subject.fields, subject.index, where, (*at, "groups", label))


def _check_measures(subject: Subject) -> Iterator[Fault]:
    measures = subject.panel.measures or []
    if len(measures) > 1 and subject.panel.chart not in _SEVERAL_MEASURES:
        yield Fault(
            ("measures",), f"a {subject.panel.chart} has one measure; several are for a table", key=True
        )
    for number, measure in enumerate(measures):
        at: Where = ("measures", number)
        yield from _measure_faults(subject, measure, at)


def _measure_faults(subject: Subject, measure: Measure, at: Where) -> Iterator[Fault]:
    if measure.of in ("findings", "updates"):
        if measure.field is not None:
            yield Fault((*at, "field"), f"{measure.of} are counted; no field belongs to them", key=True)
        if measure.of == "findings" and subject.index not in ("log", "state"):
            yield Fault(at, f"there are no findings in {subject.index}; count updates")
        return
    if measure.field is None:
        yield Fault(at, f"{measure.of} of which field?")
        return
    yield from known_faults(subject.fields, subject.index, measure.field, (*at, measure.of))
    kind = subject.fields.type_of(subject.index, measure.field)
    dates = measure.of in ("min", "max")
    if kind is not None and kind not in NUMBERS and not (dates and kind == "date"):
        yield Fault(
            (*at, measure.of),
            f"{measure.of} needs a number{' or a date' if dates else ''}, and {measure.field} is a {kind}",
        )


def _check_where(subject: Subject) -> Iterator[Fault]:
    if subject.panel.where is not None:
        yield from where_faults(subject.fields, subject.index, subject.panel.where, ("where",))


def where_faults(fields: Fields, index: Index, where: AnyOf, at: Where) -> Iterator[Fault]:
    """Give what is wrong with tests of fields of an index."""
    for number, tests in enumerate(where):
        for field, test in tests.items():
            below: Where = (*at, number, field)
            yield from known_faults(fields, index, field, below)
            kind = fields.type_of(index, field)
            if kind is not None:
                yield from _test_faults(field, kind, test, below)


def _test_faults(field: str, kind: str, test: Test, at: Where) -> Iterator[Fault]:
    if test == Test():
        yield Fault(at, f"what of {field}? One of is, not, exists, from and below")
    for value in [*(test.is_ or ()), *(test.not_ or ())]:
        if not _fits(value, kind):
            yield Fault(at, f"{field} is a {kind}, and {value!r} is none")
    for bound in (test.from_, test.below):
        if bound is None:
            continue
        if kind not in NUMBERS and kind != "date":
            yield Fault(at, f"from and below are for numbers and dates, and {field} is a {kind}")
        elif not (_is_date(bound) if kind == "date" else _fits(bound, kind)):
            yield Fault(at, f"{field} is a {kind}, and {bound!r} is none")


def _fits(value: Scalar, kind: str) -> bool:
    if kind == "boolean":
        return isinstance(value, bool)
    if kind in NUMBERS:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return _is_date(value) if kind == "date" else isinstance(value, str)


def _is_date(value: Scalar) -> bool:
    return isinstance(value, str) and bool(RELATIVE.fullmatch(value) or _ISO_DATE.fullmatch(value))


def _check_search(subject: Subject) -> Iterator[Fault]:
    for number, column in enumerate(subject.panel.columns or ()):
        yield from known_faults(subject.fields, subject.index, column.field, ("columns", number, "field"))
    if subject.panel.sort is not None:
        yield from known_faults(
            subject.fields, subject.index, subject.panel.sort.removeprefix("-"), ("sort",)
        )


def _check_link(subject: Subject) -> Iterator[Fault]:
    link = subject.panel.link
    if link is not None and link not in subject.known_dashboards:
        hint = did_you_mean(link, subject.known_dashboards)
        yield Fault(("link",), f"there is no dashboard {link!r}{hint}")


def known_faults(
    fields: Fields, index: Index, field: str, at: Where, kind: str | None = None
) -> Iterator[Fault]:
    """Give what is wrong with a field that an index is to have, of a type if one is said."""
    found = fields.type_of(index, field)
    if found is None:
        hint = did_you_mean(field, fields.types[index])
        yield Fault(at, f"the {index} has no field {field!r}{hint}")
    elif kind is not None and found != kind:
        yield Fault(at, f"{field} is a {found}, not a {kind}")


CHECKS: tuple[Check, ...] = (
    _check_needs,
    _check_splits,
    _check_measures,
    _check_where,
    _check_search,
    _check_link,
)
"""Every check of a panel of right shape. A new one is a function and its line here."""


@cache
def _validator() -> Any:
    return Draft202012Validator(dashboard_schema())
