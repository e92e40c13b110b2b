"""The first steps: a file's YAML, then its shape by the JSON Schema, then its entries one by one."""

from functools import cache
from typing import Any, NamedTuple

import msgspec
from jsonschema import Draft202012Validator, TypeChecker
from jsonschema.validators import extend

from guardduty_lens.catalogue.lint.words import Fault, plain_faults
from guardduty_lens.catalogue.model import CatalogueFile, Entry
from guardduty_lens.catalogue.positions import Document, read_yaml
from guardduty_lens.catalogue.problems import Problem
from guardduty_lens.catalogue.schema import catalogue_schema, normalise


class Shaped(NamedTuple):
    """A file as far as it can be read.

    `data` has the shorthand written out; `entries` are those of right shape, by their index in the file;
    `file` is there when all of it has the right shape.
    """

    document: Document
    data: Any
    entries: dict[int, Entry]
    file: CatalogueFile | None
    problems: tuple[Problem, ...]

    @property
    def raw_entries(self) -> list[Any]:
        """All entries as plain data, also those of wrong shape."""
        fields = self.data.get("fields") if isinstance(self.data, dict) else None
        return fields if isinstance(fields, list) else []

    @property
    def table_names(self) -> frozenset[str]:
        """The names of the file's own tables, also of those of wrong shape."""
        tables = self.data.get("tables") if isinstance(self.data, dict) else None
        return frozenset(tables) if isinstance(tables, dict) else frozenset()


def shape_file(name: str, text: str) -> Shaped:
    """Read one file as far as it goes. Never raises."""
    document = read_yaml(text, name)
    if document.problems:
        return Shaped(document, None, {}, None, document.problems + document.duplicates)
    data = normalise(document.data)
    faults = list(plain_faults(_validator().iter_errors(data)))
    shaped = Shaped(document, data, {}, None, ())
    broken = {fault.where[1] for fault in faults if fault.where[:1] == ("fields",) and len(fault.where) > 1}
    entries: dict[int, Entry] = {}
    for index, raw in enumerate(shaped.raw_entries):
        if index not in broken:
            _convert_entry(index, raw, entries, faults)
    file = None if faults else _convert_file(data, faults)
    problems = [document.problem(fault.where, fault.message, key=fault.key) for fault in faults]
    return shaped._replace(entries=entries, file=file, problems=(*problems, *document.duplicates))


def _convert_entry(index: int, raw: Any, entries: dict[int, Entry], faults: list[Fault]) -> None:
    try:
        entries[index] = msgspec.convert(raw, Entry)
    except msgspec.ValidationError as error:
        # The schema is the model's own, save for numbers beyond 64 bits.
        faults.append(Fault(("fields", index), str(error)))


def _convert_file(data: Any, faults: list[Fault]) -> CatalogueFile | None:
    try:
        return msgspec.convert(data, CatalogueFile)
    except msgspec.ValidationError as error:
        faults.append(Fault((), str(error)))
        return None


def _is_whole(_checker: TypeChecker, value: Any) -> bool:
    # JSON Schema takes 1.0 as an integer, the model does not.
    return type(value) is int


@cache
def _validator() -> Any:
    checker = Draft202012Validator.TYPE_CHECKER.redefine("integer", _is_whole)
    validator = extend(Draft202012Validator, type_checker=checker)  # type: ignore[no-untyped-call]
    return validator(catalogue_schema())
