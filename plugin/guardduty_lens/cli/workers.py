"""`--workers`: several processes on the byte ranges of regular files, the output in the order of the input.

Every range is worked on ahead, and written in turn: a worker waits for the one before it, then writes what
it has and says where it ended. Ranges begin at lines that start with an object. If the one before went
beyond its end (a value over many lines), what was worked out ahead is thrown away and done again from there;
so the output is that of one process, whatever the input.
"""

import contextlib
import os
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from guardduty_lens.cli import signals
from guardduty_lens.counters import Counters
from guardduty_lens.inputs.files import BLOCK_BYTES, STANDARD, Unread
from guardduty_lens.lens import Lens
from guardduty_lens.outputs.forms import Form, whole
from guardduty_lens.outputs.sinks import DeliveryError
from guardduty_lens.payloads.compressed import GZIP_MAGIC
from guardduty_lens.payloads.pieces import Position, Rejected

if TYPE_CHECKING:
    from multiprocessing.connection import Connection  # importing it costs start-up, and is mostly not needed

RANGE_BYTES = 512 * 1024
"""Bytes of input that a worker takes at a time; what it gives of them is held until its turn."""

_AHEAD_BYTES = 2 * RANGE_BYTES  # of a range that is longer, since no line starts with an object
_FEW_BYTES = 64 * 1024
_SECONDS_BETWEEN_LOOKS = 1.0


class Range(NamedTuple):
    """Bytes of a file, from `start` to before `end`."""

    path: Path
    start: int
    end: int


class Outputs(NamedTuple):
    """Where a worker writes, once it is its turn."""

    form: Form
    write: Callable[[bytearray], None]
    reject: Callable[[Rejected], None]
    saved: Callable[[int], None] = lambda _: None
    """Is told, in the process that began, how many rejects the workers took."""


class WorkerError(Exception):
    """A worker could not go on, and why."""


def why_alone(sources: Sequence[Path]) -> str:
    """Say why these inputs can only be worked on by one process, or nothing."""
    for source in sources:
        if source == STANDARD:
            return "standard input is no regular file"
        if not source.is_file():
            return f"{source} is no regular file"
        try:
            with source.open("rb") as file:
                if file.read(len(GZIP_MAGIC)) == GZIP_MAGIC:
                    return f"{source} is compressed"
        except OSError:
            return f"{source} cannot be read"
    return ""


# --- ranges ---------------------------------------------------------------------------------------


def ranges_of(sources: Sequence[Path], size: int = RANGE_BYTES) -> list[Range]:
    """Cut files into ranges of `size` bytes or more that begin at lines which start with an object.

    Raises Unread.
    """
    found: list[Range] = []
    for path in sources:
        with _opened(path) as file:
            found += _ranges_in(file, path, size)
    return found


@contextlib.contextmanager
def _opened(path: Path, at: int = 0) -> Iterator[BufferedReader]:
    """Open a file to read it from `at` on. Raises Unread, also for what fails while it is open."""
    try:
        with path.open("rb") as file:
            file.seek(at)
            yield file
    except OSError as error:
        raise Unread(f"{path}: {error.strerror}") from error


def _ranges_in(file: BufferedReader, path: Path, size: int) -> Iterator[Range]:
    start, end = 0, os.fstat(file.fileno()).st_size
    while start < end:
        following = min(start + size, end)
        file.seek(following)
        while following < end and (lines := _lines_before_object(file)):
            following += len(lines)
            if _is_before_object(file, lines):
                break
        following = min(following, end)
        yield Range(path, start, following)
        start = following


def _lines_before_object(file: BufferedReader) -> bytes:
    """Read up to where a line begins that starts with an object, or a few kilobytes; nothing at the end."""
    read = bytearray()
    while len(read) < _FEW_BYTES and (line := file.readline(_FEW_BYTES)):
        read += line
        if _is_before_object(file, line):
            break
    return bytes(read)


def _is_before_object(file: BufferedReader, read: bytes) -> bool:
    """Tell whether, behind what was read last, a line begins that starts with an object."""
    return read.endswith(b"\n") and file.peek(1)[:1] == b"{"


# --- processes ------------------------------------------------------------------------------------


