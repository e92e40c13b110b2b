"""`serve` with the forward input, as a process: acknowledged means written, whatever happens."""

import base64
import contextlib
import json
import os
import random
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgpack
import pytest
from counted_findings import UPDATES
from fluent import sender
from forward_client import ForwardClient, connected
from servers.certificates import Authority
from serving import Serving

CAPTURES = Path(__file__).parents[1] / "data" / "captures"
PLAIN = """
inputs: [{type: forward, listen: "127.0.0.1:0"}]
outputs: [{type: file, path: out.jsonl}]
"""


Start = Callable[..., Serving]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[Serving] = []

    def begin(text: str = PLAIN, **environment: str) -> Serving:
        started.append(Serving(tmp_path, text, **environment))
        return started[-1]

    yield begin
    for each in started:
        each.end()


def _acks(name: str) -> int:
    """How many answers were given to a capture."""
    path = CAPTURES / f"{name}.bin.sent"
    return path.read_bytes().count(b"\x81\xa3ack") if path.exists() else 0


@pytest.mark.parametrize(
    "name",
    ["fd_ack", "fd_default", "fd_gzip_ack", "forward_ack", "forward_gzip_ack", "forward_nometa_ack",
     "golang_ack", "group_markers_ack", "message_dyntag_ack", "metrics_signal_ack"],
)  # fmt: skip
def test_captures_sent_again_are_written_and_acknowledged_as_they_were(start: Start, name: str) -> None:
    served = start()
    with connected(served.port) as client:
        client.send((CAPTURES / f"{name}.bin").read_bytes())
        answers = [client.confirmed() for _ in range(_acks(name))]
        client.socket.shutdown(socket.SHUT_WR)
        with pytest.raises(ConnectionError):
            client.read()
    wanted = (CAPTURES / f"{name}.bin.sent").read_bytes() if _acks(name) else b""
    assert b"".join(msgpack.packb({"ack": each}) for each in answers) == wanted
    assert served.stop() == 0
    kinds = [record["record_kind"] for record in served.records()]
    assert kinds or name == "metrics_signal_ack"


def test_shared_key_users_and_tls(start: Start, tmp_path: Path) -> None:
    (tmp_path / "pki").mkdir()
    authority = Authority(tmp_path / "pki")
    pair = authority.issue("localhost")
    text = f"""
inputs:
  - type: forward
    listen: "127.0.0.1:0"
    hostname: lens.test
    shared_key: {{env: KEY}}
    users: {{u1: {{file: password}}}}
    tls: {{certificate: {pair.certificate}, key: {pair.key}}}
outputs: [{{type: file, path: out.jsonl}}]
"""
    (tmp_path / "password").write_text("p1\n")
    served = start(text, KEY="s3cret")
    options = {"ca": authority.certificate, "user": ("u1", "p1")}
    with connected(served.port, key="s3cret", **options) as client:
        client.entries("aws.guardduty", [UPDATES[0]], "chunk-1")
        assert client.confirmed() == "chunk-1"
    for key, user in (("nope", ("u1", "p1")), ("s3cret", ("u1", "nope")), ("s3cret", ("nobody", ""))):
        with pytest.raises(PermissionError, match="mismatch"):
            ForwardClient(served.port, key=key, user=user, ca=authority.certificate)
    assert served.stop() == 0
    assert [record["finding_id"] for record in served.records()] == ["f1"]
    said = "".join(served.said)
    assert "shared key mismatch" in said
    assert "s3cret" not in said


def test_fluent_logger_s_events(start: Start) -> None:
    served = start()
    logger = sender.FluentSender("app", host="127.0.0.1", port=served.port)
    for update in UPDATES:
        assert logger.emit("guardduty", update)
        assert logger.emit("guardduty", {"log": json.dumps(update), "container": "x"})
    logger.close()
    _until(lambda: len(served.records()) == 24)
    assert served.stop() == 0
    ids = [record["finding_id"] for record in served.records()]
    assert ids == [update["detail"]["id"] for update in UPDATES for _ in range(2)]


def test_tags_go_where_they_match_and_what_matches_nowhere_is_in_the_dead_letters(start: Start) -> None:
    served = start(
        """
inputs: [{type: forward, listen: "127.0.0.1:0"}]
outputs:
  - {type: file, path: prod.jsonl, match: ["prod.*", both]}
  - {type: file, path: test.jsonl, match: ["test.*", both]}
dead_letters: dead.jsonl
"""
    )
    with connected(served.port) as client:
        for tag in ("prod.a", "test.b", "both", "neither"):
            client.entries(tag, [UPDATES[0]], tag)
            assert client.confirmed() == tag
        client.entries("prod.a", [{"log": b"\xff"}, UPDATES[1]], "broken")
        assert client.confirmed() == "broken"
    assert served.stop() == 0
    assert len(served.records("prod.jsonl")) == 3
    assert len(served.records("test.jsonl")) == 2
    letters = served.records("dead.jsonl")
    assert [letter["reason"] for letter in letters] == ["no_output", "not_json"]
    assert base64.b64decode(letters[1]["raw_base64"]) == msgpack.packb({"log": b"\xff"})


