"""`serve` as a process, in a folder of its own."""

import json
import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from command_line import COMMAND


def until(true: Callable[[], bool], seconds: float = 30.0) -> None:
    """Wait until something is true; it is an error if that takes longer."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


class Serving:
    """A server in a folder, and what it wrote."""

    def __init__(self, folder: Path, text: str, **environment: str) -> None:
        self.folder = folder
        (folder / "lens.yml").write_text(text)
        self._environment = os.environ | environment
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [*COMMAND, "serve", "--config", str(self.folder / "lens.yml")],
            env=self._environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stderr is not None
        self.said = []
        while " INFO listening on " not in (line := self.process.stderr.readline()):
            assert line, "".join(self.said)
            self.said.append(line)
        self.ports = [int(port) for port in re.findall(r":(\d+)(?=[,\n])", line.split(" on ")[1])]
        self.port = self.ports[0]
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as lines:
            self.said += lines

    def records(self, name: str = "out.jsonl") -> list[dict[str, Any]]:
        """Give what is in a file by now, without a line that is being written."""
        path = self.folder / name
        lines = path.read_text().split("\n")[:-1] if path.exists() else []
        return [json.loads(line) for line in lines]

    def counted(self, kind: str) -> dict[str, int]:
        """Give the counts of an input that the log tells at the end."""
        [line] = [each for each in self.said if f"-{kind}: {{" in each]
        counts: dict[str, int] = json.loads(line[line.index("{") :])
        return counts

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        code = self.process.wait(60)
        self.finish()
        return code

    def finish(self) -> None:
        self._reader.join()

    def end(self) -> None:
        """End it however it is, at the end of a test."""
        if self.process.poll() is None:
            self.stop(signal.SIGKILL)
        self.finish()
