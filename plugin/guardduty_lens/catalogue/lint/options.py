"""Checks of the options of each operation."""

from collections import Counter
from collections.abc import Iterator, Sequence
from math import inf

from guardduty_lens.catalogue.lint.paths import model_shape
from guardduty_lens.catalogue.lint.subject import TEXT_TYPES, Subject, Use, listed
from guardduty_lens.catalogue.lint.suggest import did_you_mean
from guardduty_lens.catalogue.lint.uses import uses_of
from guardduty_lens.catalogue.lint.words import Fault
from guardduty_lens.catalogue.model import Leaf, LookupOptions, ObjectsOptions
from guardduty_lens.catalogue.operations.template import template_parts
from guardduty_lens.catalogue.paths import PathError, parse_path
from guardduty_lens.catalogue.positions import Where
from guardduty_lens.catalogue.regex_dialect import NotPortable, parse_pattern
from guardduty_lens.catalogue.types import CHECKS as TYPE_CHECKS
from guardduty_lens.findings.severity import Band


def check_regex(subject: Subject) -> Iterator[Fault]:
    """Require that the pattern is of the portable dialect and has the group."""
    for use in uses_of(subject, "regex"):
        options = use.operation.regex
        assert options is not None
        try:
            groups = parse_pattern(options.pattern).groups
        except NotPortable as error:
            yield Fault((*use.options_at, "pattern"), f"no portable regex: {error.reason}", error.offset)
            continue
        if options.group not in groups:
            hint = did_you_mean(options.group, groups) or _named_groups(groups)
            yield Fault((*use.options_at, "group"), f"the pattern has no group {options.group!r}{hint}")


def check_split(subject: Subject) -> Iterator[Fault]:
    """Require that the part is one of those that the delimiters make."""
    for use in uses_of(subject, "split"):
        options = use.operation.split
        assert options is not None
        parts = len(options.at) + 1
        if options.part > parts:
            cuts = "1 cut makes" if parts == 2 else f"{parts - 1} cuts make"
            yield Fault((*use.options_at, "part"), f"{cuts} {parts} parts: there is no part {options.part}")


def check_bands(subject: Subject) -> Iterator[Fault]:
    """Require either the severity scheme or bands that do not overlap."""
    for use in uses_of(subject, "bands"):
        options = use.operation.bands
        assert options is not None
        if (options.scheme is None) == (options.bands is None):
            found = "none" if options.scheme is None else "both"
            message = f"'bands' takes either 'scheme' or 'bands', found {found}"
            yield Fault(use.options_at, message, key=True)
        yield from _band_faults((*use.options_at, "bands"), options.bands or ())


def check_lookup(subject: Subject) -> Iterator[Fault]:
    """Require either a table that there is, or entries whose values are of the field's type."""
    for use in uses_of(subject, "lookup"):
        options = use.operation.lookup
        assert options is not None
        if (options.table is None) == (options.entries is None):
            found = "none" if options.table is None else "both"
            message = f"'lookup' takes either 'table' or 'entries', found {found}"
            yield Fault(use.options_at, message, key=True)
        if options.table is not None and options.table not in subject.tables:
            hint = did_you_mean(options.table, sorted(subject.tables))
            yield Fault((*use.options_at, "table"), f"there is no table {options.table!r}{hint}")
        yield from _lookup_values(subject, use.options_at, options)


def check_objects(subject: Subject) -> Iterator[Fault]:
    """Require that each leaf is one key, which AWS's model knows, and has a name of its own."""
    for use in uses_of(subject, "objects"):
        options = use.operation.objects
        assert options is not None
        names = Counter(leaf.name or leaf.path for leaf in options.leaves)
        for number, leaf in enumerate(options.leaves):
            at = (*use.options_at, "leaves", number)
            name = leaf.name or leaf.path
            if names[name] > 1:
                yield Fault(at, f"two leaves are called {name!r}")
            yield from _leaf_faults(use, (*at, "path"), leaf)
        yield from _geo_point_faults(use.options_at, options)


def check_template(subject: Subject) -> Iterator[Fault]:
    """Require that each text has good braces, and each part is a single text set before."""
    for use in uses_of(subject, "template"):
        options = use.operation.template
        assert options is not None
        for number, text in enumerate(options.texts):
            at = (*use.options_at, "texts", number)
            try:
                parts, _ = template_parts(text)
            except ValueError as error:
                yield Fault(at, str(error))
                continue
            for _, field, _ in parts:
                if message := _template_part(subject, field):
                    yield Fault(at, message, text.find("{" + field) + 1)


