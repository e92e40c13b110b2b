"""One run of `filter` or `replay`: inputs through a Lens to an output, counted."""

import contextlib
import gc
import itertools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click
import msgspec

from guardduty_lens.cli import signals
from guardduty_lens.cli.main import EXIT_DONE, EXIT_REJECTED, EXIT_UNDELIVERED
from guardduty_lens.cli.progress import Progress
from guardduty_lens.cli.summary import summary_of, summary_text
from guardduty_lens.cli.workers import Outputs, WorkerError, ranges_of, run_workers, why_alone
from guardduty_lens.inputs.cursor import CursorError
from guardduty_lens.inputs.files import STANDARD, Unread
from guardduty_lens.inputs.sources import Source, Sources
from guardduty_lens.lens import Lens
from guardduty_lens.outputs.dead_letters import DeadLetters
from guardduty_lens.outputs.forms import Form
from guardduty_lens.outputs.places import cannot_write, why_no_file, why_no_folder
from guardduty_lens.outputs.sinks import (
    CannotOpenError,
    DeliveryError,
    FileSink,
    LimitedSink,
    Sink,
)
from guardduty_lens.payloads.pieces import Rejected
from guardduty_lens.retries import Retries

if TYPE_CHECKING:
    from guardduty_lens.outputs.cluster import Cluster  # imported where it is wanted


_IN_ORDER = ": what was read until then was worked on to its end"
_NOT_BEGUN = ": nothing had been read yet"
_HALF_WAY = ": what was read until then could not be written to its end in time"


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
    again: str = ""
    """The options that replay rejects to the same output."""
    allow_empty: bool = False
    """Whether a place in which there is nothing to read is no failure."""


class Outcome(msgspec.Struct):
    """How a run went: its exit code, how many rejects were saved, and whether counted records are missing.

    `is_abrupt` says that it was broken off, so that threads may still wait for an answer.
    """

    code: int
    saved: int
    is_torn: bool = False
    is_abrupt: bool = False


def run(job: Job, lens: Lens) -> NoReturn:
    """Run a job, print the summary on standard error, and exit with the code that says how it went."""
    outcome = deliver(job, lens)
    code = max(outcome.code, _write_summary(job, lens, outcome))
    if not job.quiet:
        click.echo(summary_text(lens.counters, job.dead_letters, outcome.saved, job.again), err=True)
        if outcome.is_torn:
            click.echo("  some of these records may not have been written", err=True)
    if outcome.is_abrupt:
        signals.end(code)
    sys.exit(code)


def deliver(job: Job, lens: Lens) -> Outcome:
    """Pass all inputs of a job to its output, and say what went wrong. Raises click.UsageError."""
    _refuse_own_outputs(job)
    alone = _why_alone(job)
    if job.workers > 1 and alone and not job.quiet:
        click.echo(f"guardduty-lens: one worker, since {alone}", err=True)
    work = _pass_all_through if alone else _share_out
    letters = DeadLetters(job.dead_letters)
    # What is there by now stays to the end: the garbage collector need not go through it again and again.
    gc.freeze()
    try:
        with signals.in_order():
            outcome = _outcome(work, job, lens, letters)
            _say_what_is_empty(job, outcome)
    finally:
        job.inputs.close()
    return outcome


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


def _outcome(
    work: Callable[[Job, Lens, DeadLetters], None], job: Job, lens: Lens, letters: DeadLetters
) -> Outcome:
    """Do the work of a run, and say what went wrong with it. Raises UsageError."""
    outcome = Outcome(EXIT_UNDELIVERED, 0)
    try:
        work(job, lens, letters)
    except CannotOpenError as error:
        raise click.UsageError(str(error)) from error
    except Unread as error:
        _say(f"could not read {error}")
    except CursorError as error:
        _say(str(error))  # all is delivered, and would be done again
    except (WorkerError, DeliveryError) as error:
        _say_undelivered(job, error)
        outcome.is_torn = job.cluster is None  # of a cluster each record is known
    except OSError as error:
        _say(cannot_write("records", Path(error.filename or job.output), error, "--output"))
        outcome.is_torn = True
    except signals.Stopped as stopped:
        how = _HALF_WAY if stopped.is_abrupt else _IN_ORDER if lens.counters.payloads else _NOT_BEGUN
        _say(f"{stopped}{how}{_again(job)}")
        outcome.code, outcome.is_abrupt = stopped.exit_code, stopped.is_abrupt
        outcome.is_torn = stopped.is_abrupt and job.cluster is None
    else:
        outcome.code = EXIT_REJECTED if lens.counters.rejected else EXIT_DONE
    if signals.is_stopping() and outcome.code == EXIT_UNDELIVERED:
        outcome.code = signals.exit_code()
    outcome.saved = letters.saved
    return outcome


def _say_undelivered(job: Job, error: Exception) -> None:
    if job.cluster is not None:
        _say(f"could not deliver: {error}{_again(job) if signals.is_stopping() else ''}")
    else:
        _say(str(error))


def _again(job: Job) -> str:
    return "; run it again: in a cluster nothing is doubled" if job.cluster is not None else ""


def _say(text: str) -> None:
    click.echo(f"guardduty-lens: {text}", err=True)


