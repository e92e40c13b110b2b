"""`guardduty-lens plan`: what `install` would do."""

from typing import Any

import click

from guardduty_lens.cli.installation import installation_options, json_option, look, undelivered
from guardduty_lens.cli.installation_text import as_json, change_lines
from guardduty_lens.cli.opensearch_options import opensearch_options


@click.command("plan")
@opensearch_options
@installation_options
@json_option
def command(**options: Any) -> None:
    """Say what `install` would create, change, leave alone and remove, and touch nothing.

    `foreign` is an object under one of our names that does not say it is ours. Below a change stand the
    places that differ.
    """
    wants_json = options.pop("as_json")
    with undelivered():
        seen = look(options)
    if wants_json:
        click.echo(as_json(seen.capabilities, seen.changes, seen.notes))
        return
    click.echo(f"{seen.capabilities.flavor} {seen.capabilities.version}")
    for line in [*change_lines(seen.changes), *seen.notes]:
        click.echo(line)