def check_parse_json(subject: Subject) -> Iterator[Fault]:
    """Require that the path inside the JSON text is a path."""
    for use in uses_of(subject, "parse_json"):
        options = use.operation.parse_json
        assert options is not None
        try:
            parse_path(options.path)
        except PathError as error:
            yield Fault((*use.options_at, "path"), str(error), error.offset)


def check_except(subject: Subject) -> Iterator[Fault]:
    """Require that values that are left out are texts, each named once."""
    for use in uses_of(subject, "path"):
        options = use.operation.path
        if options is None or options.except_ is None:
            continue
        if subject.entry.type not in TEXT_TYPES:
            message = f"'except' names texts, and {subject.entry.type!r} is none"
            yield Fault((*use.options_at, "except"), message, key=True)
        for number, value in enumerate(options.except_):
            if value in options.except_[:number]:
                yield Fault((*use.options_at, "except", number), f"{value!r} is already in the list")


def _named_groups(groups: Sequence[str]) -> str:
    return f"; it has {listed(groups)}" if groups else "; write one as (?P<name>…)"


def _band_faults(at: Where, bands: Sequence[Band]) -> Iterator[Fault]:
    for number, band in enumerate(bands):
        message = _bad_range(band)
        if message:
            yield Fault((*at, number), message)
            continue
        for other in bands[:number]:
            if not _bad_range(other) and _overlap(band, other):
                yield Fault((*at, number), f"the band {band.label!r} overlaps {other.label!r}")


def _bad_range(band: Band) -> str:
    if band.at_least is not None and band.above is not None:
        return f"the band {band.label!r} has 'at_least' or 'above', not both"
    if band.at_most is not None and band.below is not None:
        return f"the band {band.label!r} has 'at_most' or 'below', not both"
    if (low := _low(band)) == (-inf, False) and _high(band) == (inf, False):
        return f"the band {band.label!r} has no limit: give at_least, above, below or at_most"
    return "" if _holds_any(low, _high(band)) else f"the band {band.label!r} holds no number"


_Limit = tuple[float, bool]
"""A limit, and whether the number itself is left out."""


def _low(band: Band) -> _Limit:
    if band.above is not None:
        return band.above, True
    return (-inf if band.at_least is None else band.at_least), False


def _high(band: Band) -> _Limit:
    if band.below is not None:
        return band.below, True
    return (inf if band.at_most is None else band.at_most), False


def _holds_any(low: _Limit, high: _Limit) -> bool:
    return low[0] < high[0] or (low[0] == high[0] and not low[1] and not high[1])


def _overlap(one: Band, other: Band) -> bool:
    low = max(_low(one), _low(other))
    high = min(_high(one), _high(other), key=lambda limit: (limit[0], not limit[1]))
    return _holds_any(low, high)


def _lookup_values(subject: Subject, at: Where, options: LookupOptions) -> Iterator[Fault]:
    holds = TYPE_CHECKS[subject.entry.type]
    if options.entries == {}:
        yield Fault((*at, "entries"), "'entries' is empty", key=True)
    values = {(*at, "entries", key): value for key, value in (options.entries or {}).items()}
    if options.default is not None:
        values[(*at, "default")] = options.default
    for where, value in values.items():
        for item in value if isinstance(value, list) else [value]:
            if not holds(item):
                yield Fault(where, f"{item!r} is no {subject.entry.type!r}")


def _leaf_faults(use: Use, at: Where, leaf: Leaf) -> Iterator[Fault]:
    if set(leaf.path) & set(".[]"):
        yield Fault(at, f"a leaf is one key of the object, no path: {leaf.path!r}")
        return
    for _, text in use.reads() if use.source.outside_model is None else ():
        shape = model_shape(text)
        if shape and shape.kind == "structure" and leaf.path not in shape.members and not shape.is_open:
            hint = did_you_mean(leaf.path, shape.members)
            yield Fault(at, f"AWS's model of a finding knows no {leaf.path!r} in {text}{hint}")


def _geo_point_faults(at: Where, options: ObjectsOptions) -> Iterator[Fault]:
    names = {leaf.name or leaf.path for leaf in options.leaves}
    if options.text is None and names != {"lat", "lon"}:
        message = "without 'text' the leaves make a geo_point: call them 'lat' and 'lon'"
        yield Fault((*at, "leaves"), message, key=True)


def _template_part(subject: Subject, field: str) -> str:
    known = subject.before.get(field)
    if known is None and field in subject.later:
        return f"the field {field!r} is set later ({subject.later[field].place})"
    if known is None:
        return f"there is no field {field!r}{did_you_mean(field, subject.before)}"
    if known.cardinality == "many":
        return f"the field {field!r} may have many values; a template takes single ones"
    if known.type and known.type not in TEXT_TYPES:
        return f"the field {field!r} is no text; a template takes texts"
    return ""
