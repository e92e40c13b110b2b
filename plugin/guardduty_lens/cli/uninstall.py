"""`guardduty-lens uninstall`: takes away exactly what `install` put there."""

from typing import Any

import click

from guardduty_lens.cli.dashboard_options import dashboards_server_options, server_of
from guardduty_lens.cli.installation import (
    agreed,
    connect,
    flavor_option,
    told,
    undelivered,
    yes_option,
)
from guardduty_lens.cli.installation_text import change_lines
from guardduty_lens.cli.opensearch_options import names_of, opensearch_options
from guardduty_lens.opensearch.apply import apply, delete_indices
from guardduty_lens.opensearch.changes import Change, removals
from guardduty_lens.opensearch.inventory import found_indices, found_objects
from guardduty_lens.saved_objects_api.apply import apply_saved
from guardduty_lens.saved_objects_api.changes import removals_of_saved


@click.command("uninstall")
@opensearch_options
@flavor_option
@dashboards_server_options
@click.option("--with-data", is_flag=True, help="Delete the indices too, with all findings in them.")
@yes_option
def command(with_data: bool, yes: bool, **options: Any) -> None:
    """Take away every object that says it is ours, under this prefix; data only with --with-data."""
    names = names_of(options)
    with undelivered():
        cluster, capabilities = connect(options)
        server = server_of(options)
        found, capabilities = found_objects(cluster, names, capabilities)
        changes = removals(found, names.prefix)
        saved: list[Change] = []
        if server is not None:
            with told("dashboards"):
                saved = removals_of_saved(server.found(), names.prefix)
        indices = found_indices(cluster, names) if with_data else []
        for line in [
            *change_lines([*saved, *changes]),
            *(f"{'remove':<20}{'index':<20}{index}" for index in indices),
            *(f"skipped: {line}" for line in capabilities.not_seen()),
        ]:
            click.echo(line)
        if not changes and not indices and not saved:
            click.echo(_nothing(capabilities.labels_not_seen()))
            return
        if not yes and not agreed("Remove all of this?"):
            click.echo("nothing was removed")
            return
        done = 0
        if server is not None:
            with told("dashboards"):
                done = apply_saved(server, saved)
        done += len(list(apply(cluster, names, capabilities.flavor, changes, found=found)))
        done += len(list(delete_indices(cluster, indices)))
    click.echo(f"done: {done} removed")


def _nothing(unseen: str) -> str:
    """Say that nothing is to be removed, and of which objects that is not known."""
    if unseen:
        return f"nothing of ours was found, but these could not be looked at: {unseen}"
    return "nothing of ours is there"