def _say_what_is_empty(job: Job, outcome: Outcome) -> None:
    """Say what was looked for where nothing was, which is a failure unless the user said otherwise."""
    if job.allow_empty or outcome.code > EXIT_REJECTED:
        return
    try:
        for line in job.inputs.nothing_found():
            _say(f"{line}. --allow-empty takes that for success")
            outcome.code = EXIT_REJECTED
    except Unread as error:
        _say(f"could not read {error}")
        outcome.code = EXIT_UNDELIVERED


def _refuse_own_outputs(job: Job) -> None:
    """Raise UsageError where a file is read and written, or written twice, or has no folder to be in."""
    used = {source.resolve(): "read and written" for source in job.inputs.files if source != STANDARD}
    output = None if job.cluster is not None else job.output
    paths = {"--output": output, "--dead-letters": job.dead_letters, "--summary": job.summary}
    for option, path in paths.items():
        if path is None or path == STANDARD or _is_device(path):
            continue
        if path.resolve() in used:
            raise click.UsageError(
                f"{path} is {used[path.resolve()]} by the same run; name another file with {option}"
            )
        is_folder = path == output and job.parquet
        if reason := why_no_folder(path) if is_folder else why_no_file(path):
            raise click.UsageError(reason)
        used[path.resolve()] = "written twice"


def _is_device(path: Path) -> bool:
    """Tell whether a path is what may be read and written at once, such as /dev/null."""
    return path.exists() and not path.is_file() and not path.is_dir()


def _share_out(job: Job, lens: Lens, dead_letters: DeadLetters) -> None:
    """Have several processes pass the inputs to the output. Raises WorkerError, Unread, or Stopped."""
    if not job.inputs.files and not job.allow_empty:
        return
    sink = FileSink(job.output, job.form, unbuffered=False)
    with dead_letters, sink:
        outputs = Outputs(job.form, sink.write_bytes, dead_letters.write, dead_letters.add_saved)
        run_workers(lens, ranges_of(job.inputs.files), job.workers, outputs)


def _pass_all_through(job: Job, lens: Lens, dead_letters: DeadLetters) -> None:
    """Pass every input to the output.

    Raises Unread for the first; OSError or DeliveryError for the second; Stopped where a signal came.
    """
    found = iter(job.inputs)
    with signals.waiting():
        first = next(found, None)
    if first is None and not job.allow_empty and job.inputs.nothing_found():
        return  # and nothing that is there is replaced by an empty output
    sources = itertools.chain(() if first is None else (first,), found)
    with contextlib.ExitStack() as stack:
        stack.enter_context(dead_letters)
        sink = _sink(job, lens, dead_letters)
        with signals.waiting():
            opened = stack.enter_context(sink)
        progress = stack.enter_context(_progress(job, lens, opened))
        limited = opened if job.rate is None else LimitedSink(opened, job.rate, signals.is_stopping)
        try:
            _pass_through(lens, job.inputs, sources, limited, dead_letters, progress)
        except (Unread, signals.Stopped) as stopped:
            if not (isinstance(stopped, signals.Stopped) and stopped.is_abrupt):
                limited.flush()  # what was read before is delivered all the same
                job.inputs.confirmed()
            raise
        limited.flush()
        job.inputs.confirmed()


def _pass_through(
    lens: Lens,
    inputs: Sources,
    found: Iterator[Source],
    sink: Sink,
    dead_letters: DeadLetters,
    progress: Progress,
) -> None:
    while True:
        with signals.waiting():
            source = next(found, None)
        if source is None:
            return
        for item in lens.stream(_blocks(source, sink, progress), source.name, sink.at_once):
            if isinstance(item, Rejected):
                dead_letters.write(item)
            else:
                sink.write(item, source.name)
        sink.hand_on(more=True)
        inputs.passed(source, sink.flush)


def _sink(job: Job, lens: Lens, dead_letters: DeadLetters) -> contextlib.AbstractContextManager[Sink]:
    if job.cluster is not None:
        from guardduty_lens.outputs.cluster import ClusterSink

        return ClusterSink(job.cluster, lens, dead_letters, retries=Retries(signals.is_in_a_hurry))
    if job.parquet:
        from guardduty_lens.outputs.parquet import ParquetSink

        return ParquetSink(job.output, lens, dead_letters, job.inputs.group_of)
    return FileSink(job.output, job.form, unbuffered=job.unbuffered, append=job.append)


def _progress(job: Job, lens: Lens, sink: Sink) -> Progress:
    """Show progress, unless nobody wants it, or records go to a terminal too."""
    wanted = not job.quiet and not sink.is_terminal
    return Progress(job.inputs.total_bytes, lambda: sum(lens.counters.records.values()), wanted=wanted)


def _blocks(source: Source, sink: Sink, progress: Progress) -> Iterator[bytes]:
    """Read an input; what a block gave is handed on before the next is waited for. Raises Stopped."""
    blocks = source.blocks()
    while True:
        with signals.waiting():
            block = next(blocks, None)
        if block is None:
            return
        yield block
        sink.hand_on(more=source.is_at_hand)
        progress.advance(len(block))


def _write_summary(job: Job, lens: Lens, outcome: Outcome) -> int:
    """Write the summary where it is asked for; say what went wrong, and give the exit code."""
    if job.summary is None:
        return EXIT_DONE
    summary = summary_of(lens.counters, outcome.saved)
    try:
        job.summary.write_bytes(msgspec.json.format(msgspec.json.encode(summary)) + b"\n")
    except OSError as error:
        _say(cannot_write("the summary", job.summary, error, "--summary"))
        return EXIT_UNDELIVERED
    return EXIT_DONE
