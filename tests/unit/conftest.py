"""The command in this process: fast, and with the real descriptors of standard output and error."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from command_line import COMMAND, Result

from guardduty_lens.cli.main import main
from guardduty_lens.samples import generate_payloads


@pytest.fixture
def command(tmp_path, monkeypatch, capfd):
    """Run a command line in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: Any, stdin: bytes = b"") -> Result:
        file = tmp_path.parent / f"{tmp_path.name}.stdin"
        file.write_bytes(stdin)
        capfd.readouterr()
        line = [str(argument) for argument in arguments]
        with file.open() as standard_input:
            monkeypatch.setattr(sys, "stdin", standard_input)
            with pytest.raises(SystemExit) as exit_:
                main.main(line, prog_name="guardduty-lens")
        return Result(exit_.value.code or 0, *capfd.readouterr())

    return run


@pytest.fixture
def process(tmp_path):
    """Run a command line as a process of its own."""

    def run(arguments: Sequence[Any], **options: Any) -> subprocess.CompletedProcess[bytes]:
        line = [*COMMAND, *map(str, arguments)]
        settings = {"cwd": tmp_path, "capture_output": True, "timeout": 60, "check": False}
        return subprocess.run(line, **(settings | options))

    return run


@pytest.fixture
def samples(tmp_path) -> Path:
    """A file of 40 sample findings beside the folder that commands run in."""
    file = tmp_path.parent / f"{tmp_path.name}.jsonl"
    file.write_bytes(b"".join(payload + b"\n" for payload in generate_payloads(40, 6, "eventbridge")))
    return file