def test_an_output_that_fails_is_not_acknowledged_and_tried_again(start: Start, tmp_path: Path) -> None:
    served = start(PLAIN.replace("out.jsonl", "later/out.jsonl"))
    with connected(served.port) as client:
        client.entries("t", [UPDATES[0]], "1")
        with pytest.raises(ConnectionError):
            client.confirmed()
    (tmp_path / "later").mkdir()
    with connected(served.port) as client:
        client.entries("t", [UPDATES[0]], "1")
        assert client.confirmed() == "1"
    assert served.stop() == 0
    assert len(served.records("later/out.jsonl")) == 1
    assert "cannot write" in "".join(served.said)


def test_what_filters_say_is_left_out_and_counted(start: Start) -> None:
    served = start(
        PLAIN
        + """
filters:
  min_severity: Medium
  exclude_samples: true
  drop_if: ['scanner: finding_id = f2']
"""
    )
    with connected(served.port) as client:
        client.entries("t", UPDATES, "1")
        assert client.confirmed() == "1"
    assert served.stop() == 0
    found = {record["finding_id"] for record in served.records()}
    sent = {update["detail"]["id"] for update in UPDATES}
    assert "f2" in sent - found
    assert all(record["severity_score"] >= 4 for record in served.records())
    assert "scanner" in "".join(served.said)


def test_a_configuration_is_taken_anew_whole_or_not_at_all(start: Start, tmp_path: Path) -> None:
    served = start()
    config = tmp_path / "lens.yml"
    with connected(served.port) as client:
        client.entries("t", [UPDATES[0]], "1")
        assert client.confirmed() == "1"
        # Not sound: the old one stays, and so do its connections.
        for text in ("outputs: []", PLAIN + "fields: nowhere", PLAIN + "filters: {drop_if: ['?']}"):
            config.write_text(text)
            said = len(served.said)
            served.process.send_signal(signal.SIGHUP)
            _until(lambda said=said: any("the old one stays" in line for line in served.said[said:]))
        client.entries("t", [UPDATES[1]], "2")
        assert client.confirmed() == "2"
    config.write_text(PLAIN.replace("out.jsonl", "other.jsonl") + "field_prefix: gd_\n")
    served.process.send_signal(signal.SIGHUP)
    _until(lambda: any("taken anew" in line for line in served.said))
    with connected(served.port) as client:
        client.entries("t", [UPDATES[2]], "3")
        assert client.confirmed() == "3"
    assert served.stop() == 0
    assert len(served.records()) == 2
    [record] = served.records("other.jsonl")
    assert record["gd_finding_id"] == UPDATES[2]["detail"]["id"]
    assert "3 events: 3 records" in "".join(served.said)  # of both configurations


def test_taken_anew_under_load_loses_nothing_that_was_acknowledged(start: Start) -> None:
    served = start()
    acknowledged: set[str] = set()
    timers = [threading.Timer(n / 5, served.process.send_signal, [signal.SIGHUP]) for n in range(1, 6)]
    for timer in timers:
        timer.start()
    sent = 0
    while any(timer.is_alive() for timer in timers):
        with contextlib.suppress(ConnectionError), connected(served.port) as client:
            while any(timer.is_alive() for timer in timers):
                ids = [f"r{sent + n}" for n in range(20)]
                sent += 20
                events = [{"detail": UPDATES[0]["detail"] | {"id": each}} for each in ids]
                client.entries("t", events, ids[0])
                assert client.confirmed() == ids[0]
                acknowledged.update(ids)
    assert served.stop() == 0
    assert acknowledged <= {record["finding_id"] for record in served.records()}
    assert len(acknowledged) > 100


def test_sigterm_under_load_loses_nothing_that_was_acknowledged(start: Start) -> None:
    _killed_under_load(start, signal.SIGTERM, rounds=1)


def test_sigkill_at_random_moments_loses_nothing_that_was_acknowledged(start: Start) -> None:
    """Twelve here; fifty were run by hand."""
    _killed_under_load(start, signal.SIGKILL, rounds=int(os.environ.get("KILLS", "12")))


def _killed_under_load(start: Start, number: int, rounds: int) -> None:
    chance = random.Random(3)
    served = start()
    acknowledged: set[str] = set()
    sent = 0
    for _ in range(rounds):
        timer = threading.Timer(chance.uniform(0.02, 0.3), served.process.send_signal, [number])
        timer.start()
        try:
            with connected(served.port) as client:
                while True:
                    ids = [f"r{sent + n}" for n in range(20)]
                    sent += 20
                    client.entries(
                        "t", [{"detail": UPDATES[0]["detail"] | {"id": each}} for each in ids], ids[0]
                    )
                    assert client.confirmed() == ids[0]
                    acknowledged.update(ids)
        except OSError:
            pass
        timer.join()
        code = served.process.wait(60)
        served.finish()
        assert code == (0 if number == signal.SIGTERM else -number)
        served = start() if number == signal.SIGKILL else served
    lines = (served.folder / "out.jsonl").read_bytes().splitlines()
    whole = [line for line in lines if _is_json(line)]
    assert len(lines) - len(whole) <= rounds  # cut off by a kill, and never acknowledged
    written = {json.loads(line)["finding_id"] for line in whole}
    assert acknowledged <= written
    assert len(acknowledged) > 20 * rounds


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


def _until(holds: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)
