"""A reader who types a document's commands one after the other, in a checkout of their own."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import venv
from collections.abc import Mapping
from pathlib import Path

from documents import ROOT, Command

_SECONDS = 120.0

# What is installed goes into the reader's environment; nothing is fetched, since the one below has it all.
_PIP = """#!/bin/sh
command=$1; shift
[ "$command" = install ] && set -- --no-index --no-build-isolation --disable-pip-version-check "$@"
exec "$(dirname "$0")/python" -m pip "$command" "$@"
"""
_LENS = """#!/bin/sh
exec "$(dirname "$0")/python" -c 'from guardduty_lens.cli.main import main; main()' "$@"
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Daemon:
    """A command that runs until it is stopped."""

    def __init__(self, process: "subprocess.Popen[bytes]", output: Path) -> None:
        self.process = process
        self._output = output

    @property
    def said(self) -> str:
        return self._output.read_text(encoding="utf-8", errors="replace")

    def wait_for(self, port: int) -> None:
        """Wait until it listens."""
        end = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=5).close()
                return
            except OSError:
                assert self.process.poll() is None, self.said
                assert time.monotonic() < end, self.said
                time.sleep(0.05)

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(30)
        finally:
            self.process.kill()


class Reader:
    """`checkout` is a copy of what is under version control, with an environment in `.venv`.

    `replaced` says what stands in commands, and in the files of `pipelines`, for the addresses and folders
    that the documents name.
    """

    def __init__(self, folder: Path, replaced: Mapping[str, str]) -> None:
        self.checkout = folder / "checkout"
        self._state = folder / "state"
        self._output = folder / "output"
        self._replaced = replaced
        self._started = 0
        self._copy_checkout()
        self._make_environment()
        self._state.write_text("")
        (folder / "home").mkdir()
        own = ("OPENSEARCH_", "GUARDDUTY_LENS", "LENS_", "AWS_", "PYTHON")
        self._environment = {
            name: value for name, value in os.environ.items() if not name.startswith(own)
        } | {
            "HOME": str(folder / "home"),
            "PATH": f"{self.checkout}/.venv/bin:{os.environ['PATH']}",
        }

    def _copy_checkout(self) -> None:
        line = ["git", "ls-files", "-co", "--exclude-standard", "--", ".", ":!tests"]
        names = subprocess.run(line, cwd=ROOT, capture_output=True, check=True, text=True).stdout
        for name in names.splitlines():
            if (ROOT / name).is_file():
                target = self.checkout / name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, target)
        for path in (self.checkout / "pipelines").rglob("*"):
            if path.is_file():
                path.write_text(self.here(path.read_text(encoding="utf-8")), encoding="utf-8")

    def _make_environment(self) -> None:
        """Lay an environment over the one of the tests, so that nothing of theirs is changed."""
        folder = self.checkout / ".venv"
        venv.create(folder, with_pip=False, symlinks=True)
        [packages] = folder.glob("lib/python*/site-packages")
        below = [path for path in sys.path if path.endswith("site-packages")]
        (packages / "below.pth").write_text(f"import site; list(map(site.addsitedir, {below!r}))\n")
        for name, text in (("pip", _PIP), ("guardduty-lens", _LENS)):
            (folder / "bin" / name).write_text(text)
            (folder / "bin" / name).chmod(0o755)

    def here(self, text: str) -> str:
        """Give a text with this machine's addresses."""
        for theirs, ours in self._replaced.items():
            text = text.replace(theirs, ours)
        return text

    def write(self, name: str, text: str) -> None:
        path = self.checkout / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def variable(self, name: str) -> str:
        """Give what a command has exported."""
        return self._bash(f'printf %s "${name}"')[1]

    def run(self, command: Command) -> None:
        """Run a command to its end: exit code and output have to be as the document has them."""
        text = self.here(command.text)
        code, output = self._bash(f'{text}\ncode=$?\nexport -p > "{self._state}"\nexit $code')
        assert code == command.code, f"{command.place}: {text}\nexit code {code}:\n{output}"
        assert "does not provide the extra" not in output, f"{command.place}: {output}"
        rest = output
        for line in command.shown:
            pattern = ".*".join(re.escape(part) for part in self.here(line).split("…"))
            found = re.search(pattern, rest)
            assert found, f"{command.place}: {line!r} is not in the output:\n{output}"
            rest = rest[found.end() :]

    def start(self, command: Command) -> Daemon:
        """Start a command that runs until it is stopped."""
        text = self.here(command.text.split(" # ")[0]).rstrip(" &")
        output = self._next_output()
        # A variable before a command is its own, and `exec` takes none.
        text = re.sub(r"(?=\b(?:guardduty-lens|rsyslogd|syslog-ng) )", "exec ", text, count=1)
        return Daemon(self._popen(text, output), output)

    def _bash(self, script: str) -> tuple[int, str]:
        output = self._next_output()
        process = self._popen(script, output)
        try:
            code = process.wait(_SECONDS)
        finally:
            process.kill()
        return code, output.read_text(encoding="utf-8", errors="replace")

    def _popen(self, script: str, output: Path) -> "subprocess.Popen[bytes]":
        with output.open("wb") as file:
            return subprocess.Popen(
                ["bash", "-c", f'. "{self._state}"; set -o pipefail; {script}'],
                cwd=self.checkout,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
            )

    def _next_output(self) -> Path:
        self._started += 1
        self._output.mkdir(exist_ok=True)
        return self._output / f"{self._started}.txt"
