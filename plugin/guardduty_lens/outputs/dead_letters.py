"""Dead letters: what could not be read, raw, one JSON line each, to be sent through again by `replay`."""

import base64
from io import FileIO
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from guardduty_lens.outputs.places import cannot_write
from guardduty_lens.outputs.sinks import DeliveryError, ends_within_a_line, write_all
from guardduty_lens.payloads.pieces import Rejected

DEFAULT_PATH = Path("guardduty-lens-dead-letters.jsonl")


def numbered(number: int | str) -> Path:
    """Give the name of a file of dead letters beside the default one."""
    return DEFAULT_PATH.with_suffix(f".{number}{DEFAULT_PATH.suffix}")


def first_free() -> Path:
    """Give a file that is not there yet: rejects of a replay are kept apart from what it reads.

    So each replay's are together, none is there twice, and replaying a file again changes nothing in it.
    """
    return next(path for number in count(1) if not (path := numbered(number)).exists())


def dead_letter(rejected: Rejected) -> dict[str, Any]:
    """Give the JSON object of a reject; its bytes are in `raw`, in `raw_base64` where they are no UTF-8."""
    position: dict[str, int | str] = {"line": rejected.position.line, "byte": rejected.position.byte}
    if rejected.position.inside:
        position["inside"] = rejected.position.inside
    letter = {
        "reason": rejected.reason,
        "message": rejected.message,
        "source": rejected.source,
        "position": position,
    }
    try:
        return letter | {"raw": rejected.raw.decode()}
    except UnicodeDecodeError:
        return letter | {"raw_base64": base64.b64encode(rejected.raw).decode()}


class DeadLetters:
    """A file of dead letters; it is made by the first one, and never cut short."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.saved = 0
        """How many rejects were written."""
        self._file: FileIO | None = None

    def write(self, rejected: Rejected) -> None:
        """Append a reject, and hand it to the operating system. Raises DeliveryError where that fails."""
        try:
            self._append(msgspec.json.encode(dead_letter(rejected)) + b"\n")
        except OSError as error:
            self._close()  # a line may be cut short: the next one begins anew
            words = cannot_write("dead letters", self.path, error, "--dead-letters")
            raise DeliveryError(words) from error
        self.saved += 1

    def add_saved(self, number: int) -> None:
        """Count rejects that another process wrote."""
        self.saved += number

    def _append(self, line: bytes) -> None:
        if self._file is None:
            self._file = self.path.open("ab", buffering=0)
            if ends_within_a_line(self.path):
                line = b"\n" + line  # of one that was cut short when the disk was full
        write_all(self._file, bytearray(line))

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()
