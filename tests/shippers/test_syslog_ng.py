"""The shipped configuration, started by the real syslog-ng with its Python module."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from counted_findings import UPDATES
from programs import program

from guardduty_lens.shippers.syslog_ng import LensParser

CONFIG = Path(__file__).parents[2] / "pipelines" / "syslog-ng" / "guardduty.conf"


def test_the_parser_by_itself() -> None:
    """Values come as bytes in syslog-ng 3, as text in 4."""
    parser = LensParser()
    assert parser.init({b"prefix": b"x_"})
    for text in (json.dumps(UPDATES[0]), json.dumps(UPDATES[0]).encode()):
        message: dict[str, object] = {"MESSAGE": text}
        assert parser.parse(message)
        assert message["x_finding_id"] == "f1"
        assert message["x_severity_score"] == "8"
        assert message["x_security_group_names"] == '["web","db"]'
        assert json.loads(str(message["x_record"]))["threat_purpose"] == "Trojan"
    other = {"MESSAGE": "hello"}
    assert parser.parse(other)
    assert other == {"MESSAGE": "hello"}
    assert not LensParser().init({"severity_scheme": "none of ours"})


def test_syslog_ng_adds_the_fields(tmp_path: Path) -> None:
    command = program("syslog-ng", "syslog-ng-core syslog-ng-mod-python")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    text = CONFIG.read_text().replace("10514", str(port)).replace("/var/log", str(tmp_path))
    (tmp_path / "syslog-ng.conf").write_text(text)
    line = [command, "-F", "--no-caps", "-f", str(tmp_path / "syslog-ng.conf")]
    for option, name in (("-R", "persist"), ("-p", "pid"), ("-c", "control")):
        line += [option, str(tmp_path / name)]
    path = os.pathsep.join(each for each in sys.path if each)
    process = subprocess.Popen(line, env=os.environ | {"PYTHONPATH": path}, stderr=subprocess.PIPE, text=True)
    try:
        end = time.monotonic() + 30
        while True:
            try:
                connection = socket.create_connection(("127.0.0.1", port), timeout=30)
                break
            except OSError:
                assert process.poll() is None, process.communicate()[1]
                assert time.monotonic() < end
                time.sleep(0.05)
        with connection:
            for update in UPDATES:
                connection.sendall(json.dumps(update).encode() + b"\n")
            connection.sendall(b"no finding\n")
        records, other = tmp_path / "guardduty-records.jsonl", tmp_path / "guardduty-other.log"
        while not other.exists() or records.read_bytes().count(b"\n") < len(UPDATES):
            assert time.monotonic() < end + 30
            time.sleep(0.05)
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    found = [json.loads(each) for each in records.read_text().splitlines()]
    assert [each["finding_id"] for each in found] == [update["detail"]["id"] for update in UPDATES]
    assert other.read_text() == "no finding\n"
