"""fluent-logger-golang, acknowledged, as a client of `serve`: built from the Go proxy.

Version 1.9, since the Go of Debian 12 cannot build a newer one.
"""

import json
import subprocess
from pathlib import Path

from counted_findings import UPDATES
from programs import program
from serving import Serving

FOLDER = Path(__file__).with_name("fluent_logger_golang")
TEXT = """
inputs: [{type: forward, listen: "127.0.0.1:0"}]
outputs: [{type: file, path: out.jsonl}]
"""


def test_every_event_is_acknowledged_and_written(tmp_path: Path) -> None:
    go, client = program("go", "golang-go"), tmp_path / "client"
    built = subprocess.run(
        [go, "build", "-o", str(client), "."], cwd=FOLDER, capture_output=True, text=True, timeout=300
    )
    assert built.returncode == 0, built.stderr
    serving = Serving(tmp_path, TEXT)
    try:
        lines = "".join(json.dumps(update) + "\n" for update in UPDATES)
        sent = subprocess.run(
            [str(client), str(serving.port)], input=lines, capture_output=True, text=True, timeout=60
        )
        assert (sent.returncode, sent.stderr, sent.stdout) == (0, "", f"{len(UPDATES)}\n")
        assert serving.stop() == 0
    finally:
        serving.end()
    assert [record["finding_id"] for record in serving.records()] == [
        update["detail"]["id"] for update in UPDATES
    ]
