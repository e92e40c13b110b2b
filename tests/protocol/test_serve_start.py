"""What `serve` says when it starts, and how it ends."""

import contextlib
import http.client
import json
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from command_line import COMMAND
from faulty_cluster import Answer, faulty_cluster
from finding_events import EVENT, compact
from serving import Serving, until

TEXT = """
inputs: [{type: forward, listen: "127.0.0.1:0"}, {type: http, listen: "127.0.0.1:0", token: {env: TOKEN}}]
outputs: [{type: file, path: out.jsonl}, {type: file, path: all.jsonl, name: all, match: ["*"]}]
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_where_it_listens_and_writes_and_ends_with_0(tmp_path: Path, number: int) -> None:
    served = Serving(tmp_path, TEXT, TOKEN="t0ken")
    try:
        first, second = served.ports
        told = [line.split(" INFO ", 1)[1].rstrip() for line in served.said if " INFO " in line]
        assert told == [
            f"input 1: forward on 127.0.0.1:{first}, without TLS, without a shared key",
            f"input 2: http on 127.0.0.1:{second}, without TLS, with a token",
            f"output file-1: file {tmp_path}/out.jsonl, all tags",
            f"output all: file {tmp_path}/all.jsonl, tags *",
        ]
        assert served.stop(number) == 0
        assert "t0ken" not in "".join(served.said)
    finally:
        served.end()


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        (tmp_path / "lens.yml").write_text(
            f'inputs: [{{type: forward, listen: "127.0.0.1:{port}"}}]\n'
            "outputs: [{type: file, path: out.jsonl}]\n"
        )
        line = [*COMMAND, "serve", "--config", str(tmp_path / "lens.yml")]
        checked = subprocess.run([*line, "--check"], capture_output=True, timeout=60, check=False)
        started = subprocess.run(line, capture_output=True, timeout=60, check=False, text=True)
    assert checked.returncode == 0  # another serve may have it, whose configuration is checked
    assert started.returncode == 3
    assert started.stderr.splitlines()[-1] == (
        f"guardduty-lens: cannot listen on 127.0.0.1:{port}: Address already in use; "
        "end what listens there, or name another port with 'listen'"
    )


def test_a_folder_that_may_come_later_is_a_warning(tmp_path: Path) -> None:
    text = TEXT.replace("path: out.jsonl", "path: later/out.jsonl")
    served = Serving(tmp_path, text, TOKEN="t0ken")
    try:
        assert [line.split(" WARNING ", 1)[1] for line in served.said if " WARNING " in line] == [
            f"output file-1: cannot write {tmp_path}/later/out.jsonl: there is no folder {tmp_path}/later; "
            "make it, or name another file\n"
        ]
        assert served.stop() == 0
    finally:
        served.end()


# --- an output that is down, or does not answer -------------------------------------------------------

TO_A_CLUSTER = """
inputs: [{{type: http, listen: "127.0.0.1:0"}}]
outputs: [{{type: opensearch, url: ["{url}"], name: cluster}}]
"""


class Posted(threading.Thread):
    """An event that is posted, and what was answered, None where the connection was ended."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self._port = port
        self.answer: tuple[int, str] | None = None
        self.start()

    def run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        with contextlib.suppress(OSError, http.client.HTTPException):
            connection.request("POST", "/", compact(EVENT))
            answer = connection.getresponse()
            self.answer = (answer.status, answer.read().decode())
        connection.close()


def health(port: int) -> dict[str, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", "/health")
    answer: dict[str, Any] = json.loads(connection.getresponse().read())
    connection.close()
    return answer


@pytest.fixture
def down() -> Iterator[str]:
    """URL of a cluster that is down: its port is taken, and nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


@pytest.fixture
def silent() -> Iterator[str]:
    """URL of what takes connections, and answers nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


@contextlib.contextmanager
def serving_to(folder: Path, url: str) -> Iterator[tuple[Serving, Posted]]:
    served = Serving(folder, TO_A_CLUSTER.format(url=url))
    try:
        posted = Posted(served.port)
        yield served, posted
        posted.join(60)
    finally:
        served.end()


def test_health_names_an_output_at_its_first_failure(tmp_path: Path, down: str) -> None:
    with serving_to(tmp_path, down) as (served, posted):
        until(lambda: "not_ready" in health(served.port), 10)
        assert list(health(served.port)["not_ready"]) == ["cluster"]
        assert "Connection refused" in health(served.port)["not_ready"]["cluster"]
        assert posted.answer is None  # it is being tried again
        assert served.stop() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_cluster_that_is_down_does_not_hold_up_the_end(tmp_path: Path, down: str, number: int) -> None:
    with serving_to(tmp_path, down) as (served, posted):
        until(lambda: "not_ready" in health(served.port), 10)
        begun = time.monotonic()
        assert served.stop(number) == 0
        assert time.monotonic() - begun < 6
        posted.join(10)
        assert posted.answer is not None
        status, body = posted.answer
        assert status == 503
        assert json.loads(body)["error"].startswith("not delivered: stopped while trying again: ")
        assert served.said[-1].startswith("0 payloads, 0 events: ")


def test_what_does_not_answer_is_left_after_six_seconds(tmp_path: Path, silent: str) -> None:
    with serving_to(tmp_path, silent) as (served, posted):
        time.sleep(0.5)
        begun = time.monotonic()
        assert served.stop() == 0
        assert 5 < time.monotonic() - begun < 9
        posted.join(10)
        assert posted.answer is not None
        assert posted.answer[0] == 503
        assert any(
            "not confirmed in time, and not acknowledged (payloads: 1)" in line for line in served.said
        )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_it_at_once_and_nothing_is_acknowledged(
    tmp_path: Path, silent: str, number: int
) -> None:
    with serving_to(tmp_path, silent) as (served, posted):
        time.sleep(0.5)
        served.process.send_signal(number)
        until(lambda: any("ending: " in line for line in served.said))
        begun = time.monotonic()
        assert served.stop(number) == -number
        assert time.monotonic() - begun < 2
        posted.join(10)
        assert posted.answer is None
        assert "Traceback" not in "".join(served.said)


def test_an_output_that_confirms_again_is_told(tmp_path: Path) -> None:
    with (
        faulty_cluster(lambda number, _: Answer(503) if number == 1 else None) as cluster,
        serving_to(tmp_path, cluster.url) as (served, posted),
    ):
        posted.join(30)
        assert posted.answer is not None
        assert posted.answer[0] == 200
        assert health(served.port) == {"status": "alive"}
        assert served.stop() == 0
        assert any(" INFO output cluster confirms again" in line for line in served.said)
