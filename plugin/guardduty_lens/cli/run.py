"""One run of `filter` or `replay`: inputs through a Lens to an output, counted."""

import contextlib
import gc
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click
import msgspec

from guardduty_lens.cli.main import EXIT_DONE, EXIT_REJECTED, EXIT_UNDELIVERED
from guardduty_lens.cli.progress import Progress
from guardduty_lens.cli.summary import summary_text
from guardduty_lens.cli.workers import Outputs, WorkerError, ranges_of, run_workers, why_alone
from guardduty_lens.inputs.files import STANDARD, Unread
from guardduty_lens.inputs.sources import Source, Sources
from guardduty_lens.lens import Lens
from guardduty_lens.outputs.dead_letters import DeadLetters
from guardduty_lens.outputs.forms import Form
from guardduty_lens.outputs.sinks import (
    CannotOpenError,
    DeliveryError,
    FileSink,
    LimitedSink,
    Sink,
    opened_output,
    write_all,
)
from guardduty_lens.payloads.pieces import Rejected

if TYPE_CHECKING:
    from guardduty_lens.outputs.cluster import Cluster  # imported where it is wanted


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What a run reads and writes; the path `-` is standard input or output."""

    inputs: Sources
    output: Path
    dead_letters: Path
    summary: Path | None
    form: Form
    quiet: bool = False
    unbuffered: bool = False
    workers: int = 1
    cluster: "Cluster | None" = None
    """Where records go instead of `output`."""
    parquet: bool = False
    """Whether `output` is a folder of Parquet files."""
    rate: float | None = None
    """Records a second, at most."""
    append: bool = False
    """Whether the output goes on where it ended."""


def run(job: Job, lens: Lens) -> NoReturn:
    """Run a job, print the summary on standard error, and exit with the code that says how it went."""
    code = max(deliver(job, lens), _outcome(_write_summary, job, lens))
    if not job.quiet:
        click.echo(summary_text(lens.counters, job.dead_letters), err=True)
    sys.exit(code)


def deliver(job: Job, lens: Lens) -> int:
    """Pass all inputs of a job to its output, say what went wrong, and give the exit code.

    Raises click.UsageError.
    """
    _refuse_own_outputs(job)
    alone = _why_alone(job)
    if job.workers > 1 and alone and not job.quiet:
        click.echo(f"guardduty-lens: one worker, since {alone}", err=True)
    work = _pass_all_through if alone else _share_out
    # What is there by now stays to the end: the garbage collector need not go through it again and again.
    gc.freeze()
    try:
        return _outcome(work, job, lens)
    finally:
        job.inputs.close()


def _why_alone(job: Job) -> str:
    """Say why one process does it all, or nothing."""
    if job.workers == 1:
        return "asked for"
    if job.cluster is not None:
        return "records go to a cluster"
    if job.parquet:
        return "Parquet files are written by one process"
    if job.rate is not None:
        return "the rate is that of one process"
    return job.inputs.why_alone or why_alone(job.inputs.files)


def _outcome(work: Callable[[Job, Lens], None], job: Job, lens: Lens) -> int:
    """Do a part of the run, say what went wrong with it, and give the exit code. Raises UsageError."""
    try:
        work(job, lens)
    except CannotOpenError as error:
        raise click.UsageError(str(error)) from error
    except Unread as error:
        click.echo(f"guardduty-lens: could not read {error}", err=True)
    except (WorkerError, DeliveryError) as error:
        click.echo(f"guardduty-lens: {error}", err=True)
    except OSError as error:
        click.echo(f"guardduty-lens: could not deliver: {error.strerror or error}", err=True)
    else:
        return EXIT_REJECTED if lens.counters.rejected else EXIT_DONE
    return EXIT_UNDELIVERED


def _refuse_own_outputs(job: Job) -> None:
    """Raise UsageError where a file is read and written, or written twice, or has no folder to be in."""
    used = {source.resolve(): "read and written" for source in job.inputs.files if source != STANDARD}
    output = None if job.cluster is not None else job.output
    for path in (output, job.dead_letters, job.summary):
        if path is None or path == STANDARD or _is_device(path):
            continue
        if path.resolve() in used:
            raise click.UsageError(f"{path} is {used[path.resolve()]} by the same run")
        if not path.parent.is_dir():
            raise click.UsageError(f"cannot write {path}: there is no folder {path.parent}")
        used[path.resolve()] = "written twice"


def _is_device(path: Path) -> bool:
    """Tell whether a path is what may be read and written at once, such as /dev/null."""
    return path.exists() and not path.is_file()


def _share_out(job: Job, lens: Lens) -> None:
    """Have several processes pass the inputs to the output. Raises WorkerError, or Unread."""
    with DeadLetters(job.dead_letters) as dead_letters, opened_output(job.output) as output:

        def write(written: bytearray) -> None:
            write_all(output, written)

        outputs = Outputs(job.form, write, dead_letters.write)
        run_workers(lens, ranges_of(job.inputs.files), job.workers, outputs)


def _pass_all_through(job: Job, lens: Lens) -> None:
    """Pass every input to the output.

    Raises Unread for the first; OSError or DeliveryError for the second.
    """
    with (
        DeadLetters(job.dead_letters) as dead_letters,
        _sink(job, lens, dead_letters) as opened,
        _progress(job, lens, opened) as progress,
    ):
        sink = opened if job.rate is None else LimitedSink(opened, job.rate)
        try:
            _pass_through(lens, job.inputs, sink, dead_letters, progress)
        except Unread:
            sink.flush()  # what was read before is delivered all the same
            job.inputs.confirmed()
            raise
        sink.flush()
        job.inputs.confirmed()


def _pass_through(
    lens: Lens, sources: Sources, sink: Sink, dead_letters: DeadLetters, progress: Progress
) -> None:
    for source in sources:
        for item in lens.stream(_blocks(source, sink, progress), source.name, sink.at_once):
            if isinstance(item, Rejected):
                dead_letters.write(item)
            else:
                sink.write(item, source.name)
        sink.hand_on(more=True)
        sources.passed(source, sink.flush)


def _sink(job: Job, lens: Lens, dead_letters: DeadLetters) -> contextlib.AbstractContextManager[Sink]:
    if job.cluster is not None:
        from guardduty_lens.outputs.cluster import ClusterSink

        return ClusterSink(job.cluster, lens, dead_letters)
    if job.parquet:
        from guardduty_lens.outputs.parquet import ParquetSink

        return ParquetSink(job.output, lens, dead_letters, job.inputs.group_of)
    return FileSink(job.output, job.form, unbuffered=job.unbuffered, append=job.append)


def _progress(job: Job, lens: Lens, sink: Sink) -> Progress:
    """Show progress, unless nobody wants it, or records go to a terminal too."""
    wanted = not job.quiet and not sink.is_terminal
    return Progress(job.inputs.total_bytes, lambda: sum(lens.counters.records.values()), wanted=wanted)


def _blocks(source: Source, sink: Sink, progress: Progress) -> Iterator[bytes]:
    """Read an input; what a block gave is handed on before the next is waited for."""
    for block in source.blocks():
        yield block
        sink.hand_on(more=source.is_at_hand)
        progress.advance(len(block))


def _write_summary(job: Job, lens: Lens) -> None:
    if job.summary is not None:
        job.summary.write_bytes(msgspec.json.format(msgspec.json.encode(lens.counters.summary())) + b"\n")