class _Part:
    """What a range gives, from `begin` on: at once what is worked on ahead, then by `rest`.

    `end` is where it ended, `lines` how many line breaks were before that, and `counters` what it counted.
    Raises Unread.
    """

    def __init__(self, lens: Lens, span: Range, begin: int, form: Form) -> None:
        self.written = bytearray()
        self.rejected: list[Rejected] = []
        self.begin = self.end = begin
        lens.counters = self.counters = Counters()
        self._span = span
        self._form = form
        at_once = self.written if form is whole else None
        self._run = lens.start(str(span.path), begin, at_once)
        with _opened(span.path, begin) as file:
            while self.end < min(span.end, begin + _AHEAD_BYTES) and (block := self._next(file)):
                self._take(block)

    @property
    def lines(self) -> int:
        return self._run.position.line - 1

    def rest(self) -> Iterator[None]:
        """Work on what is left, beyond the end of the range if a value goes on there; stops at each block."""
        if self.end >= self._span.end and self._run.is_between_lines:
            return
        with _opened(self._span.path, self.end) as file:
            while block := self._next(file):
                self._take(block)
                yield
        if not self._run.is_between_lines:
            self._keep(self._run.close())
            yield

    def _next(self, file: BufferedReader) -> bytes:
        if self.end < self._span.end:
            return file.read(min(BLOCK_BYTES, self._span.end - self.end))
        return b"" if self._run.is_between_lines else _lines_before_object(file)

    def _take(self, block: bytes) -> None:
        self.end += len(block)
        self._keep(self._run.feed(block))

    def _keep(self, items: Iterator[Any]) -> None:
        for item in items:
            if isinstance(item, Rejected):
                self.rejected.append(item)
            else:
                self._form(item, self.written)
                self.written += b"\n"


class _Turn:
    """What workers share: whose turn it is, where the last one ended, and behind how many line breaks."""

    def __init__(self, context: Any, workers: int) -> None:
        self._turns = [context.Semaphore(0) for _ in range(workers)]
        self._turns[0].release()
        self._ended = context.Array("q", 2, lock=False)
        self._failed = context.Value("b", 0, lock=False)
        self._stopping = context.Value("b", 0, lock=False)
        self._parent = os.getpid()

    @property
    def workers(self) -> int:
        return len(self._turns)

    @property
    def ended(self) -> tuple[int, int]:
        end, lines = self._ended
        return end, lines

    def wait(self, number: int) -> bool:
        """Wait for the turn of a range; tell whether all went well so far."""
        turn = self._turns[number % self.workers]
        while not turn.acquire(timeout=_SECONDS_BETWEEN_LOOKS):
            if os.getppid() != self._parent:
                return False
        return not self._failed.value and not self._stopping.value and os.getppid() == self._parent

    def stop(self) -> None:
        """Let no further range be written."""
        self._stopping.value = 1

    def pass_on(self, number: int, ended: tuple[int, int] | None) -> None:
        """Let the next range be written; without an end, something failed."""
        if ended is None:
            self._failed.value = 1
        else:
            self._ended[:] = ended
        self._turns[(number + 1) % self.workers].release()


class _Worker:
    """What a process does: work on every range that is its own, and write each in turn."""

    def __init__(self, lens: Lens, ranges: list[Range], outputs: Outputs, turn: _Turn) -> None:
        self.counters = Counters()
        self.saved = 0
        self._lens = lens
        self._ranges = ranges
        self._outputs = outputs
        self._turn = turn

    def run(self, first: int) -> str:
        """Work on each range from the first on that is this worker's; give what went wrong."""
        for number in range(first, len(self._ranges), self._turn.workers):
            span = self._ranges[number]
            ahead = self._ahead(span)
            if not self._turn.wait(number):
                self._turn.pass_on(number, None)
                return ""  # it is for another to say what went wrong
            try:
                ended = self._write(span, ahead)
            except (DeliveryError, OSError, Unread) as error:
                self._turn.pass_on(number, None)
                return _why(error)
            self._turn.pass_on(number, ended)
        return ""

    def _ahead(self, span: Range) -> _Part | None:
        try:
            return _Part(self._lens, span, span.start, self._outputs.form)
        except Unread:
            return None  # that is said once it is the turn of this range

    def _write(self, span: Range, ahead: _Part | None) -> tuple[int, int]:
        """Write what a range gives; give where it ended. Raises OSError, or Unread."""
        begin, lines = self._turn.ended if span.start > 0 else (0, 0)
        part = ahead
        if part is None or part.begin != begin:
            part = _Part(self._lens, span, begin, self._outputs.form)
        try:
            self._hand_on(part, lines)
            for _ in part.rest():
                self._hand_on(part, lines)
        finally:
            self.counters.add(part.counters)
        return part.end, lines + part.lines

    def _hand_on(self, part: _Part, lines: int) -> None:
        try:
            self._outputs.write(part.written)
        finally:  # they are counted, and can be saved even where records cannot be written
            for rejected in part.rejected:
                self._outputs.reject(_moved(rejected, lines))
                self.saved += 1
        part.written.clear()
        part.rejected.clear()


