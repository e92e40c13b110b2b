"""`filter` as a shipper's child process: one line in, one line out, at once, always.

Where a line unwraps to several events, or cannot be read, the shipper still waits for one line: it gets the
one that it sent, and a warning goes to standard error; under rsyslog's mmexternal, which takes that for an
answer, too, it is in the answer.
"""

import logging
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any, BinaryIO, Literal

import msgspec

from guardduty_lens.lens import Lens
from guardduty_lens.outputs.dead_letters import DeadLetters
from guardduty_lens.outputs.sinks import DeliveryError, Sink
from guardduty_lens.payloads.pieces import Rejected
from guardduty_lens.record import Record

Protocol = Literal["jsonl", "fluentd-exec", "rsyslog-mmexternal", "rsyslog-omprog"]

LONGEST_LINE = 64 * 1024 * 1024
"""Bytes; what a payload may have."""

_SOURCE = "standard input"
_log = logging.getLogger(__name__)


def lines_of(file: BinaryIO) -> Iterator[bytes]:
    """Give lines without their line breaks, each as soon as it is there. Raises ValueError: too long."""
    while line := file.readline(LONGEST_LINE + 1):
        if len(line) > LONGEST_LINE:
            raise ValueError(f"a line of more than {LONGEST_LINE:,} bytes")
        yield line.rstrip(b"\r\n")


def answer_lines(lens: Lens, protocol: Protocol, given: BinaryIO, to: BinaryIO) -> None:
    """Answer every line until there are no more."""
    answer = _ANSWERS[protocol]
    for line in lines_of(given):
        to.write(answer(lens, line) + b"\n")
        to.flush()


def confirm_lines(lens: Lens, sink: Sink, dead_letters: DeadLetters, given: BinaryIO, to: BinaryIO) -> None:
    """Take lines as rsyslog's omprog sends them with `confirmMessages`, and say what became of each.

    Within a transaction lines are confirmed together, at its end. What is not confirmed, rsyslog sends again.
    """

    def say(word: str) -> None:
        to.write(word.replace("\n", " ").encode()[:1000] + b"\n")
        to.flush()

    say("OK")
    together = False
    for line in lines_of(given):
        try:
            if line == b"BEGIN TRANSACTION":
                together = True
            elif line == b"COMMIT TRANSACTION":
                together = False
                sink.flush()
            else:
                _take(lens, sink, dead_letters, line)
                if together:
                    say("DEFER_COMMIT")
                    continue
                sink.flush()
        except (DeliveryError, OSError) as error:
            # Whatever is not OK is an error to rsyslog, with these words in its log.
            say(f"could not deliver: {error}")
            raise
        say("OK")


def _take(lens: Lens, sink: Sink, dead_letters: DeadLetters, line: bytes) -> None:
    for item in lens.process(line, _SOURCE):
        if isinstance(item, Rejected):
            dead_letters.write(item)
        else:
            sink.write(item, _SOURCE)


def _record_of(lens: Lens, line: bytes) -> Record | str:
    """Give the one record of a line, or why there is not exactly one."""
    found = list(lens.process(line, _SOURCE))
    if len(found) == 1 and isinstance(found[0], Record):
        return found[0]
    rejected = next((item for item in found if isinstance(item, Rejected)), None)
    return f"it holds {len(found)} events" if rejected is None else rejected.message


def _whole(lens: Lens, line: bytes) -> bytes:
    record = _record_of(lens, line)
    if isinstance(record, Record):
        return record.to_json()
    _log.warning("guardduty-lens: a line goes on as it came: %s", record)
    return line


def _merged(lens: Lens, line: bytes) -> bytes:
    """Answer as mmexternal requires it: what is under `$!` is merged into the message."""
    record = _record_of(lens, _message_of(line))
    if isinstance(record, Record):
        return b'{"$!":' + record.added_json() + b"}"
    return msgspec.json.encode({"$!": {f"{lens.plan.field_prefix}lens_unchanged": record}})


def _message_of(line: bytes) -> bytes:
    """Give the message itself: the line, or, with `interface.input="fulljson"`, what is under `msg` in it."""
    if line.startswith(b'{"msg"'):
        try:
            full: Any = msgspec.json.decode(line)
        except msgspec.DecodeError:
            return line
        if isinstance(full, dict) and isinstance(full.get("msg"), str) and ("rawmsg" in full or "$!" in full):
            message: str = full["msg"]
            return message.strip().encode()
    return line.strip()


_ANSWERS: Mapping[Protocol, Callable[[Lens, bytes], bytes]] = {
    "jsonl": _whole,
    "fluentd-exec": _whole,
    "rsyslog-mmexternal": _merged,
}


def standard_streams() -> tuple[BinaryIO, BinaryIO]:
    """Give standard input and output, as bytes."""
    return sys.stdin.buffer, sys.stdout.buffer
