"""Progress: a line on a terminal while files are read, and nothing anywhere else."""

import os
import pty
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from command_line import COMMAND, json_lines

from guardduty_lens.cli import progress
from guardduty_lens.cli.progress import Progress

AT_ONCE = "import guardduty_lens.cli.progress as p; p.SHOWN_AFTER_SECONDS = p.SECONDS_BETWEEN = 0; "
LATER = "import guardduty_lens.cli.progress as p; p.SHOWN_AFTER_SECONDS = 60; "
ESCAPE = b"\x1b["


@pytest.fixture
def big(tmp_path, samples) -> Path:
    file = tmp_path / "big.jsonl"
    file.write_bytes(samples.read_bytes() * 20)
    return file


def on_terminal(folder, *arguments, lines=AT_ONCE, to_terminal=()):
    """Run a command with standard error on a terminal; give its exit code, its output and what is seen."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    output = folder / "stdout"
    with output.open("wb") as file:
        run = subprocess.Popen(
            [COMMAND[0], "-c", lines + COMMAND[2], *map(str, arguments)],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=theirs if "stdout" in to_terminal else file,
            stderr=theirs,
            env=environment,
        )
    os.close(theirs)
    seen = bytearray()
    try:
        while part := os.read(ours, 65536):
            seen += part
    except OSError:
        pass  # so a terminal says that nobody is left who writes
    os.close(ours)
    return run.wait(timeout=60), output.read_bytes(), bytes(seen)


def test_a_terminal_shows_bytes_and_records(tmp_path, big):
    code, output, seen = on_terminal(tmp_path, "filter", big)
    assert code == 0
    assert len(json_lines(output)) == 800
    before, summary = seen.split(b"800 payloads", 1)
    assert ESCAPE in before
    assert ESCAPE not in summary
    total = f"/{big.stat().st_size / 1e6:.1f} MB".encode()
    assert before.count(total) > 2
    assert b"800 records" in before
    assert before.rstrip(b"\r").endswith((b"\x1b[2K", b"\x1b[1A\x1b[2K"))  # the line is gone
    assert before.count(b"\x1b[?25l") == before.count(b"\x1b[?25h") == 1  # and the cursor is back


def test_output_is_what_it_is_without_a_terminal(tmp_path, big, process):
    _, output, _ = on_terminal(tmp_path, "filter", big, "-o", "records.jsonl")
    plain = process(["filter", big])
    assert output == b""
    assert (tmp_path / "records.jsonl").read_bytes() == plain.stdout
    assert ESCAPE not in plain.stderr


def test_several_files_are_one_whole(tmp_path, big):
    other = tmp_path / "other.json"
    other.write_bytes(big.read_bytes())
    _, _, seen = on_terminal(tmp_path, "filter", big, other)
    assert f"{2 * big.stat().st_size / 1e6:.1f}/{2 * big.stat().st_size / 1e6:.1f} MB".encode() in seen


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        (["big.jsonl", "--quiet"], {}),
        (["big.jsonl", "/dev/null"], {}),
        (["big.jsonl", "--workers", "2"], {}),
        (["big.jsonl"], {"to_terminal": ("stdout",)}),
        (["big.jsonl"], {"lines": LATER}),
        ([], {}),
    ],
    ids=["quiet", "no regular file", "workers", "records on the terminal", "a short run", "standard input"],
)
def test_none_where_it_is_not_wanted(tmp_path, big, arguments, options):
    code, _, seen = on_terminal(tmp_path, "filter", *arguments, **options)
    assert code == 0
    assert ESCAPE not in seen
    assert b"\r" not in seen.replace(b"\r\n", b"")


def test_the_cursor_is_back_after_a_failure(tmp_path, big):
    code, _, seen = on_terminal(tmp_path, "filter", big, "-o", "/dev/full", "--dead-letters", "/dev/null")
    assert code == 3
    assert seen.count(b"\x1b[?25l") == seen.count(b"\x1b[?25h")
    assert b"cannot write records to /dev/full: No space left on device; free some space there" in seen


def test_rich_is_not_imported_without_need():
    lines = "import sys; from guardduty_lens.cli import run, progress; sys.exit('rich' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", lines], check=False, timeout=60).returncode == 0


def test_it_is_drawn_a_few_times_a_second(monkeypatch):
    clock = SimpleNamespace(now=0.0, monotonic=lambda: clock.now)
    drawn = []
    monkeypatch.setattr(progress, "time", clock)
    monkeypatch.setattr(sys, "stderr", SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr(Progress, "_draw", lambda self: drawn.append(clock.now))
    with Progress(lambda: 1_000, lambda: 0, wanted=True) as shown:
        for clock.now in (0.1, 0.49, 0.5, 0.6, 0.69, 0.75, 0.8, 5.0, 5.1):
            shown.advance(100)
    assert drawn == [0.5, 0.75, 5.0]


@pytest.mark.parametrize(("total", "shown"), [(0, False), (None, True), (1_000, True)])
def test_it_is_shown_where_the_size_is_known_or_will_be(monkeypatch, total: int | None, shown: bool):
    drawn = []
    monkeypatch.setattr(progress, "SHOWN_AFTER_SECONDS", 0)
    monkeypatch.setattr(sys, "stderr", SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr(Progress, "_draw", lambda self: drawn.append(self._total()))
    with Progress(lambda: total, lambda: 0, wanted=True) as bar:
        bar.advance(100)
    assert drawn == ([total] if shown else [])
