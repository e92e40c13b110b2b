"""The shipped configurations, started by the real rsyslog: messages in by TCP, records out."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from counted_findings import UPDATES
from programs import program

FOLDER = Path(__file__).parents[2] / "pipelines" / "rsyslog"
LENS = f"{Path(sys.executable).with_name('guardduty-lens')}"


@pytest.fixture(scope="module")
def rsyslogd() -> str:
    return program("rsyslogd", "rsyslog")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Started:
    def __init__(self, rsyslogd: str, folder: Path, text: str) -> None:
        self.port = _free_port()
        text = text.replace('port="10514"', f'port="{self.port}"')
        (folder / "rsyslog.conf").write_text(text)
        checked = subprocess.run(
            [rsyslogd, "-N1", "-f", str(folder / "rsyslog.conf")], capture_output=True, text=True
        )
        assert checked.returncode == 0, checked.stderr
        # Not as another user, and with nothing of the machine's own logging.
        self.process = subprocess.Popen(
            [rsyslogd, "-n", "-f", str(folder / "rsyslog.conf"), "-i", str(folder / "pid")],
            env=os.environ | {"GUARDDUTY_LENS": LENS},
            stderr=subprocess.PIPE,
            text=True,
        )

    def send(self, lines: list[str]) -> None:
        end = time.monotonic() + 30
        while True:
            try:
                connection = socket.create_connection(("127.0.0.1", self.port), timeout=30)
                break
            except OSError:
                assert time.monotonic() < end
                time.sleep(0.05)
        with connection:
            for line in lines:
                connection.sendall(f"<14>1 2025-03-01T00:00:00Z host guardduty - - - {line}\n".encode())

    def stop(self) -> str:
        """End it, and give what it said."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.communicate(timeout=60)[1]


@pytest.fixture
def start(rsyslogd: str, tmp_path: Path) -> Iterator[Callable[[str], Started]]:
    started: list[Started] = []

    def begin(text: str) -> Started:
        started.append(Started(rsyslogd, tmp_path, text))
        return started[-1]

    yield begin
    for each in started:
        if each.process.poll() is None:
            each.stop()


def _written(path: Path, number: int) -> list[dict[str, Any]]:
    end = time.monotonic() + 60
    while not path.exists() or path.read_bytes().count(b"\n") < number:
        assert time.monotonic() < end, path.read_text() if path.exists() else "nothing was written"
        time.sleep(0.05)
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_messages_get_the_fields_and_go_on(start: Callable[[str], Started], tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    text = (FOLDER / "enrich.conf").read_text().replace("/var/log/guardduty-enriched.jsonl", str(out))
    lines = [json.dumps(update) for update in UPDATES]
    started = start(text)
    started.send(["no finding at all", *lines, "{"])
    other, *records, broken = _written(out, len(UPDATES) + 2)
    assert started.stop() == ""  # an "invalid reply" would be here, and the next answer another line's
    assert [record["finding_id"] for record in records] == [update["detail"]["id"] for update in UPDATES]
    assert [json.loads(record["message"]) for record in records] == UPDATES
    assert records[0]["security_group_names"] == ["web", "db"]
    assert other == {
        "message": "no finding at all",
        "lens_unchanged": "expected a JSON object or array",
    }
    assert broken.keys() == {"message", "lens_unchanged"}


def test_records_are_confirmed_once_they_are_written(start: Callable[[str], Started], tmp_path: Path) -> None:
    out, dead = tmp_path / "out.jsonl", tmp_path / "dead.jsonl"
    text = (FOLDER / "deliver.conf").read_text()
    text = re.sub(r"--to opensearch .*?--dead-letters \S+`", f"--output {out} --dead-letters {dead}`", text)
    text = text.replace("/var/log/guardduty-lens.log", str(tmp_path / "log"))
    text = text.replace("/var/spool/rsyslog", str(tmp_path))
    started = start(text)
    started.send([json.dumps(update) for update in UPDATES] * 50 + ["{broken"])
    records = _written(out, len(UPDATES) * 50)
    assert [record["finding_id"] for record in records] == [update["detail"]["id"] for update in UPDATES] * 50
    assert len(_written(dead, 1)) == 1
    started.stop()
    assert len(out.read_text().splitlines()) == len(UPDATES) * 50  # none was sent again
