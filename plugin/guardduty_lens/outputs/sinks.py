"""Where the records of a run go: what a run asks of it, and a file or pipe."""

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Protocol, Self

from guardduty_lens.inputs.files import BLOCK_BYTES, STANDARD
from guardduty_lens.outputs.forms import Form, whole
from guardduty_lens.outputs.places import cannot_write
from guardduty_lens.record import Record

_SHORTEST_SLEEP_SECONDS, _LONGEST_SLEEP_SECONDS = 0.05, 0.5
_SAVED_SECONDS = 1.0
"""Of what a limited sink was not given, so much is made up for."""


class DeliveryError(Exception):
    """An output has not confirmed everything, and why."""


class CannotOpenError(Exception):
    """What was asked for as an output cannot be one, and why."""


class Sink(Protocol):
    """Takes the records of a run, in order."""

    @property
    def at_once(self) -> bytearray | None:
        """Where ordinary records may be written without being given (see `Lens.start`), if anywhere."""

    @property
    def is_terminal(self) -> bool:
        """Whether records are shown on a terminal."""

    def write(self, record: Record, source: str) -> None:
        """Take a record, and the name of the input that it is from."""

    def hand_on(self, *, more: bool) -> None:
        """Hand on what was taken so far; `more` says that there is more without waiting for it."""

    def flush(self) -> None:
        """Return once everything taken is confirmed."""


class FileSink:
    """A file or pipe, written in blocks, or record by record. Raises DeliveryError.

    `option` is what names the file, for people whom it is told that it cannot be written.
    """

    def __init__(
        self, path: Path, form: Form, *, unbuffered: bool, append: bool = False, option: str = "--output"
    ) -> None:
        self._path = path
        self._option = option
        self._append = append
        self._form = form
        self._unbuffered = unbuffered
        self._written = bytearray()
        self.at_once = self._written if form is whole and not unbuffered else None

    @property
    def is_terminal(self) -> bool:
        """Whether records are shown on a terminal."""
        return self._output.isatty()

    def write(self, record: Record, source: str) -> None:  # noqa: ARG002 - no line says it
        """Take a record as a line."""
        written = self._written
        self._form(record, written)
        written += b"\n"
        if self._unbuffered or len(written) > BLOCK_BYTES:
            self.flush()

    def hand_on(self, *, more: bool) -> None:  # noqa: ARG002 - a block is worth a call
        """Write what was taken so far."""
        self.flush()

    def flush(self) -> None:
        """Write what was taken so far."""
        self.write_bytes(self._written)
        self._written.clear()

    def write_bytes(self, written: bytearray) -> None:
        """Write lines that were made elsewhere."""
        try:
            write_all(self._output, written)
        except OSError as error:
            raise DeliveryError(cannot_write("records", self._path, error, self._option)) from error

    def __enter__(self) -> Self:
        self._context = opened_output(self._path, append=self._append)
        self._output = self._context.__enter__()
        if self._append and ends_within_a_line(self._path):
            self._written += b"\n"  # of a run that was killed while it wrote
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._context.__exit__(kind, error, trace)


class LimitedSink:
    """Another sink, that is given so many records a second at most: a cluster has others to serve, too."""

    at_once = None

    def __init__(self, sink: Sink, rate: float, is_stopping: Callable[[], bool]) -> None:
        self._sink = sink
        self._is_stopping = is_stopping
        self._seconds = 1 / rate
        self._due = time.monotonic()
        self.is_terminal = sink.is_terminal
        self.hand_on, self.flush = sink.hand_on, sink.flush

    def write(self, record: Record, source: str) -> None:
        """Take a record when it is time, or at once when all is to end."""
        now = time.monotonic()
        if self._due - now > _SHORTEST_SLEEP_SECONDS:
            self.hand_on(more=False)
            while not self._is_stopping() and (left := self._due - time.monotonic()) > 0:
                time.sleep(min(left, _LONGEST_SLEEP_SECONDS))
        self._due = max(self._due, now - _SAVED_SECONDS) + self._seconds
        self._sink.write(record, source)


def ends_within_a_line(path: Path) -> bool:
    """Tell whether a file ends with anything but a line break."""
    if not path.is_file() or not os.access(path, os.R_OK):
        return False
    with path.open("rb") as file:
        if file.seek(0, os.SEEK_END) == 0:
            return False
        file.seek(-1, os.SEEK_END)
        return file.read(1) != b"\n"


def write_all(output: BinaryIO, written: bytearray) -> None:
    """Write to an unbuffered file, which may take less than it is given."""
    done = output.write(written)
    while done < len(written):
        done += output.write(memoryview(written)[done:])


@contextlib.contextmanager
def opened_output(path: Path, *, append: bool = False) -> Iterator[BinaryIO]:
    """Open a file, or standard output, to write to it unbuffered. Raises CannotOpenError."""
    if path == STANDARD:
        with open(sys.stdout.fileno(), "wb", buffering=0, closefd=False) as output:
            yield output
        return
    try:
        output = path.open("ab" if append else "wb", buffering=0)
    except OSError as error:
        raise CannotOpenError(cannot_write("records", path, error, "--output")) from error
    with output:
        yield output
