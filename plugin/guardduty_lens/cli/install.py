"""`guardduty-lens install`: everything that the records need in a cluster."""

import sys
from typing import Any

import click

from guardduty_lens.cli.installation import (
    Look,
    agreed,
    installation_options,
    look,
    undelivered,
    yes_option,
)
from guardduty_lens.cli.installation_text import change_lines
from guardduty_lens.cli.opensearch_options import opensearch_options
from guardduty_lens.opensearch.apply import apply
from guardduty_lens.opensearch.inventory import found_indices


@click.command("install")
@opensearch_options
@installation_options
@click.option("--force", is_flag=True, help="Replace objects under our names that are not ours.")
@yes_option
def command(force: bool, yes: bool, **options: Any) -> None:
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
        if not pending:
            click.echo(f"nothing to change: {len(seen.changes)} objects are as wanted")
            return
        at_terminal = sys.stdin.isatty()
        if at_terminal and not yes and not agreed("Make these changes?"):
            click.echo("nothing was changed")
            return
        _install(seen)


def _refuse_foreign(seen: Look) -> None:
    foreign = [f"{each.kind} {each.name}" for each in seen.changes if each.action == "foreign"]
    if foreign:
        raise click.UsageError(
            f"not ours, and left alone: {', '.join(foreign)}. Nothing was changed; "
            "choose an --index-prefix, or replace them with --force"
        )


def _install(seen: Look) -> None:
    done = 0
    indices = found_indices(seen.cluster, seen.names)
    for _ in apply(
        seen.cluster, seen.names, seen.capabilities.flavor, seen.changes, seen.desired, seen.found
    ):
        done += 1
    click.echo(f"done: {done} of {len(seen.changes)} objects changed")
    if indices:
        click.echo(f"indices that were there keep their settings and fields: {', '.join(indices)}")
