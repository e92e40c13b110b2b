"""`guardduty-lens tag`: a marker of a deployment, so that findings are seen beside it."""

import time
from collections.abc import Sequence
from typing import Any

import click

from guardduty_lens.cli.main import EXIT_UNDELIVERED
from guardduty_lens.cli.opensearch_options import (
    connection_of,
    names_of,
    opensearch_options,
    without_templates_option,
)

_GIVE_UP_AFTER_SECONDS = 30.0


@click.command("tag")
@click.argument("name")
@click.option("--version", help="Of what was deployed.")
@click.option("--service", help="What was deployed.")
@click.option("--at", metavar="DATE", help="When it was, in ISO 8601. [default: now]")
@click.option("--field", "fields", multiple=True, metavar="KEY=VALUE", help="Anything else to say of it.")
@click.option(
    "--id",
    "identifier",
    metavar="ID",
    help="What makes it the same when it is sent again, such as a build's id. "
    "[default: of name, version, service and second]",
)
@without_templates_option
@opensearch_options
def command(
    name: str,
    version: str | None,
    service: str | None,
    at: str | None,
    fields: Sequence[str],
    identifier: str | None,
    **options: Any,
) -> None:
    """Mark a deployment in the cluster at --url: trend charts and reports show it, labelled NAME.

    Sent again with the same id it changes nothing.
    """
    from guardduty_lens.opensearch.bulk import Bulk, CannotDeliver
    from guardduty_lens.opensearch.client import ConnectionOptionsError, connect
    from guardduty_lens.opensearch.tags import TagError, make_tag, put_tag
    from guardduty_lens.opensearch.template_check import TemplateCheck

    try:
        tag = make_tag(
            name,
            now=time.time_ns() // 1_000_000,
            at=at,
            version=version,
            service=service,
            fields=dict(_pair(text) for text in fields),
            id=identifier,
        )
        connection = connection_of(options)
        bulk = Bulk(connect(connection), give_up_after=_GIVE_UP_AFTER_SECONDS)
    except (TagError, ConnectionOptionsError) as error:
        raise click.UsageError(str(error)) from error
    names = names_of(options)
    check = None if options["without_templates"] else TemplateCheck(names, connection.urls)
    try:
        is_new = put_tag(bulk, tag, names, _GIVE_UP_AFTER_SECONDS, check)
    except (TagError, CannotDeliver) as error:
        click.echo(f"guardduty-lens: the tag was not confirmed: {error}", err=True)
        raise click.exceptions.Exit(EXIT_UNDELIVERED) from error
    click.echo(f"{tag.label}: {'in' if is_new else 'was already in'} {names.tags}")


def _pair(text: str) -> tuple[str, str]:
    key, separator, value = text.partition("=")
    if not separator:
        raise click.BadParameter(f"{text!r}: KEY=VALUE is wanted", param_hint="--field")
    return key, value
