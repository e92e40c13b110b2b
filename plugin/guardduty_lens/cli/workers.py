"""`--workers`: several processes on the byte ranges of regular files, the output in the order of the input.

Every range is worked on ahead, and written in turn: a worker waits for the one before it, then writes what
it has and says where it ended. Ranges begin at lines that start a value. If the one before went beyond its
end (a value over many lines), what was worked out ahead is thrown away and done again from there; so the
output is that of one process, whatever the input.
"""

import multiprocessing
import os
import sys
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from guardduty_lens.counters import Counters
from guardduty_lens.lens import Lens
from guardduty_lens.outputs.forms import Form
from guardduty_lens.payloads.compressed import GZIP_MAGIC
from guardduty_lens.payloads.pieces import Position, Rejected

RANGE_BYTES = 8 * 1024 * 1024
"""Bytes of input that a worker takes at a time; what it gives of them is held until its turn."""

_BLOCK_BYTES = 1024 * 1024


class Range(NamedTuple):
    """Bytes of a file, from `start` to before `end`."""

    path: Path
    start: int
    end: int


class WorkerError(Exception):
    """A worker could not go on, and why."""


def why_alone(sources: list[Path]) -> str:
    """Say why these inputs can only be worked on by one process, or nothing."""
    for source in sources:
        if not source.is_file():
            return f"{source} is no regular file"
        with source.open("rb") as file:
            if file.read(len(GZIP_MAGIC)) == GZIP_MAGIC:
                return f"{source} is compressed"
    return ""


def ranges_of(sources: list[Path], size: int = RANGE_BYTES) -> list[Range]:
    """Cut files into ranges of about `size` bytes that begin at lines which start a value."""
    found = []
    for path in sources:
        end = path.stat().st_size
        with path.open("rb") as file:
            start = 0
            while start < end:
                following = _value_line(file, start + size, end)
                found.append(Range(path, start, following))
                start = following
    return found


def _value_line(file: Any, at: int, end: int) -> int:
    """Give where the first line from `at` on begins that starts with an object, or the end."""
    if at >= end:
        return end
    file.seek(at)
    for line in iter(file.readline, b""):
        at += len(line)
        if at >= end or file.peek(1)[:1] == b"{":
            break
    return min(at, end)


class _Turn:
    """What workers share: whose turn it is, where the last one ended, and in which line of its file."""

    def __init__(self, context: Any, workers: int) -> None:
        self._turns = [context.Semaphore(0) for _ in range(workers)]
        self._turns[0].release()
        self.ended = context.Array("q", 2, lock=False)
        self._failed = context.Value("b", 0, lock=False)

    def wait(self, number: int) -> bool:
        """Wait for the turn of a range; tell whether all went well so far."""
        self._turns[number % len(self._turns)].acquire()
        return not self._failed.value

    def pass_on(self, number: int, *, failed: bool = False) -> None:
        """Let the next range be written."""
        self._failed.value |= failed
        self._turns[(number + 1) % len(self._turns)].release()


class Outputs(NamedTuple):
    """Where a worker writes, once it is its turn."""

    form: Form
    write: Callable[[bytearray], None]
    reject: Callable[[Rejected], None]


def run_workers(lens: Lens, ranges: list[Range], workers: int, outputs: Outputs) -> None:
    """Work on all ranges with several processes, and add up what they counted in the lens.

    Raises WorkerError where one could not go on; what was written before stays.
    """
    context = multiprocessing.get_context("fork")
    turn = _Turn(context, workers)
    processes = {}
    for worker in range(workers):
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=_work, args=(worker, workers, lens, ranges, outputs, turn, theirs))
        process.start()
        theirs.close()
        processes[ours] = process
    errors = [error for error in map(_result_into(lens.counters), _ended(processes)) if error]
    for process in processes.values():
        process.join()
    if errors:
        raise WorkerError(errors[0])


def _ended(processes: dict[Connection, Any]) -> Iterator[Any]:
    """Give what each worker says at its end; if one is gone without a word, end the others."""
    open_ends = dict(processes)
    while open_ends:
        ended = [connection for connection in wait(open_ends) if isinstance(connection, Connection)]
        for connection in ended:
            del open_ends[connection]
            try:
                yield connection.recv()
            except EOFError:
                for process in processes.values():
                    process.terminate()
                yield "a worker process died"
                return


def _result_into(counters: Counters) -> Callable[[Any], str]:
    def take(result: Any) -> str:
        if isinstance(result, str):
            return result
        counters.add(msgspec.msgpack.decode(result, type=Counters))
        return ""

    return take


def _work(
    worker: int,
    workers: int,
    lens: Lens,
    ranges: list[Range],
    outputs: Outputs,
    turn: _Turn,
    result: Connection,
) -> None:
    """Work on every range that is this worker's, and report; the body of a process."""
    counters = Counters()
    error = ""
    for number in range(worker, len(ranges), workers):
        error = _work_on(number, lens, ranges, outputs, turn, counters)
        if error:
            break
    result.send(error or msgspec.msgpack.encode(counters))
    result.close()
    sys.stdout.flush()
    os._exit(0)  # nothing of the parent's is to be run or flushed again


def _work_on(
    number: int, lens: Lens, ranges: list[Range], outputs: Outputs, turn: _Turn, counters: Counters
) -> str:
    """Work on one range ahead, and write it in turn; give what went wrong."""
    ahead = _Ahead(lens, ranges[number], ranges[number].start, outputs.form)
    if not turn.wait(number):
        turn.pass_on(number, failed=True)
        return "another worker failed"
    try:
        line = 1
        if ranges[number].start > 0:
            begin, line = turn.ended
            if begin != ranges[number].start:
                ahead = _Ahead(lens, ranges[number], begin, outputs.form)
        outputs.write(ahead.written)
        for rejected in ahead.rejected:
            outputs.reject(_moved(rejected, line - 1))
        turn.ended[:] = [ahead.end, line - 1 + ahead.line]
    except OSError as error:
        turn.pass_on(number, failed=True)
        return error.strerror or str(error)
    counters.add(ahead.counters)
    turn.pass_on(number)
    return ""


def _moved(rejected: Rejected, lines: int) -> Rejected:
    position = Position(rejected.position.line + lines, rejected.position.byte, rejected.position.inside)
    return msgspec.structs.replace(rejected, position=position)


class _Ahead:
    """What a range gives, from `begin` on; beyond its end if a value goes on there.

    `end` is where the next range is to begin, `line` the line that is, counted from 1 at `begin`.
    """

    def __init__(self, lens: Lens, span: Range, begin: int, form: Form) -> None:
        self.written = bytearray()
        self.rejected: list[Rejected] = []
        self.end = max(begin, span.end)
        lens.counters = self.counters = Counters()
        run = lens.start(str(span.path), begin)
        with span.path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            file.seek(begin)
            at = begin
            while at < span.end:
                block = file.read(min(_BLOCK_BYTES, span.end - at))
                at += len(block)
                self._take(run.feed(block), form)
            # Mostly nothing is left over; else what follows is needed, a line at a time.
            while at < size and not run.is_between_lines:
                line = file.readline()
                at += len(line)
                self._take(run.feed(line), form)
            self.end = max(at, begin)
            if self.end >= size:
                self._take(run.close(), form)
            self.line = run.position.line

    def _take(self, items: Iterator[Any], form: Form) -> None:
        for item in items:
            if isinstance(item, Rejected):
                self.rejected.append(item)
            else:
                form(item, self.written)
                self.written += b"\n"
