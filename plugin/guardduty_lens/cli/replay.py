"""`guardduty-lens replay`: dead letters and archives, through the pipeline again."""

from pathlib import Path
from typing import Any

import click

from guardduty_lens.cli.filter import job_options, start


@click.command("replay")
@click.argument(
    "files", nargs=-1, required=True, metavar="FILE...", type=click.Path(exists=True, path_type=Path)
)
@job_options
def command(files: tuple[Path, ...], **options: Any) -> None:
    """Send dead letters, or archived records, through again, as they are.

    A dead letter gives the bytes that it holds; a record is enriched anew. Options are those of `filter`.
    What is rejected again goes to --dead-letters, which may not be one of the FILEs.
    """
    start(files, **options)
