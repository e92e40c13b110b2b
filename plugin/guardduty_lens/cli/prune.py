"""`guardduty-lens prune`: closed findings leave the state."""

from typing import Any

import click

from guardduty_lens.cli.installation import connect, flavor_option, undelivered
from guardduty_lens.cli.opensearch_options import names_of, opensearch_options
from guardduty_lens.opensearch.cluster import ClusterError
from guardduty_lens.opensearch.prune import closed_findings, count, delete


@click.command("prune")
@opensearch_options
@flavor_option
@click.option("--field-prefix", default="", metavar="PREFIX", help="What goes before every added field.")
@click.option(
    "--days",
    type=click.IntRange(1),
    default=90,
    show_default=True,
    help="Closed is also what was not updated for so long; GuardDuty itself keeps 90 days.",
)
@click.option("--yes", is_flag=True, help="Delete them; without it they are only counted.")
def command(field_prefix: str, days: int, yes: bool, **options: Any) -> None:
    """Delete closed findings from the state: archived ones, and those not updated for --days.

    The log keeps them. Replaying old updates afterwards brings them back.
    """
    names = names_of(options)
    query = closed_findings(days, field_prefix)
    with undelivered():
        cluster, _ = connect(options)
        try:
            number = delete(cluster, names, query) if yes else count(cluster, names, query)
        except ClusterError as error:
            if error.status == 404:
                raise click.UsageError(f"there is no state: no index {names.state_index}") from error
            raise
    click.echo(f"{number} closed findings {'deleted' if yes else 'would be deleted (say --yes)'}")
