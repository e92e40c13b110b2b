"""Ends a server whose starter is gone or whose time is over, and removes its folder.

`python -m servers.watchdog PID STARTED FOLDER SECONDS`: with SECONDS 0 it waits for its standard input to
end, which it does when the starter dies, however that happens; else it waits so many seconds.
"""

import shutil
import sys
import time
from pathlib import Path

from servers.process import Process

_GRACE_SECONDS = 20.0


def watch(server: Process, folder: Path, seconds: float) -> None:
    """Wait as the module says, then end the server and remove its folder."""
    if seconds:
        deadline = time.monotonic() + seconds
        while server.runs() and time.monotonic() < deadline:
            time.sleep(1)
    else:
        sys.stdin.buffer.read()
    server.end(_GRACE_SECONDS)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    watch(Process(int(sys.argv[1]), int(sys.argv[2])), Path(sys.argv[3]), float(sys.argv[4]))
