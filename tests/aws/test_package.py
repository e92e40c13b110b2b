"""What `make lambda` leaves out is needed by no handler: each works where it cannot be imported."""

import runpy
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

WORK = """
import sys
for name in {left_out!r}:
    sys.modules[name] = None  # an import of it raises ImportError
import json, os
from pathlib import Path
from guardduty_lens.aws import {handler}
event = json.loads(Path({event!r}).read_text())
{work}
"""

WORKS = {
    "archive": "print(archive.message(next(archive._lens().process(event)))[0])",
    "index": """
os.environ.update(OPENSEARCH_URL="http://127.0.0.1:9", OPENSEARCH_AUTH="none", DEAD_LETTER_BUCKET="dead",
                  GIVE_UP_AFTER_SECONDS="0.1")
try:
    index.handler(event, None)
except index.NotIndexedError as error:
    print(error)
""",
    "transform": """
import base64
data = base64.b64encode(json.dumps(event).encode()).decode()
[answer] = transform.handler({"records": [{"recordId": "1", "data": data}]}, None)["records"]
print(answer["result"])
""",
}
SAYS = {
    "archive": "GuardDuty Medium: Recon:EC2/PortProbeUnprotectedPort",
    "index": "127.0.0.1",
    "transform": "Ok",
}


@pytest.fixture(scope="module")
def left_out() -> list[str]:
    sys.path.insert(0, str(ROOT / "tools"))
    try:
        tool = runpy.run_path(str(ROOT / "tools/make_lambda.py"), run_name="make_lambda")
    finally:
        sys.path.pop(0)
    return [*(f"guardduty_lens.{name}" for name in tool["NOT_NEEDED"]), *tool["FOREIGN_NOT_NEEDED"]]


@pytest.mark.parametrize("handler", WORKS)
def test_a_handler_works_with_what_is_in_the_zip(handler: str, left_out: list[str], tmp_path: Path) -> None:
    event = tmp_path / "event.json"
    event.write_text(EVENT)
    script = WORK.format(left_out=left_out, handler=handler, event=str(event), work=WORKS[handler])
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert SAYS[handler] in done.stdout


EVENT = """{"version": "0", "id": "1", "detail-type": "GuardDuty Finding", "source": "aws.guardduty",
"account": "111122223333", "time": "2026-01-01T00:00:00Z", "region": "eu-west-1", "resources": [],
"detail": {"schemaVersion": "2.0", "accountId": "111122223333", "region": "eu-west-1", "partition": "aws",
"id": "16afba5c5c43e07c9e3e5e2e544e95df",
"arn": "arn:aws:guardduty:eu-west-1:111122223333:detector/x/finding/y",
"type": "Recon:EC2/PortProbeUnprotectedPort", "resource": {"resourceType": "Instance"},
"service": {"serviceName": "guardduty"}, "severity": 5, "createdAt": "2026-01-01T00:00:00.000Z",
"updatedAt": "2026-01-01T00:00:00.000Z", "title": "t", "description": "d"}}"""
