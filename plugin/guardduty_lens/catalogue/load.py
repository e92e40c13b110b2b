"""Catalogues from their files: the built-in one, and a user's over it."""

from functools import cache
from importlib.resources import files
from pathlib import Path

import msgspec

from guardduty_lens.catalogue.model import CatalogueFile, Entry, TableValue
from guardduty_lens.findings.severity import SCHEMES, SeverityScheme

Tables = dict[str, dict[str, TableValue]]

# The order in which the fields of a record are written.
BUILTIN_GROUPS = (
    "type",
    "severity",
    "identity",
    "state",
    "resource",
    "actor",
    "network",
    "workload",
    "sequence",
    "attack",
    "bookkeeping",
)


class CatalogueError(ValueError):
    """A catalogue with problems; `problems` lists all of them, each with its place."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Catalogue(msgspec.Struct, frozen=True):
    """Entries in the order of a record's fields, each one's group, and the look-up tables."""

    entries: tuple[Entry, ...]
    groups: dict[str, str]
    tables: Tables

    def entry(self, field: str) -> Entry:
        """Give the entry of a field; raises KeyError."""
        return next(entry for entry in self.entries if entry.field == field)


class Table(msgspec.Struct, frozen=True):
    """A shipped look-up table and what is known of its source."""

    entries: dict[str, TableValue]


def builtin_files() -> dict[str, str]:
    """Give the text of each shipped file by its name, in the order of BUILTIN_GROUPS."""
    folder = files("guardduty_lens.catalogue") / "fields"
    return {f"{group}.yml": (folder / f"{group}.yml").read_text("utf-8") for group in BUILTIN_GROUPS}


@cache
def builtin_tables() -> Tables:
    """Read the shipped look-up tables, by name."""
    folder = files("guardduty_lens.catalogue") / "tables"
    return {
        item.name.removesuffix(".json"): msgspec.json.decode(item.read_bytes(), type=Table).entries
        for item in folder.iterdir()
        if item.name.endswith(".json")
    }


@cache
def builtin_catalogue() -> Catalogue:
    """Read the shipped catalogue, from `builtin.json`: what `make docs` made of the YAML files.

    That it is what they say, and that they pass the linter, is held by tests; reading them costs fifty
    times as much.
    """
    return msgspec.json.decode(
        (files("guardduty_lens.catalogue") / "builtin.json").read_bytes(), type=Catalogue
    )


def catalogue_of_builtin_files() -> Catalogue:
    """Read the shipped catalogue from its YAML files."""
    from guardduty_lens.catalogue.positions import read_yaml
    from guardduty_lens.catalogue.schema import normalise

    parsed = [
        msgspec.convert(normalise(read_yaml(text, name).data), CatalogueFile)
        for name, text in builtin_files().items()
    ]
    return merge(parsed, Catalogue((), {}, builtin_tables()))


def merge(parsed: list[CatalogueFile], base: Catalogue) -> Catalogue:
    """Lay files over a catalogue: an entry of a known name takes its place, new ones follow."""
    entries = {entry.field: entry for entry in base.entries}
    groups, tables = dict(base.groups), dict(base.tables)
    for file in parsed:
        tables |= file.tables or {}
        for entry in file.fields:
            entries[entry.field] = entry
            groups.setdefault(entry.field, file.group)
    return Catalogue(tuple(entries.values()), groups, tables)


def user_files(folder: Path) -> dict[str, str]:
    """Give the text of each `*.yml` and `*.yaml` of a folder (or of one file) by its path.

    Raises CatalogueError where there is none, or one is no UTF-8.
    """
    paths = [folder] if folder.is_file() else sorted([*folder.glob("*.yml"), *folder.glob("*.yaml")])
    if not paths:
        raise CatalogueError([f"{folder}: no *.yml file"])
    try:
        return {str(path): path.read_text("utf-8") for path in paths}
    except UnicodeDecodeError as error:
        raise CatalogueError([f"{folder}: a file is no UTF-8: {error}"]) from error


def load_catalogue(folder: Path | None = None) -> Catalogue:
    """Give the built-in catalogue, or a user's laid over it.

    Raises CatalogueError with all problems that the linter finds.
    """
    builtin = builtin_catalogue()
    if folder is None:
        return builtin
    from guardduty_lens.catalogue.examples import example_problems
    from guardduty_lens.catalogue.lint import lint_files

    parsed, problems = lint_files(
        user_files(folder), builtin=builtin.entries, check_examples=example_problems
    )
    if problems:
        raise CatalogueError([str(problem) for problem in problems])
    return merge(parsed, builtin)


def load_scheme(path: Path) -> SeverityScheme:
    """Read a user's severity scheme file: `name`, `bands` with their labels and bounds, `default`.

    Raises CatalogueError with what is wrong.
    """
    from guardduty_lens.catalogue.positions import read_yaml

    (text,) = user_files(path).values()
    document = read_yaml(text, str(path))
    if document.problems or document.duplicates:
        raise CatalogueError([str(problem) for problem in document.problems or document.duplicates])
    try:
        return msgspec.convert(document.data, SeverityScheme)
    except msgspec.ValidationError as error:
        raise CatalogueError([f"{path}: {error}"]) from error


def find_scheme(text: str) -> SeverityScheme:
    """Give the scheme of a name, or of a user's file.

    Raises ValueError for what is neither, CatalogueError for a file with problems.
    """
    if text in SCHEMES:
        return SCHEMES[text]
    path = Path(text)
    if not path.is_file():
        raise ValueError(f"{text!r} is neither a scheme ({', '.join(SCHEMES)}) nor a file")
    return load_scheme(path)
