"""What the functions tell CloudWatch of what they counted."""

import base64
import json

from counted_findings import UPDATES
from function_events import queued, told

from guardduty_lens.aws import archive, index, transform


def metrics_in(text: str) -> dict[str, dict[str, int]]:
    """Give the metrics that lines of a log tell, by service."""
    found: dict[str, dict[str, int]] = {}
    for line in text.splitlines():
        told = json.loads(line)
        [about] = told["_aws"]["CloudWatchMetrics"]
        assert (about["Namespace"], about["Dimensions"]) == ("ours", [["service"]])
        found[told["service"]] = {each["Name"]: told[each["Name"]][0] for each in about["Metrics"]}
    return found


def test_what_functions_counted_is_told_to_cloudwatch(s3, cluster, prefix, monkeypatch, capsys) -> None:
    monkeypatch.setenv("METRICS_NAMESPACE", "ours")
    key = archive.handler(UPDATES[0], None)["archived"]
    s3.put_object(Bucket="archive", Key="broken.json", Body=b'{"type": "x", "id": ')
    index.handler(queued(told(key), told(key), told("broken.json"), told("gone.json")), None)
    data = base64.b64encode(json.dumps(UPDATES[0]).encode()).decode()
    transform.handler({"records": [{"recordId": "1", "data": data}]}, None)
    assert metrics_in(capsys.readouterr().out) == {
        "archive": {"Archived": 1},
        "index": {
            "Payloads": 3, "Records": 2, "Rejected": 1, "ObjectsGone": 1,
            "LogCreated": 1, "LogDuplicates": 1, "StateWritten": 1,
        },
        "transform": {"Ok": 1},
    }  # fmt: skip
    archive.handler({"source": "aws.ec2"}, None)
    assert metrics_in(capsys.readouterr().out) == {"archive": {"LeftAlone": 1}}


def test_nothing_is_told_where_no_namespace_is(s3, cluster, capsys) -> None:
    archive.handler(UPDATES[0], None)
    assert capsys.readouterr().out == ""
