"""What the commands of an installation share: their options, and a look at the cluster."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click
import msgspec

from guardduty_lens.cli.alert_options import alert_options, alerts_of, channel_option, parameters_of
from guardduty_lens.cli.dashboard_options import (
    dashboards_of,
    dashboards_option,
    dashboards_server_options,
    server_of,
    stock_map_option,
)
from guardduty_lens.cli.main import EXIT_UNDELIVERED
from guardduty_lens.cli.opensearch_options import connection_of, names_of
from guardduty_lens.cli.options import USER_ERRORS, catalogue_options, severity_scheme
from guardduty_lens.opensearch import client
from guardduty_lens.opensearch.capabilities import Capabilities, UnsuitableError, ask
from guardduty_lens.opensearch.changes import Change, Found, compare
from guardduty_lens.opensearch.cluster import Cluster, ClusterError
from guardduty_lens.opensearch.index_mappings import (
    MappingDifference,
    is_of_first_form,
    mapping_differences,
)
from guardduty_lens.opensearch.inventory import found_mappings, found_objects
from guardduty_lens.opensearch.names import Names
from guardduty_lens.opensearch.nodes import NoClusterError
from guardduty_lens.opensearch.overruled import overruled_lines
from guardduty_lens.opensearch.resources import IndexOptions, Resource
from guardduty_lens.visuals.saved_objects.objects import SavedObject

if TYPE_CHECKING:
    from guardduty_lens.saved_objects_api.server import DashboardsServer

Function = TypeVar("Function", bound=Callable[..., Any])
_WITHOUT_DASHBOARDS = (
    "Without Dashboards leave --dashboards-url out: --dashboards-file, or `report`, serve then"
)


class Look(msgspec.Struct, frozen=True):
    """A cluster, what it can do and holds, what it is to hold, and what would make it so."""

    cluster: Cluster
    names: Names
    capabilities: Capabilities
    desired: Sequence[Resource]
    found: Sequence[Found]
    changes: Sequence[Change]
    """Of the cluster, then of Dashboards."""
    notes: Sequence[str]
    overruled: Sequence[str]
    """Lines that say which index templates of others win over ours; part of `notes`."""
    server: "DashboardsServer | None" = None
    saved: Sequence[SavedObject] = ()
    """What Dashboards is to hold."""


def installation_options(function: Function) -> Function:
    """Add the options that say what an installation consists of."""
    for option in reversed(
        [
            click.option(
                "--shards", type=click.IntRange(1), default=1, show_default=True, help="Of each index."
            ),
            click.option(
                "--replicas", type=click.IntRange(0), default=1, show_default=True, help="Of each shard."
            ),
            click.option(
                "--retention-days",
                type=click.IntRange(1),
                help="Delete the months of log, CloudTrail and counters once they are that old. "
                "[default: never]",
            ),
            click.option(
                "--flat", is_flag=True, help="Also the template of the one index of the first form."
            ),
            flavor_option,
            dashboards_option,
            stock_map_option,
            channel_option,
        ]
    ):
        function = option(function)
    return catalogue_options(alert_options(dashboards_server_options(function)))


flavor_option = click.option(
    "--flavor",
    type=click.Choice(["opensearch", "elasticsearch"]),
    help="What the cluster must be. [default: what it says]",
)
yes_option = click.option("--yes", is_flag=True, help="Don't ask.")
json_option = click.option("--json", "as_json", is_flag=True, help="For programs.")


def look(options: dict[str, Any], *, force: bool = False) -> Look:
    """Ask the cluster, and compare it with what the options say.

    Raises click.ClickException for what the user got wrong, ClusterError.
    """
    from guardduty_lens.alerts.monitors import monitors
    from guardduty_lens.compilers.limits import NotCompiledError
    from guardduty_lens.lens import Lens
    from guardduty_lens.opensearch.desired import desired
    from guardduty_lens.saved_objects_api.changes import compare_saved
    from guardduty_lens.visuals.saved_objects import saved_objects

    names = names_of(options)
    try:
        lens = Lens(
            fields=options["fields"],
            field_prefix=options["field_prefix"],
            severity_scheme=severity_scheme(options["severity_scheme"]),
        )
    except USER_ERRORS as error:
        raise click.UsageError(str(error)) from error
    cluster, capabilities = connect(options)
    found, capabilities = found_objects(cluster, names, capabilities)
    index_options = IndexOptions(
        shards=options["shards"],
        replicas=options["replicas"],
        retention_days=options["retention_days"],
    )
    known, dashboards = dashboards_of(lens, options["dashboards"])
    alerts, lacking = monitors(
        alerts_of(known, options["alerts"]),
        known,
        names,
        parameters=parameters_of(options),
        channel=options["alert_channel"],
    )
    try:
        wanted = desired(
            lens.plan,
            names,
            index_options,
            capabilities,
            lens.extractors,
            flat=options["flat"],
            monitors=alerts,
        )
    except NotCompiledError as error:
        raise click.UsageError(f"no ingest pipeline can be made of these fields: {error}") from error
    except ValueError as error:  # a field whose name the mappings need themselves
        raise click.UsageError(str(error)) from error
    changes = compare(wanted.resources, found, names.prefix, force=force)
    server = server_of(options)
    saved = saved_objects(dashboards, known, names, stock_map=options["stock_map"])
    if server is not None:
        with told("dashboards", f"; nothing was changed. {_WITHOUT_DASHBOARDS}"):
            changes += compare_saved(saved, server.found(), names.prefix, force=force)
    has_alerts = capabilities.alerting and "monitor" not in capabilities.unanswered
    notes = [*wanted.notes, *(lacking if has_alerts else ())]
    overruled = overruled_lines(cluster, names, wanted.resources)
    notes += overruled
    return Look(
        cluster, names, capabilities, wanted.resources, found, changes, notes, overruled, server, saved
    )


def mappings_of(seen: Look) -> tuple[list[str], list[MappingDifference]]:
    """Give the indices of ours that are there, and those that are not as their templates make them.

    Raises ClusterError.
    """
    found = found_mappings(seen.cluster, seen.names)
    compared = dict(found)
    has_flat = any(each.name == seen.names.template("flat") for each in seen.desired)
    if not has_flat and is_of_first_form(compared.get(seen.names.log, {})):
        del compared[seen.names.log]  # our template made it, which was not asked for here
    return list(found), mapping_differences(compared, seen.desired)


@contextmanager
def told(where: str, then: str = "") -> Iterator[None]:
    """Say in an error which server it is of, and what that means."""
    try:
        yield
    except ClusterError as error:
        raise ClusterError(f"{where}: {error}{then}", error.status) from error


def connect(options: dict[str, Any]) -> tuple[Cluster, Capabilities]:
    """Give the cluster and what it can do. Raises click.UsageError where it will not do, ClusterError."""
    try:
        cluster = Cluster(client.connect(connection_of(options)))
        return cluster, ask(cluster, options["flavor"])
    except client.ConnectionOptionsError as error:
        raise click.UsageError(str(error)) from error
    except (NoClusterError, UnsuitableError) as error:
        raise click.UsageError(f"{', '.join(options['url'])}: {error}") from error


@contextmanager
def undelivered() -> Iterator[None]:
    """Make a cluster's refusal a line on stderr and exit code 3."""
    try:
        yield
    except ClusterError as error:
        click.echo(f"guardduty-lens: {error}", err=True)
        raise click.exceptions.Exit(EXIT_UNDELIVERED) from error


def agreed(question: str) -> bool:
    """Ask on a terminal; raises click.UsageError where there is nobody to ask."""
    if not sys.stdin.isatty():
        raise click.UsageError("there is nobody to ask here: say --yes")
    return click.confirm(question)
