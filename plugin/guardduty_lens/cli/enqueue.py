"""`guardduty-lens enqueue`: an archive in S3 through the index queue again, past one machine."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from guardduty_lens.cli.archive_options import archive_options, aws_client, cursor_of, selection_of
from guardduty_lens.cli.main import EXIT_REJECTED, EXIT_UNDELIVERED
from guardduty_lens.cli.options import allow_empty_option

if TYPE_CHECKING:
    from guardduty_lens.inputs.s3_archive import Location


@click.command("enqueue")
@click.argument("archive", metavar="s3://BUCKET/PREFIX")
@click.option("--queue", metavar="URL", required=True, help="What the function index, or serve, reads.")
@archive_options
@allow_empty_option
def command(
    archive: str,
    queue: str,
    cursor: Path | None,
    region: str | None,
    dry_run: bool,
    allow_empty: bool,
    **options: Any,
) -> None:
    """Put the keys of an archive on the index queue, as S3 itself would: others do the work, side by side.

    For archives of ours and GuardDuty's own exports. What is indexed already falls on itself. Days and
    accounts are read from keys (`…/2026/01/31/…`), days else from the last change.
    """
    from guardduty_lens.aws.enqueue import EnqueueError, Told, enqueue
    from guardduty_lens.inputs.absence import nothing_in_bucket
    from guardduty_lens.inputs.cursor import CursorError
    from guardduty_lens.inputs.s3_archive import CannotListError

    location = _location(archive)
    s3, sqs = (aws_client(service, region, "enqueue") for service in ("s3", "sqs"))
    kept, selection = cursor_of(cursor), selection_of(**options)
    after = kept.after(archive)
    told = Told(last=after)
    try:
        for told in enqueue(s3, None if dry_run else sqs, queue, location, selection, after):
            if told.last and not dry_run:
                kept.keep(archive, told.last)
            _show(f"{told.objects} objects, {told.bytes / 1e6:.1f} MB")
        nothing = "" if told.objects or after or allow_empty else nothing_in_bucket(s3, location, selection)
    except (EnqueueError, CannotListError, CursorError) as error:
        click.echo(f"guardduty-lens: {error}", err=True)
        if told.last:
            click.echo(f"guardduty-lens: the last key that was told: {told.last}", err=True)
        sys.exit(EXIT_UNDELIVERED)
    _refuse(nothing)
    would = "would be told" if dry_run else "told"
    click.echo(f"{told.objects} objects, {told.bytes / 1e6:.1f} MB, {would} in {told.messages} messages")


def _location(archive: str) -> "Location":
    from guardduty_lens.inputs.s3_archive import location_of

    try:
        return location_of(archive)
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def _refuse(nothing: str) -> None:
    if nothing:
        click.echo(f"guardduty-lens: {nothing}. --allow-empty takes that for success", err=True)
        sys.exit(EXIT_REJECTED)


def _show(text: str) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r{text} ", nl=False, err=True)
