"""`guardduty-lens enqueue`: an archive in S3 through the index queue again, past one machine."""

import sys
from collections.abc import Sequence
from datetime import date, datetime
from importlib.util import find_spec
from pathlib import Path

import click

from guardduty_lens.cli.main import EXIT_UNDELIVERED

_DAY = click.DateTime(["%Y-%m-%d"])


@click.command("enqueue")
@click.argument("archive", metavar="s3://BUCKET/PREFIX")
@click.option("--queue", metavar="URL", required=True, help="What the function index, or serve, reads.")
@click.option("--account", "accounts", multiple=True, metavar="ID", help="Only objects of this account.")
@click.option("--since", type=_DAY, metavar="DAY", help="Only objects of this day and later, YYYY-MM-DD.")
@click.option("--until", type=_DAY, metavar="DAY", help="Only objects of this day and earlier.")
@click.option(
    "--cursor",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A file for the last key that was told; where it is there, go on after it.",
)
@click.option("--region", help="The region of bucket and queue. [default: as AWS's own tools are told]")
@click.option("--dry-run", is_flag=True, help="Only say how much it would be.")
def command(
    archive: str,
    queue: str,
    accounts: Sequence[str],
    since: datetime | None,
    until: datetime | None,
    cursor: Path | None,
    region: str | None,
    dry_run: bool,
) -> None:
    """Put the keys of an archive on the index queue, as S3 itself would: others do the work, side by side.

    For archives of ours and GuardDuty's own exports. What is indexed already falls on itself. Days and
    accounts are read from keys (`…/2026/01/31/…`), days else from the last change.
    """
    if find_spec("boto3") is None:
        raise click.UsageError("enqueue needs the extra aws: pip install 'guardduty-lens[aws]'")
    import boto3
    from botocore.exceptions import BotoCoreError

    from guardduty_lens.aws.enqueue import Archive, EnqueueError, Told, enqueue, location_of

    try:
        bucket, prefix = location_of(archive)
        s3, sqs = boto3.client("s3", region_name=region), boto3.client("sqs", region_name=region)
    except (ValueError, BotoCoreError) as error:
        raise click.UsageError(str(error)) from error
    if cursor is not None and not cursor.parent.is_dir():
        raise click.UsageError(f"cannot write {cursor}: there is no folder {cursor.parent}")
    wanted = Archive(
        bucket=bucket,
        prefix=prefix,
        accounts=frozenset(accounts),
        since=_date(since),
        until=_date(until),
    )
    after = cursor.read_text("utf-8") if cursor is not None and cursor.exists() else ""
    told = Told(last=after)
    try:
        for told in enqueue(s3, None if dry_run else sqs, queue, wanted, after):
            if cursor is not None and not dry_run:
                _keep(cursor, told.last)
            _show(f"{told.objects} objects, {told.bytes / 1e6:.1f} MB")
    except EnqueueError as error:
        click.echo(f"guardduty-lens: {error}", err=True)
        if told.last:
            click.echo(f"guardduty-lens: the last key that was told: {told.last}", err=True)
        sys.exit(EXIT_UNDELIVERED)
    would = "would be told" if dry_run else "told"
    click.echo(
        f"{told.listed} listed; {told.objects} objects, {told.bytes / 1e6:.1f} MB, {would} in {told.messages}"
        " messages"
    )


def _date(moment: datetime | None) -> date | None:
    return moment.date() if moment is not None else None


def _keep(cursor: Path, key: str) -> None:
    """Write the cursor, whole or not at all."""
    fresh = cursor.with_name(f"{cursor.name}.new")
    fresh.write_text(key, "utf-8")
    fresh.replace(cursor)


def _show(text: str) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r{text} ", nl=False, err=True)
