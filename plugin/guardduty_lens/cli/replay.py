"""`guardduty-lens replay`: dead letters and archives, through the pipeline again."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from guardduty_lens.cli.archive_options import archive_options, aws_client, cursor_of, selection_of
from guardduty_lens.cli.filter import extras_of, job_options, start
from guardduty_lens.cli.main import EXIT_REJECTED, EXIT_UNDELIVERED
from guardduty_lens.cli.options import require_extras
from guardduty_lens.inputs.files import Unread
from guardduty_lens.inputs.replayed import LocalPlace, Place, Replayed
from guardduty_lens.outputs.dead_letters import first_free


@click.command("replay")
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@archive_options
@click.option(
    "--rate", type=click.FloatRange(0.01), metavar="NUMBER", help="At most so many records a second."
)
@job_options
def command(
    sources: tuple[str, ...],
    accounts: Sequence[str],
    since: Any,
    until: Any,
    cursor: Path | None,
    region: str | None,
    dry_run: bool,
    rate: float | None,
    **options: Any,
) -> None:
    """Send dead letters, or archived records, through again, as they are.

    SOURCE is a file, a folder, or s3://BUCKET/PREFIX: an archive of ours, GuardDuty's own exports, or dead
    letters. A dead letter gives the bytes that it holds; a record is enriched anew. Options are those of
    `filter`. What is rejected again goes to a file of its own, unless --dead-letters names one, which may not
    be one of the SOURCEs; these stay as they are.

    Accounts and days are read from names (`…/111122223333/…/2026/01/31/…`), days else from the last change.
    With --cursor an interrupted run goes on where it was confirmed; an --output is then appended to, and may
    hold records of the last seconds twice, while in a cluster they fall on themselves.
    """
    if cursor is not None and options["to"] == "parquet":
        raise click.UsageError(
            "--cursor does not go with --to parquet; --since does: a day again falls on itself"
        )
    of_aws = [source for source in sources if source.startswith("s3://")]
    require_extras(({"aws": f"reading {of_aws[0]}"} if of_aws else {}) | extras_of(options))
    kept = cursor_of(cursor)
    replayed = Replayed(
        [_place(source, region) for source in sources], selection_of(accounts, since, until), kept
    )
    if dry_run:
        _say_how_much(replayed, allow_empty=options["allow_empty"])
        return
    options["dead_letters"] = options["dead_letters"] or first_free()
    start(replayed, rate=rate, append=kept.has_begun, **options)


def _place(source: str, region: str | None) -> Place:
    """Give the place that an argument names. Raises UsageError."""
    if not source.startswith("s3://"):
        path = Path(source)
        if not path.exists():
            raise click.UsageError(f"there is no file or folder {source}")
        return LocalPlace(path)
    client = aws_client("s3", region, f"reading {source}")
    from guardduty_lens.inputs.replayed import S3Place
    from guardduty_lens.inputs.s3_archive import location_of

    try:
        return S3Place(client, location_of(source))
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def _say_how_much(replayed: Replayed, *, allow_empty: bool) -> None:
    try:
        size = replayed.size()
        nothing = [] if allow_empty else replayed.nothing_found()
    except (Unread, OSError) as error:
        click.echo(f"guardduty-lens: could not read {error}", err=True)
        raise SystemExit(EXIT_UNDELIVERED) from error
    click.echo(f"{size.sources} sources, {size.bytes / 1e6:.1f} MB, would be replayed")
    for line in nothing:
        click.echo(f"guardduty-lens: {line}. --allow-empty takes that for success", err=True)
    if nothing:
        raise SystemExit(EXIT_REJECTED)
