"""Options that say which alerts, and whom they tell: the same on every command."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from guardduty_lens.alerts.load import AlertError, load_alerts
from guardduty_lens.alerts.model import Alert
from guardduty_lens.catalogue.load import CatalogueError
from guardduty_lens.visuals.fields import Fields

Function = TypeVar("Function", bound=Callable[..., Any])

_OPTIONS = [
    click.option(
        "--alerts",
        type=click.Path(exists=True, path_type=Path),
        help="A folder of *.yml: your own alerts, in place of shipped ones of the same id, or besides.",
    ),
    click.option(
        "--guardduty-bucket",
        multiple=True,
        metavar="NAME",
        help="A bucket that holds GuardDuty's findings: an alert watches it. May be given several times.",
    ),
]
channel_option = click.option(
    "--alert-channel", metavar="ID", help="The id of a notification channel that alerts tell."
)


def alert_options(function: Function) -> Function:
    """Add the options that say which alerts there are."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def alerts_of(fields: Fields, folder: Path | None) -> list[Alert]:
    """Give the alerts; what is wrong with a user's own is a usage error."""
    try:
        return load_alerts(fields, folder)
    except (CatalogueError, AlertError) as error:
        raise click.UsageError(str(error)) from error


def parameters_of(options: dict[str, Any]) -> dict[str, Sequence[str]]:
    """Give the lists that alerts ask of a user, by name."""
    return {"guardduty_buckets": options["guardduty_bucket"]}
