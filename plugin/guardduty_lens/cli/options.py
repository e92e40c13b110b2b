"""Options that mean the same on several commands, and what they stand for."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from guardduty_lens.catalogue.load import CatalogueError, find_scheme
from guardduty_lens.catalogue.operations.kind import KINDS
from guardduty_lens.extractors import ExtractorError
from guardduty_lens.extras import MissingExtraError, require
from guardduty_lens.findings.severity import SCHEMES, SeverityScheme

Function = TypeVar("Function", bound=Callable[..., Any])


class LocalPath(click.Path):
    """A file or folder, or `-`; who names a place in S3 is told which command reads it."""

    def __init__(self) -> None:
        super().__init__(exists=True, allow_dash=True, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Give the path, or fail."""
        if str(value).startswith("s3://"):
            self.fail(
                f"{value}: files and folders are read here; `replay` reads s3://BUCKET/PREFIX", param, ctx
            )
        return super().convert(value, param, ctx)


fields_option = click.option(
    "--fields",
    type=click.Path(exists=True, path_type=Path),
    help="Your own catalogue: a folder of *.yml, laid over the built-in one.",
)


allow_empty_option = click.option(
    "--allow-empty", is_flag=True, help="Exit with 0 where there is nothing to read, instead of 1."
)

index_prefix_option = click.option(
    "--index-prefix", default="", metavar="PREFIX", help="Goes before every name in the cluster."
)


def catalogue_options(function: Function) -> Function:
    """Add the options that say which fields records get."""
    options = [
        fields_option,
        click.option("--field-prefix", default="", metavar="PREFIX", help="Goes before every added field."),
        click.option(
            "--severity-scheme",
            default="aws",
            metavar="NAME|FILE",
            help=f"How scores get labels: {', '.join(SCHEMES)}, or a YAML file of your own. [default: aws]",
        ),
    ]
    return _decorated(function, options)


def lens_options(function: Function) -> Function:
    """Add the options that make a Lens."""
    wrapper_key = click.option(
        "--wrapper-key",
        multiple=True,
        metavar="KEY",
        help="A further key under which your shipper puts what it read.",
    )
    return catalogue_options(wrapper_key(function))


def rule_options(function: Function) -> Function:
    """Add the options that leave records out."""
    options = [
        click.option("--only", multiple=True, type=click.Choice(KINDS), help="Only records of this kind."),
        click.option(
            "--min-severity", metavar="LABEL|NUMBER", help="Only findings from here on; Unknown stays."
        ),
        click.option("--exclude-samples", is_flag=True, help="Without AWS's sample findings."),
        click.option("--exclude-archived", is_flag=True, help="Without archived findings."),
        click.option(
            "--drop-if", multiple=True, metavar="RULE", help="Without records for which RULE holds."
        ),
        click.option("--keep-if", multiple=True, metavar="RULE", help="Only records for which RULE holds."),
    ]
    return _decorated(function, options)


def _decorated(function: Function, options: Sequence[Callable[[Any], Any]]) -> Function:
    for option in reversed(options):
        function = option(function)
    return function


def severity_scheme(text: str) -> SeverityScheme:
    """Give the scheme of a name, or of a user's YAML file.

    Raises click.BadParameter for anything else.
    """
    try:
        return find_scheme(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--severity-scheme") from error


def require_extras(wanted: Mapping[str, str]) -> None:
    """Check that extras are installed, each for what needs it. Raises UsageError that names all at once."""
    try:
        require(wanted)
    except MissingExtraError as error:
        raise click.UsageError(str(error)) from error


USER_ERRORS = (CatalogueError, ExtractorError)
"""What a user's own files may raise when a Lens is made."""
