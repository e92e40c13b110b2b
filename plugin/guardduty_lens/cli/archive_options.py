"""Options that say which part of an archive, and how far it was worked through."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from guardduty_lens.cli.options import require_extras
from guardduty_lens.inputs.cursor import Cursor, CursorError
from guardduty_lens.inputs.selection import Selection

Function = TypeVar("Function", bound=Callable[..., Any])

_CONNECTIONS = 32
"""Kept open: more than objects are fetched at once."""
_DAY = click.DateTime(["%Y-%m-%d"])
_SELECTION = [
    click.option("--account", "accounts", multiple=True, metavar="ID", help="Only objects of this account."),
    click.option("--since", type=_DAY, metavar="DAY", help="Only those of this day and later, YYYY-MM-DD."),
    click.option("--until", type=_DAY, metavar="DAY", help="Only those of this day and earlier."),
    click.option("--region", help="The bucket's region. [default: as AWS's own tools are told]"),
    click.option("--dry-run", is_flag=True, help="Only say how much it would be."),
]


_CURSOR = click.option(
    "--cursor",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A file that says how far it came; where it is there, go on from there.",
)


def archive_options(function: Function) -> Function:
    """Add all of them."""
    return selection_options(_CURSOR(function))


def selection_options(function: Function) -> Function:
    """Add those that say which part of an archive, and where it is."""
    for option in reversed(_SELECTION):
        function = option(function)
    return function


def selection_of(accounts: Sequence[str], since: datetime | None, until: datetime | None) -> Selection:
    """Give the selection that the options ask for. Raises UsageError."""
    if since is not None and until is not None and since > until:
        raise click.UsageError("--since is after --until")
    return Selection(accounts=frozenset(accounts), since=_date(since), until=_date(until))


def cursor_of(path: Path | None) -> Cursor:
    """Read the cursor. Raises UsageError."""
    try:
        return Cursor(path)
    except CursorError as error:
        raise click.UsageError(str(error)) from error


def aws_client(service: str, region: str | None, what: str) -> Any:
    """Make a client of AWS. Raises UsageError."""
    require_extras({"aws": what})
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError

    try:
        return boto3.client(service, region_name=region, config=Config(max_pool_connections=_CONNECTIONS))
    except (ValueError, BotoCoreError) as error:
        raise click.UsageError(str(error)) from error


def _date(moment: datetime | None) -> date | None:
    return moment.date() if moment is not None else None
