"""Options that say which dashboards, and where they are put: the same on every command."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from guardduty_lens.catalogue.load import CatalogueError
from guardduty_lens.cli.opensearch_options import connection_of
from guardduty_lens.lens import Lens
from guardduty_lens.opensearch import client
from guardduty_lens.visuals.fields import Fields, fields_of_lens
from guardduty_lens.visuals.load import DashboardError, load_dashboards
from guardduty_lens.visuals.model import Dashboard

if TYPE_CHECKING:
    from guardduty_lens.saved_objects_api.server import DashboardsServer

dashboards_option = click.option(
    "--dashboards",
    type=click.Path(exists=True, path_type=Path),
    help="A folder of *.yml: your own dashboards, in place of shipped ones of the same id, or besides.",
)
stock_map_option = click.option(
    "--stock-map",
    is_flag=True,
    help="Region maps with shapes that browsers fetch from Dashboards' map service, not the cluster's own.",
)

PASSWORD_VARIABLE = "GUARDDUTY_LENS_DASHBOARDS_PASSWORD"  # noqa: S105 - the name of a variable

Function = TypeVar("Function", bound=Callable[..., Any])

_SERVER_OPTIONS = [
    click.option(
        "--dashboards-url",
        metavar="URL",
        help="OpenSearch Dashboards, with its port and base path: puts the dashboards there. "
        "Who we are is said as to the cluster, unless --dashboards-user says otherwise.",
    ),
    click.option("--dashboards-user", metavar="NAME", help="Another user there, by basic authentication."),
    click.option(
        "--dashboards-password-file",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help=f"A file that holds that user's password; else it is read from {PASSWORD_VARIABLE}.",
    ),
    click.option("--tenant", metavar="NAME", help="The tenant they are for, such as global_tenant."),
]


def dashboards_server_options(function: Function) -> Function:
    """Add the options of a Dashboards server."""
    for option in reversed(_SERVER_OPTIONS):
        function = option(function)
    return function


def server_of(options: dict[str, Any]) -> "DashboardsServer | None":
    """Give the Dashboards server that the options name, if any; what is wrong with them is a usage error."""
    if options["dashboards_url"] is None:
        given = [name for name in ("dashboards_user", "dashboards_password_file", "tenant") if options[name]]
        if given:
            raise click.UsageError(f"--{given[0].replace('_', '-')} goes with --dashboards-url")
        return None
    from guardduty_lens.opensearch.cluster import Cluster
    from guardduty_lens.saved_objects_api.server import DashboardsServer

    there = options | {"url": (options["dashboards_url"],)}
    password = None
    if options["dashboards_user"] is not None:
        there |= {"user": options["dashboards_user"], "password_file": options["dashboards_password_file"]}
        there |= {"token_file": None, "aws_region": None}
        password = os.environ.get(PASSWORD_VARIABLE)
    try:
        connection = connection_of(there, password)
        return DashboardsServer(Cluster(client.connect(connection)), options["tenant"])
    except client.ConnectionOptionsError as error:
        raise click.UsageError(str(error)) from error


def dashboards_of(lens: Lens, folder: Path | None) -> tuple[Fields, list[Dashboard]]:
    """Give the fields of a lens and the dashboards; what is wrong with a user's own is a usage error."""
    fields = fields_of_lens(lens)
    try:
        return fields, load_dashboards(fields, folder)
    except (CatalogueError, DashboardError) as error:
        raise click.UsageError(str(error)) from error
