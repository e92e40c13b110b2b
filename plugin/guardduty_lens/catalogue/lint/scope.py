"""Which fields an entry may read: those that run before it."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from guardduty_lens.catalogue.lint.shape import Shaped
from guardduty_lens.catalogue.lint.subject import Known, Subject
from guardduty_lens.catalogue.model import Entry
from guardduty_lens.catalogue.positions import Where
from guardduty_lens.engine.plan import SEVERITY_RANKS_TABLE, running_turn

Placed = tuple[Shaped, int, Subject]
"""An entry's file, its index there, and what is to be looked at."""


@cache
def shipped_tables() -> frozenset[str]:
    """Give the names of the shipped look-up tables."""
    folder = files("guardduty_lens.catalogue") / "tables"
    names = [item.name for item in folder.iterdir() if item.name.endswith(".json")]
    return frozenset(name.removesuffix(".json") for name in names) | {SEVERITY_RANKS_TABLE}


def subjects(shaped: Sequence[Shaped], builtin: Sequence[Entry] | None) -> Iterator[Placed]:
    """Give every entry of right shape with what stands around it."""
    known: dict[str, tuple[int, Known]] = {
        entry.field: (running_turn(_operation_names(entry)), _known_builtin(entry)) for entry in builtin or ()
    }
    for file in shaped:
        known |= dict(_known_raw(file))
    order = [item for _, item in sorted(known.values(), key=lambda pair: pair[0])]
    shipped = None if builtin is None else {entry.field: entry for entry in builtin}
    first_places: dict[str, str] = {}
    for file in shaped:
        for index, entry in file.entries.items():
            before, later = _split(order, entry.field)
            tables = shipped_tables() | file.table_names
            first = first_places.get(entry.field)
            first_places.setdefault(entry.field, _place(file, index))
            yield file, index, Subject(entry, before, later, tables, shipped, first)


def _split(order: Sequence[Known], field: str) -> tuple[Mapping[str, Known], Mapping[str, Known]]:
    place = next(number for number, item in enumerate(order) if item.field == field)
    return {item.field: item for item in order[:place]}, {item.field: item for item in order[place:]}


def _known_builtin(entry: Entry) -> Known:
    return Known(entry.field, "in the built-in catalogue", entry.type, entry.cardinality)


def _known_raw(file: Shaped) -> Iterator[tuple[str, tuple[int, Known]]]:
    """Give the fields of a file, also of entries that are wrong in another place."""
    for index, raw in enumerate(file.raw_entries):
        if not isinstance(raw, dict) or not isinstance(raw.get("field"), str):
            continue
        name, type_, cardinality = raw["field"], raw.get("type"), raw.get("cardinality", "one")
        known = Known(name, f"at {_place(file, index)}", *map(_as_text, (type_, cardinality)))
        entry = file.entries.get(index)
        yield name, (running_turn(_operation_names(entry) if entry else ()), known)


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _place(file: Shaped, index: int) -> str:
    where: Where = ("fields", index, "field")
    problem = file.document.problem(where, "")
    return f"{problem.file}:{problem.line}:{problem.column}"


def _operation_names(entry: Entry) -> set[str]:
    return {source.operation.name for source in entry.sources() if source.operation}
