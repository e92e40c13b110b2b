"""What 0.1.0 installed (tests/data/installed-0.1.0), put as its `install` put it: where upgrades begin."""

import json
from pathlib import Path

from http_json import Server

FOLDER = Path(__file__).parents[1] / "data/installed-0.1.0"
OPTIONS = (
    *("--retention-days", "365"),
    *("--alert-channel", "channel-1"),
    *("--guardduty-bucket", "guardduty-findings"),
)
"""The options of `install` that it was recorded with."""

STATE = "guardduty-findings"


def put_version_0_1_0(server: Server) -> None:
    """Send the recorded requests in their order. The server must have none of it yet.

    Two monitors name the state's index, and Alerting refuses them without it: it is made before them.
    """
    state_made = False
    for line in (FOLDER / "cluster.jsonl").read_text().splitlines():
        asked = json.loads(line)
        body = asked["body"].encode() if isinstance(asked["body"], str) else asked["body"]
        if "/_alerting/" in asked["path"] and not state_made:
            server.expect("PUT", STATE)
            state_made = True
        server.expect(asked["method"], asked["path"].lstrip("/"), body)
