"""The job's command line."""

import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click
import msgspec

from guardduty_lens.aws.spark.groups import groups_in
from guardduty_lens.aws.spark.job import JobError, run, spark_context
from guardduty_lens.aws.spark.task import Work, lens_of, store_of
from guardduty_lens.cli.archive_options import selection_of, selection_options
from guardduty_lens.cli.filter import cluster_of, cluster_options
from guardduty_lens.cli.main import EXIT_DONE, EXIT_REJECTED, EXIT_UNDELIVERED
from guardduty_lens.cli.opensearch_options import opensearch_options
from guardduty_lens.cli.options import USER_ERRORS, lens_options, require_extras, severity_scheme
from guardduty_lens.cli.summary import summary_text
from guardduty_lens.inputs.s3_archive import CannotListError
from guardduty_lens.inputs.s3_objects import aws_errors
from guardduty_lens.parquet.columns import Columns, ColumnsError
from guardduty_lens.parquet.writer import LETTERS


@click.command("guardduty-lens-spark")
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@click.option(
    "-o", "--output", required=True, help="A folder that all machines share, or s3://BUCKET/PREFIX."
)
@click.option("--summary", type=click.Path(path_type=Path), help="Write the summary as JSON to this file.")
@selection_options
@lens_options
@opensearch_options
@cluster_options
def main(
    sources: tuple[str, ...],
    accounts: Sequence[str],
    since: Any,
    until: Any,
    dry_run: bool,
    summary: Path | None,
    **options: Any,
) -> None:
    """Send archives through, side by side, to Parquet below --output, and with --url to a cluster.

    SOURCE is a file, a folder that all machines share, or s3://BUCKET/PREFIX; it is best given by whole days.
    """
    require_extras({"spark": "the job"})
    work = _work(options)
    try:
        groups = groups_in(sources, selection_of(accounts, since, until), options["region"])
    except CannotListError as error:
        click.echo(f"guardduty-lens: could not read {error}", err=True)
        sys.exit(EXIT_UNDELIVERED)
    number, size = sum(len(group.sources) for group in groups), sum(group.bytes for group in groups)
    click.echo(f"{number} sources in {len(groups)} groups, {size / 1e6:.1f} MB", err=True)
    if dry_run or not groups:
        return
    failures: tuple[type[Exception], ...] = (JobError, OSError, CannotListError, *aws_errors())
    try:
        whole = run(spark_context(), groups, work, store_of(options["output"], options["region"]))
    except failures as error:
        click.echo(f"guardduty-lens: could not deliver: {error}", err=True)
        sys.exit(EXIT_UNDELIVERED)
    click.echo(summary_text(whole.counters, Path(f"{options['output']}/{LETTERS}")), err=True)
    if summary is not None:
        told = whole.counters.summary() | {"rows_by_day": dict(sorted(whole.rows.items()))}
        summary.write_bytes(msgspec.json.format(msgspec.json.encode(told)) + b"\n")
    sys.exit(EXIT_REJECTED if whole.counters.rejected else EXIT_DONE)


def _work(options: Mapping[str, Any]) -> Work:
    """Check the options here, before machines are asked. Raises UsageError."""
    told = dict(options) | {"severity_scheme": severity_scheme(options["severity_scheme"])}
    fields: Path | None = told.pop("fields")
    texts: dict[str, str] = {}
    if fields is not None:
        folder = fields if fields.is_dir() else fields.parent
        files = sorted(fields.rglob("*")) if fields.is_dir() else [fields]
        texts = {str(path.relative_to(folder)): path.read_text("utf-8") for path in files if path.is_file()}
    work = Work(told, texts)
    try:
        with ExitStack() as stack:
            Columns(lens_of(work, stack))
    except (*USER_ERRORS, ColumnsError) as error:
        raise click.UsageError(str(error)) from error
    if told["url"]:
        cluster_of(told)
    return work
