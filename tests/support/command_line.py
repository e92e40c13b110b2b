"""What tests of the command share: how it is run as a process, and what a run gave."""

import sys
from typing import Any, NamedTuple

import msgspec

COMMAND = (sys.executable, "-c", "from guardduty_lens.cli.main import main; main()")


class Result(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def records(self) -> list[dict[str, Any]]:
        """The records on standard output."""
        return json_lines(self.out.encode())


def json_lines(data: bytes) -> list[dict[str, Any]]:
    return [msgspec.json.decode(line) for line in data.splitlines()]
