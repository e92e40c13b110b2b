"""SIGINT and SIGTERM during a command that is to end by itself: in order, and with exit code 128 + signal.

Most of the time a signal raises `Stopped` where the command is. Within `in_order` it is only noted, so that
nothing is half counted or half written: whoever reads asks `waiting` or `is_stopping`, and goes on to the
end from there. That is bounded, as is what a command does at its end: `PATIENCE_SECONDS` later `Stopped` is
raised all the same, as when nobody reads our output. A second signal ends the process at once, as it would
any other.

A signal that was ignored when the process began stays so (a background job of a shell ignores SIGINT).
"""

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

PATIENCE_SECONDS = 6.0
"""How long a command may take to end in order: less than what Docker and systemd allow."""
HURRY_SECONDS = 3.0
"""After so many of these nothing is tried again."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stopped(BaseException):
    """The command is to end, by a signal; `is_abrupt` where it could not end in order."""

    def __init__(self, number: int, *, is_abrupt: bool = False) -> None:
        super().__init__(f"ended by {signal.Signals(number).name}")
        self.exit_code = 128 + number
        self.is_abrupt = is_abrupt


class _State:
    """What signals did so far; there is one, as there is one set of signal handlers in a process."""

    number = 0
    since = 0.0
    orderly = False
    waits = False


_state = _State()


@contextmanager
def handled() -> Iterator[None]:
    """Handle the signals in here, where they are not ignored; only the main thread can."""
    _state.number, _state.orderly, _state.waits = 0, False, False
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (*_SIGNALS, signal.SIGALRM)}
    for number in _SIGNALS:
        if before[number] != signal.SIG_IGN:
            signal.signal(number, _note)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            if handler is not None:
                signal.signal(number, handler)


@contextmanager
def in_order() -> Iterator[None]:
    """Do something that signals do not tear apart."""
    _state.orderly = True
    try:
        yield
    finally:
        _state.orderly = False
        if _state.number:
            signal.setitimer(signal.ITIMER_REAL, 0)


@contextmanager
def waiting() -> Iterator[None]:
    """Wait for something, such as input, that a signal may break off. Raises Stopped."""
    try:
        _state.waits = True
        if _state.number:
            raise Stopped(_state.number)
        yield
    finally:
        _state.waits = False


def is_stopping() -> bool:
    """Tell whether the command is to end."""
    return bool(_state.number)


def exit_code() -> int:
    """Give the exit code of a command that was ended by the signal that came."""
    return 128 + _state.number


def is_in_a_hurry() -> bool:
    """Tell whether the command has been ending for so long that nothing is to be tried again."""
    return bool(_state.number) and time.monotonic() - _state.since > HURRY_SECONDS


def end(code: int) -> NoReturn:
    """End the process without Python's own end, which would wait for threads that wait for an answer."""
    with contextlib.suppress(OSError):
        sys.stderr.flush()
    os._exit(code)


def ignore() -> None:
    """Ignore the signals from now on: it is for another process to end this one."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _note(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - signal's signature
    _state.number, _state.since = number, time.monotonic()
    for each in _SIGNALS:
        if signal.getsignal(each) == _note:
            signal.signal(each, signal.SIG_DFL)
    signal.signal(signal.SIGALRM, _give_up)
    signal.setitimer(signal.ITIMER_REAL, PATIENCE_SECONDS)
    if _state.waits or not _state.orderly:
        raise Stopped(number)


def _give_up(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - signal's signature
    raise Stopped(_state.number, is_abrupt=True)
