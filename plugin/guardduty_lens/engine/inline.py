"""Checks and operations as Python text: the common ones written out, the others called.

What is known of a value spares tests: in strictly decoded events a value is of the kind it is read as.
"""

from collections.abc import Callable
from typing import Any

from guardduty_lens.catalogue.model import BandsOptions, LookupOptions, ObjectsOptions
from guardduty_lens.catalogue.operations import OPERATIONS
from guardduty_lens.catalogue.operations.lookup import lookup_table
from guardduty_lens.catalogue.operations.number import to_number
from guardduty_lens.catalogue.operations.objects import combine
from guardduty_lens.catalogue.operations.template import percent_encoded, template_parts
from guardduty_lens.catalogue.types import CHECKS, DOUBLE_LIMIT
from guardduty_lens.engine.plan import Plan, PlanEntry, PlanSource
from guardduty_lens.engine.source_writer import SourceWriter
from guardduty_lens.findings.severity import Band

Use = Callable[[str], None]
"""Writes what is done with the value in a variable."""

TEXT_TYPES = frozenset({"label", "id", "text", "url", "date", "ip"})
_WHOLE_TYPES = frozenset({"byte", "integer", "long"})


def check(write: SourceWriter, entry: PlanEntry, *, known: bool) -> Callable[[str], str]:
    """Give the test of a field's type; `known` values are of the right kind of JSON, or None."""
    if known and entry.type == "double":  # strictly decoded floats are finite
        most = write.constant(DOUBLE_LIMIT)
        return lambda value: f"{value} is not None and -{most} < {value} < {most}"
    if entry.type in TEXT_TYPES:
        return lambda value: value if known else f"type({value}) is str and {value}"
    if entry.type == "boolean":
        return lambda value: f"{value} is not None" if known else f"type({value}) is bool"
    test = write.constant(CHECKS[entry.type])
    if entry.type in _WHOLE_TYPES:
        return lambda value: f"{value} is not None and {test}({value})"
    return lambda value: f"{test}({value})"


def gives_only(plan: Plan, source: PlanSource, entry: PlanEntry) -> bool:
    """Tell whether all that an operation can give is known, and passes the test of a field's type."""
    operation = source.operation
    if operation.lookup is not None:
        table, default = lookup_table(operation.lookup, plan.tables)
        values = [value for given in [*table.values(), default] for value in given]
    elif operation.bands is not None:
        given = [operation.bands.default, *(band.label for band in operation.bands.bands or ())]
        values = [value for value in given if value is not None]
    else:
        return False
    return all(CHECKS[entry.type](value) for value in values)


def gives_itself(source: PlanSource) -> bool:
    """Tell whether a source's values are what stands in the event."""
    return source.operation.name == "path" and not source.operation.options.except_


def apply(write: SourceWriter, plan: Plan, source: PlanSource, use: Use, *, known: bool) -> Use:
    """Write a source's operation on the value in a variable, and the use of what it gives.

    A `known` value is a text, or a number, as the operation wants it.
    """
    operation = source.operation
    if gives_itself(source):
        return use
    if operation.lookup is not None:
        return _lookup(write, plan, operation.lookup, use, known=known)
    if operation.bands is not None and known:
        return _bands(write, operation.bands, use)
    if operation.number is not None and known:
        return _number(write, use)
    spec = OPERATIONS[operation.name]
    function = write.constant(spec.prepare(operation.options, plan.tables))

    def called(value: str) -> None:
        if spec.many:
            with write.block(f"for y in {function}({value}):"):
                use("y")
        else:
            write(f"y = {function}({value})")
            use("y")

    return called


def _lookup(write: SourceWriter, plan: Plan, options: LookupOptions, use: Use, *, known: bool) -> Use:
    table, default = lookup_table(options, plan.tables)
    get, otherwise = write.constant(table.get), write.constant(tuple(default))

    def written(value: str) -> None:
        is_text = f"{value} is not None" if known else f"type({value}) is str"
        with write.block(f"for y in {get}({value}, {otherwise}) if {is_text} else ():"):
            use("y")

    return written


def _bands(write: SourceWriter, options: BandsOptions, use: Use) -> Use:
    def written(value: str) -> None:
        write(f"if {value} is None: y = None")
        for band in options.bands or ():
            write(f"elif {_holds(band, value)}: y = {write.constant(band.label)}")
        write(f"else: y = {write.constant(options.default)}")
        use("y")

    return written


def _holds(band: Band, value: str) -> str:
    bounds = ((">=", band.at_least), (">", band.above), ("<", band.below), ("<=", band.at_most))
    tests = [f"{value} {operator} {float(bound)!r}" for operator, bound in bounds if bound is not None]
    return " and ".join(tests) or "True"


def _number(write: SourceWriter, use: Use) -> Use:
    convert = write.constant(to_number)

    def written(value: str) -> None:
        write(f"y = {convert}({value}) if type({value}) is str else {value}")
        use("y")

    return written


def is_geo_point(options: ObjectsOptions, entry: PlanEntry) -> bool:
    """Tell whether an operation makes a point of a latitude and a longitude."""
    names = [(leaf.name or leaf.path, leaf.required) for leaf in options.leaves]
    return entry.type == "geo_point" and names == [("lat", True), ("lon", True)]


def geo_point(write: SourceWriter, leaves: list[str], use: Use) -> None:
    """Write the point of two known numbers or None, if it is on the globe; it needs no further test."""
    lat, lon = leaves
    tests = f"{lat} is not None and {lon} is not None and -90 <= {lat} <= 90 and -180 <= {lon} <= 180"
    with write.block(f"if {tests}:"):
        write(f"y = {{'lat': {lat}, 'lon': {lon}}}")
        use("y")


def objects(write: SourceWriter, options: ObjectsOptions, leaves: list[str], *, known: bool) -> str:
    """Give the expression of `operations.objects` over the leaves in variables."""
    if options.text is None or len(leaves) < 2:
        return f"{write.constant(combine(options))}(({', '.join(leaves)},))"
    texts = [f"({leaf} or '')" if known else f"({leaf} if type({leaf}) is str else '')" for leaf in leaves]
    tests = [
        leaf if known else f"type({leaf}) is str and {leaf}"
        for leaf, option in zip(leaves, options.leaves, strict=True)
        if option.required
    ]
    joined = f" + {write.constant(options.text)} + ".join(texts)
    return f"{joined} if {' and '.join(tests) or 'True'} else None"


def template(write: SourceWriter, texts: list[str], fields: dict[str, str]) -> None:
    """Write `y`: the first of the texts whose fields, in variables, are all there."""
    encode = write.constant(percent_encoded)
    write("y = None")
    for text in texts:
        parts, tail = template_parts(text)
        pieces = []
        for literal, field, url in parts:
            name = fields[field]
            # An id is mostly letters and digits, which stay as they are.
            encoded = f"({name} if {name}.isalnum() and {name}.isascii() else {encode}({name}))"
            pieces += [write.constant(literal), encoded if url else name]
        pieces.append(write.constant(tail))
        names = dict.fromkeys(fields[field] for _, field, _ in parts)
        tests = " and ".join(["y is None", *(f"type({name}) is str" for name in names)])
        write(f"if {tests}: y = {' + '.join(pieces)}")


def constant(write: SourceWriter, value: Any, use: Use) -> None:
    """Write the use of a constant."""
    write(f"y = {write.constant(value)}")
    use("y")
