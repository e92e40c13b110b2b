"""A process known by its id and its start, so that a number used again is never taken for it."""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Process:
    """Id of a leader of a process group, and when it started (clock ticks since boot)."""

    pid: int
    started: int

    def runs(self) -> bool:
        """Whether this very process lives; a dead one that nobody has waited for does not."""
        seen = _state_and_start(self.pid)
        return seen is not None and seen[1] == self.started and seen[0] not in "ZX"

    def end(self, seconds: float) -> None:
        """Ask the process to end, and kill its group if it has not after so many seconds."""
        if self.runs():
            os.killpg(self.pid, signal.SIGTERM)
        deadline = time.monotonic() + seconds
        while self.runs() and time.monotonic() < deadline:
            time.sleep(0.1)
        self.kill()

    def kill(self) -> None:
        """Kill the process and its group at once."""
        if self.runs():
            os.killpg(self.pid, signal.SIGKILL)
        while self.runs():
            time.sleep(0.02)


def identify(pid: int) -> Process:
    """The running process with this id; raises ProcessLookupError if there is none."""
    seen = _state_and_start(pid)
    if seen is None:
        raise ProcessLookupError(pid)
    return Process(pid, seen[1])


def _state_and_start(pid: int) -> tuple[str, int] | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # After the name, which is in brackets and may hold anything, come fields 3 (state) to 22 (start).
    fields = text.rpartition(")")[2].split()
    return fields[0], int(fields[19])
