"""What an operation is to the engines: its options and a function made from them once."""

from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

Tables = Mapping[str, Mapping[str, Any]]

Reads = Literal["value", "fields", "event", "run", "nothing"]


class OperationSpec(NamedTuple):
    """One operation.

    `reads` says what `prepare(options, tables)` gives back: a function of one source value (`value`),
    of the fields added before (`fields`), of the whole event (`event`), of nothing (`nothing`), or of
    event, fields and whether fan-out was capped (`run`). The function gives the value, or None for
    nothing; where `many`, a list of values. It never raises on data.
    """

    name: str
    reads: Reads
    prepare: Callable[[Any, Tables], Callable[..., Any]]
    many: bool = False