def _why(error: DeliveryError | OSError | Unread) -> str:
    return f"could not read {error}" if isinstance(error, Unread) else str(error)


def _moved(rejected: Rejected, lines: int) -> Rejected:
    position = Position(rejected.position.line + lines, rejected.position.byte, rejected.position.inside)
    return msgspec.structs.replace(rejected, position=position)


def run_workers(lens: Lens, ranges: list[Range], workers: int, outputs: Outputs) -> None:
    """Work on all ranges with several processes, and add up what they counted in the lens.

    Raises WorkerError where one could not go on, and Stopped where a signal came: then ranges that were being
    written are written to their end. What was written before stays, and is counted.
    """
    if not ranges:
        return
    import multiprocessing

    context = multiprocessing.get_context("fork")
    turn = _Turn(context, min(workers, len(ranges)))
    worker = _Worker(lens, ranges, outputs, turn)
    processes = {}
    try:
        for first in range(turn.workers):
            ours, theirs = context.Pipe(duplex=False)
            process = context.Process(target=_be, args=(worker, first, theirs))
            process.start()
            processes[ours] = process
            theirs.close()
        _gather(lens.counters, processes, outputs, turn)
    finally:
        # None is left, unless one failed or this process is to end; they ignore other signals.
        for process in processes.values():
            process.kill()
            process.join()


def _be(worker: _Worker, first: int, result: "Connection") -> None:
    """Be a worker, and report; the body of a process."""
    signals.ignore()  # terminals and service managers send them to all, and the parent ends us
    error = worker.run(first)
    result.send((error, worker.saved, msgspec.msgpack.encode(worker.counters)))
    result.close()
    os._exit(0)  # nothing of the parent's is to be run or flushed again


def _gather(counters: Counters, processes: "dict[Connection, Any]", outputs: Outputs, turn: _Turn) -> None:
    """Wait for what each worker says at its end. Raises WorkerError for what went wrong first, or Stopped."""
    open_ends = dict(processes)
    errors = []
    stopped: signals.Stopped | None = None
    while open_ends:
        try:
            ready = _ready(open_ends, may_stop=stopped is None)
        except signals.Stopped as signalled:
            if signalled.is_abrupt:
                raise
            stopped = signalled
            turn.stop()
            continue
        for connection in ready:
            error, saved, counted = _said(connection, open_ends.pop(connection))
            counters.add(msgspec.msgpack.decode(counted, type=Counters))
            outputs.saved(saved)
            errors += [error] if error else []
    if errors:
        raise WorkerError(errors[0])
    if stopped is not None:
        raise stopped


def _ready(open_ends: "Mapping[Connection, Any]", *, may_stop: bool) -> "list[Connection]":
    """Wait until workers have said something, or, if it may be, until a signal comes. Raises Stopped."""
    from multiprocessing.connection import Connection, wait

    with signals.waiting() if may_stop else contextlib.nullcontext():
        ready = wait(list(open_ends))
    return [each for each in ready if isinstance(each, Connection)]


def _said(connection: "Connection", process: Any) -> tuple[str, int, bytes]:
    """Give what a worker says at its end. Raises WorkerError for one that says nothing."""
    try:
        error, saved, counted = connection.recv()
    except EOFError:
        process.join()
        raise WorkerError(f"could not go on: a worker {_end_of(process.exitcode)}") from None
    return error, saved, counted


def _end_of(exit_code: int) -> str:
    if exit_code < 0:
        return f"was ended by {signal.Signals(-exit_code).name}"
    return f"ended with exit code {exit_code}"
