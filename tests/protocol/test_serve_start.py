"""What `serve` says when it starts, and how it ends."""

import signal
import socket
import subprocess
from pathlib import Path

import pytest
from command_line import COMMAND
from serving import Serving

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
