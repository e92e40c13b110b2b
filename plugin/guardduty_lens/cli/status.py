"""`guardduty-lens status`: what is there, of which version, and whether it is as it was put."""

from typing import Any

import click

from guardduty_lens.cli.installation import (
    installation_options,
    json_option,
    look,
    mappings_of,
    undelivered,
)
from guardduty_lens.cli.installation_text import as_json, index_lines, mapping_lines, state_of, status_lines
from guardduty_lens.cli.main import EXIT_UNDELIVERED
from guardduty_lens.cli.opensearch_options import opensearch_options
from guardduty_lens.opensearch.index_mappings import spoiled


@click.command("status")
@opensearch_options
@installation_options
@json_option
@click.option("--check", is_flag=True, help="Exit with 3 unless everything is as wanted.")
def command(check: bool, **options: Any) -> None:
    """Say what is installed, of which version, and whether it is still as it was put.

    Give the options that `install` was given. `changed by hand` is an object that is not as we put it;
    `differs` one put by another version or with other options. An index that was made without our template
    is named, too: it keeps the types that the cluster guessed.
    """
    wants_json = options.pop("as_json")
    with undelivered():
        seen = look(options)
        indices, differences = mappings_of(seen)
    clean = (
        all(each.action == "unchanged" for each in seen.changes)
        and not spoiled(differences)
        and not seen.overruled
        and not seen.capabilities.unanswered  # what could not be looked at may be in any state
    )
    if wants_json:
        more = {"clean": clean, "indices": indices, "mappings": differences}
        click.echo(as_json(seen.capabilities, seen.changes, seen.notes, **more))
    else:
        click.echo(f"{seen.capabilities.flavor} {seen.capabilities.version}")
        lines = [*status_lines(seen.changes), *index_lines(seen.names, indices)]
        lines += [*mapping_lines(differences), *seen.notes]
        if any(state_of(each) == "differs" for each in seen.changes):
            lines.append(
                "differs: put by another version, or with other options; give those that `install` had"
            )
        for line in [*lines, "clean" if clean else "not clean"]:
            click.echo(line)
    if check and not clean:
        raise click.exceptions.Exit(EXIT_UNDELIVERED)
