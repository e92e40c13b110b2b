"""Options that say which cluster, and how it is reached: the same on every command that goes there."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

from guardduty_lens.cli.options import index_prefix_option
from guardduty_lens.opensearch.client import (
    DEFAULT_TIMEOUT_SECONDS,
    Connection,
    ConnectionOptionsError,
    Secret,
    read_secret,
)
from guardduty_lens.opensearch.names import Names

PASSWORD_VARIABLE = "GUARDDUTY_LENS_PASSWORD"  # noqa: S105 - the name of a variable
TOKEN_VARIABLE = "GUARDDUTY_LENS_TOKEN"  # noqa: S105 - the name of a variable

Function = TypeVar("Function")

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_OPTIONS = [
    click.option(
        "--url",
        multiple=True,
        metavar="URL",
        help="A node of the cluster; may be given again for others. Without a port: 443, http 9200.",
    ),
    click.option("--user", metavar="NAME", help="Who we are, by basic authentication."),
    click.option(
        "--password-file",
        type=_FILE,
        help=f"A file that holds the password; else it is read from {PASSWORD_VARIABLE}.",
    ),
    click.option(
        "--token-file", type=_FILE, help=f"A file that holds a bearer token; else {TOKEN_VARIABLE} may."
    ),
    click.option("--ca", type=_FILE, help="Authorities to trust (PEM) instead of the system's."),
    click.option("--client-cert", type=_FILE, help="A client certificate (PEM)."),
    click.option("--client-key", type=_FILE, help="Its key (PEM), where it is not in the same file."),
    click.option("--aws-region", metavar="REGION", help="Sign requests with AWS credentials, for here."),
    click.option(
        "--aws-service",
        type=click.Choice(["es", "aoss"]),
        default="es",
        show_default=True,
        help="What is signed for: a domain (es), or a serverless search collection (aoss).",
    ),
    click.option(
        "--timeout",
        type=click.FloatRange(1, 3600),
        default=DEFAULT_TIMEOUT_SECONDS,
        show_default=True,
        metavar="SECONDS",
        help="How long one request may take.",
    ),
]


def opensearch_options(function: Function) -> Function:
    """Add the options of a connection, and `--index-prefix`."""
    for option in reversed([*_OPTIONS, index_prefix_option]):
        function = option(function)  # type: ignore[type-var]
    return function


def extras_of_cluster(options: Mapping[str, Any]) -> dict[str, str]:
    """Give the extras that the options of a connection need, and which needs each."""
    needed = {"opensearch": "a cluster at --url"}
    return needed | ({"aws": "--aws-region"} if options["aws_region"] else {})


def connection_of(options: dict[str, Any], password: str | None = None) -> Connection:
    """Make the connection that the options ask for; what is wrong with them is a usage error.

    `password` is that of the user where no file holds it, in place of the variable's.
    """
    try:
        return Connection(
            urls=tuple(options["url"]),
            user=options["user"],
            password=Secret(password)
            if password and options["password_file"] is None
            else _password(options),
            token=_token(options),
            aws_region=options["aws_region"],
            aws_service=options["aws_service"],
            ca=options["ca"],
            client_cert=options["client_cert"],
            client_key=options["client_key"],
            timeout_seconds=options["timeout"],
        )
    except ConnectionOptionsError as error:
        raise click.UsageError(str(error)) from error


without_templates_option = click.option(
    "--without-templates",
    is_flag=True,
    help="Send although the cluster has no index templates of ours; it then guesses types.",
)
"""Of every command that sends documents."""


def names_of(options: dict[str, Any]) -> Names:
    """Make the names that `--index-prefix` asks for; what is wrong with it is a usage error."""
    try:
        return Names(options["index_prefix"])
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def _password(options: dict[str, Any]) -> Secret | None:
    if options["password_file"] is not None:
        return read_secret(options["password_file"], "--password-file")
    # Without a user the variable may be there for another command.
    text = os.environ.get(PASSWORD_VARIABLE) if options["user"] is not None else None
    return Secret(text) if text else None


def _token(options: dict[str, Any]) -> Secret | None:
    if options["token_file"] is not None:
        return read_secret(options["token_file"], "--token-file")
    other_way = options["user"] is not None or options["aws_region"] is not None
    text = None if other_way else os.environ.get(TOKEN_VARIABLE)
    return Secret(text) if text else None
