"""Dead letters: what could not be read, raw, one JSON line each, to be sent through again by `replay`."""

import base64
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import msgspec

from guardduty_lens.payloads.pieces import Rejected

DEFAULT_PATH = Path("guardduty-lens-dead-letters.jsonl")


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
        self._file: BinaryIO | None = None

    def write(self, rejected: Rejected) -> None:
        """Append a reject, and hand it to the operating system. Raises OSError where that fails."""
        if self._file is None:
            self._file = self.path.open("ab")
        self._file.write(msgspec.json.encode(dead_letter(rejected)) + b"\n")
        self._file.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()
