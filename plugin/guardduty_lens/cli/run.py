"""One run of `filter` or `replay`: inputs through a Lens to an output, counted."""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NoReturn

import click
import msgspec

from guardduty_lens.cli.main import EXIT_DONE, EXIT_REJECTED, EXIT_UNDELIVERED
from guardduty_lens.cli.summary import summary_text
from guardduty_lens.inputs.files import BLOCK_BYTES, expand, read_blocks
from guardduty_lens.lens import Lens
from guardduty_lens.outputs.dead_letters import DeadLetters
from guardduty_lens.outputs.forms import Form
from guardduty_lens.payloads.pieces import Rejected

STANDARD = Path("-")


class Undelivered(Exception):  # noqa: N818 - it is an outcome
    """An output did not take a record or a dead letter."""


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What a run reads and writes; the path `-` is standard input or output."""

    inputs: tuple[Path, ...]
    output: Path
    dead_letters: Path
    summary: Path | None
    form: Form
    quiet: bool = False


def run(job: Job, lens: Lens) -> NoReturn:
    """Run a job, print the summary on standard error, and exit with the code that says how it went."""
    sources = expand(job.inputs) or [STANDARD]
    _refuse_own_outputs(job, sources)
    dead_letters = DeadLetters(job.dead_letters)
    code = EXIT_UNDELIVERED
    try:
        with dead_letters, _opened_output(job.output) as output:
            for source in sources:
                _pass_through(lens, source, output, dead_letters, job.form)
            _flush(output)
        code = EXIT_REJECTED if lens.counters.rejected else EXIT_DONE
    except Undelivered as error:
        click.echo(f"guardduty-lens: could not deliver: {error}", err=True)
    _report(job, lens)
    sys.exit(code)


def _refuse_own_outputs(job: Job, sources: list[Path]) -> None:
    read = {source.resolve() for source in sources if source != STANDARD}
    for path in (job.output, job.dead_letters):
        if path != STANDARD and path.resolve() in read:
            raise click.UsageError(f"{path} is read and written by the same run")


@contextlib.contextmanager
def _opened_output(path: Path) -> Iterator[BinaryIO]:
    if path == STANDARD:
        with open(sys.stdout.fileno(), "wb", buffering=BLOCK_BYTES, closefd=False) as output:
            yield output
    else:
        try:
            output = path.open("wb", buffering=BLOCK_BYTES)
        except OSError as error:
            raise click.UsageError(f"cannot write {path}: {error.strerror}") from error
        with output:
            yield output


def _pass_through(lens: Lens, source: Path, output: BinaryIO, dead_letters: DeadLetters, form: Form) -> None:
    with _opened_input(source) as file:
        for item in lens.stream(read_blocks(file), str(source)):
            try:
                if isinstance(item, Rejected):
                    dead_letters.write(item)
                else:
                    output.write(form(item) + b"\n")
            except OSError as error:
                raise Undelivered(error.strerror or str(error)) from error


@contextlib.contextmanager
def _opened_input(source: Path) -> Iterator[BinaryIO]:
    if source == STANDARD:
        yield sys.stdin.buffer
        return
    try:
        file = source.open("rb")
    except OSError as error:
        raise click.UsageError(f"cannot read {source}: {error.strerror}") from error
    with file:
        yield file


def _flush(output: BinaryIO) -> None:
    try:
        output.flush()
    except OSError as error:
        raise Undelivered(error.strerror or str(error)) from error


def _report(job: Job, lens: Lens) -> None:
    if job.summary is not None:
        job.summary.write_bytes(msgspec.json.format(msgspec.json.encode(lens.counters.summary())) + b"\n")
    if not job.quiet:
        click.echo(summary_text(lens.counters, job.dead_letters), err=True)
