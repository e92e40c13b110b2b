"""`guardduty-lens install`: everything that the records need in a cluster."""

import sys
from pathlib import Path
from typing import Any

import click

from guardduty_lens.cli.installation import (
    Look,
    agreed,
    installation_options,
    look,
    mappings_of,
    told,
    undelivered,
    yes_option,
)
from guardduty_lens.cli.installation_text import change_lines, mapping_lines
from guardduty_lens.cli.opensearch_options import opensearch_options
from guardduty_lens.opensearch.apply import add_fields, apply
from guardduty_lens.opensearch.index_mappings import spoiled
from guardduty_lens.saved_objects_api.apply import apply_saved
from guardduty_lens.visuals.saved_objects import ndjson


@click.command("install")
@opensearch_options
@installation_options
@click.option("--force", is_flag=True, help="Replace objects under our names that are not ours.")
@click.option("--update-indices", is_flag=True, help="Give new fields to the indices that are there, too.")
@click.option(
    "--dashboards-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the dashboards as a file to import, for a server that is not to be reached from here.",
)
@yes_option
def command(
    force: bool, update_indices: bool, dashboards_file: Path | None, yes: bool, **options: Any
) -> None:
    """Put templates, retention policies and the ingest pipeline into a cluster.

    Shows what it will do first, and asks where somebody is at the terminal. Doing it again changes nothing;
    after a failure it goes on where it stopped.
    """
    with undelivered():
        seen = look(options, force=force)
        _refuse_foreign(seen)
        pending = [each for each in seen.changes if each.action != "unchanged"]
        for line in [*change_lines(pending), *seen.notes]:
            click.echo(line)
        if pending:
            if sys.stdin.isatty() and not yes and not agreed("Make these changes?"):
                click.echo("nothing was changed")
                return
            _make_changes(seen)
        else:
            click.echo(f"nothing to change: {len(seen.changes)} objects are as wanted")
        _see_to_indices(seen, update=update_indices, changed=bool(pending))
        _see_to_dashboards(seen, dashboards_file)


def _see_to_dashboards(seen: Look, path: Path | None) -> None:
    """Write the import file where it is asked for, or say how dashboards get into a server."""
    if path is not None:
        path.write_text(ndjson(seen.saved), encoding="utf-8")
        click.echo(f"{path}: import it in Dashboards under Management, Saved objects")
    elif seen.server is None and seen.capabilities.flavor == "opensearch":
        click.echo("dashboards: give --dashboards-url, or --dashboards-file and import that yourself")


def _refuse_foreign(seen: Look) -> None:
    foreign = [f"{each.kind} {each.name}" for each in seen.changes if each.action == "foreign"]
    if foreign:
        raise click.UsageError(
            f"not ours, and left alone: {', '.join(foreign)}. Nothing was changed; "
            "choose an --index-prefix, or replace them with --force"
        )


def _make_changes(seen: Look) -> None:
    flavor = seen.capabilities.flavor
    of_cluster = [each for each in seen.changes if each.kind != "saved_object"]
    done = len(list(apply(seen.cluster, seen.names, flavor, of_cluster, seen.desired, seen.found)))
    requests = seen.cluster.requests
    if seen.server is not None:
        of_dashboards = [each for each in seen.changes if each.kind == "saved_object"]
        with told("dashboards", f"; what the cluster was to get is there ({done} objects): run it again"):
            done += apply_saved(seen.server, of_dashboards, seen.saved)
        requests += seen.server.requests
    click.echo(f"done: {done} of {len(seen.changes)} objects changed, {requests} requests in all")


def _see_to_indices(seen: Look, *, update: bool, changed: bool) -> None:
    """Say that templates are for new indices, or give their fields to those that are there."""
    found, differences = mappings_of(seen)
    guessed = spoiled(differences)
    for line in mapping_lines(each for each in differences if each.others):
        click.echo(line)
    indices = [index for index in found if index not in guessed]
    if update:
        for index in add_fields(seen.cluster, indices):
            click.echo(f"{index}: has the fields of its template")
    elif changed and indices:
        click.echo(f"as they were (--update-indices gives them new fields): {', '.join(indices)}")
