"""`guardduty-lens fields`: list, lint, test and document the catalogue."""

from collections.abc import Sequence
from pathlib import Path
from typing import IO

import click
import msgspec

from guardduty_lens.catalogue.load import (
    Catalogue,
    CatalogueError,
    builtin_catalogue,
    builtin_files,
    load_catalogue,
    merge,
    user_files,
)
from guardduty_lens.catalogue.model import CatalogueFile
from guardduty_lens.cli.groups import Group
from guardduty_lens.cli.main import EXIT_REJECTED
from guardduty_lens.cli.options import fields_option
from guardduty_lens.cli.summary import numbered

FilesArgument = click.argument(
    "paths", nargs=-1, metavar="[FILE|FOLDER]...", type=click.Path(exists=True, path_type=Path)
)


@click.group("fields", cls=Group)
def command() -> None:
    """List, lint, test and document the fields that records get."""


@command.command("list")
@fields_option
@click.option("--json", "as_json", is_flag=True, help="As JSON lines.")
def list_fields(fields: Path | None, as_json: bool) -> None:
    """List the fields: name, type, one or many, group, first sentence."""
    catalogue = _catalogue(fields)
    for entry in catalogue.entries:
        if entry.hidden:
            continue
        group = catalogue.groups[entry.field]
        if as_json:
            row = {"field": entry.field, "type": entry.type, "cardinality": entry.cardinality, "group": group}
            click.echo(msgspec.json.encode(row | {"description": entry.description}).decode())
        else:
            sentence = entry.description.split(". ")[0].rstrip(".").replace("\n", " ")
            click.echo(f"{entry.field:<26} {entry.type:<9} {entry.cardinality:<4} {group:<11} {sentence}")


@command.command("lint")
@FilesArgument
def lint_fields(paths: tuple[Path, ...]) -> None:
    """Report every problem of your catalogue files at once, each with file, line and column.

    Without FILE, the built-in catalogue is linted. Exit code 1 where there are problems.
    """
    from guardduty_lens.catalogue.examples import Failure, check_examples, example_problems
    from guardduty_lens.catalogue.lint import lint_files

    if paths:
        builtin = builtin_catalogue().entries
        _, problems = lint_files(_texts(paths), builtin=builtin, check_examples=example_problems)
    else:

        def check(parsed: Sequence[CatalogueFile]) -> list[Failure]:
            return check_examples(merge(list(parsed), Catalogue((), {}, builtin_catalogue().tables)))

        _, problems = lint_files(builtin_files(), builtin=None, check_examples=check)
    for problem in problems:
        click.echo(str(problem))
    click.echo(numbered(len(problems), "problem") if problems else "no problems", err=True)
    if problems:
        raise SystemExit(EXIT_REJECTED)


@command.command("test")
@fields_option
def test_fields(fields: Path | None) -> None:
    """Run the examples of every entry. Exit code 1 where one does not hold."""
    from guardduty_lens.catalogue.examples import check_examples

    catalogue = _catalogue(fields)
    failures = check_examples(catalogue)
    for failure in failures:
        click.echo(f"{failure.field}, example {failure.example + 1}: {failure.message}")
    ran = sum(len(entry.examples) for entry in catalogue.entries)
    click.echo(f"{ran} examples of {len(catalogue.entries)} entries: {len(failures)} failed", err=True)
    if failures:
        raise SystemExit(EXIT_REJECTED)


@command.command("docs")
@fields_option
@click.option(
    "-o",
    "--output",
    type=click.File("w", encoding="utf-8", lazy=False),
    default="-",
    help="Where the page goes.",
)
def document_fields(fields: Path | None, output: IO[str]) -> None:
    """Write the reference page of the fields, in Markdown, from the entries."""
    from guardduty_lens.catalogue.docs import reference_page

    output.write(reference_page(_catalogue(fields)))


@command.command("schema")
@click.option("-o", "--output", type=click.File("wb", lazy=False), default="-", help="Where the schema goes.")
def schema(output: IO[bytes]) -> None:
    """Write the JSON Schema of catalogue files, for editors."""
    from guardduty_lens.catalogue.schema import catalogue_schema

    output.write(
        msgspec.json.format(msgspec.json.encode(catalogue_schema(), order="sorted"), indent=2) + b"\n"
    )


def _catalogue(fields: Path | None) -> Catalogue:
    try:
        return load_catalogue(fields)
    except CatalogueError as error:
        raise click.UsageError(str(error)) from error


def _texts(paths: tuple[Path, ...]) -> dict[str, str]:
    try:
        return {name: text for path in paths for name, text in user_files(path).items()}
    except CatalogueError as error:
        raise click.UsageError(str(error)) from error
