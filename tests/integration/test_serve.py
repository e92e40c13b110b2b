"""`serve` with a real OpenSearch behind it: what is there, what is left out, and its counters."""

import uuid
from pathlib import Path

import pytest
from counted_findings import UPDATES
from forward_client import connected
from http_json import Server
from serving import Serving

FOREIGN = {"source": "aws.ec2", "detail-type": "EC2 Instance State-change Notification", "detail": {"a": 1}}
TEXT = """
inputs: [{type: forward, listen: "127.0.0.1:0"}]
outputs:
  - {type: opensearch, url: [URL], index_prefix: PREFIX, name: cluster, match: [both, cluster]}
  - {type: file, path: out.jsonl, match: [both, file]}
"""


@pytest.fixture
def prefix(opensearch_url):
    made = f"serve-{uuid.uuid4().hex[:8]}-"
    yield made
    Server(opensearch_url).expect("DELETE", f"{made}*")


def test_records_foreign_events_and_counters(opensearch_url: str, prefix: str, tmp_path: Path) -> None:
    serving = Serving(tmp_path, TEXT.replace("URL", opensearch_url).replace("PREFIX", prefix))
    try:
        with connected(serving.port) as client:
            client.entries("both", [*UPDATES, FOREIGN], "1")
            assert client.confirmed() == "1"
            client.entries("cluster", [FOREIGN, UPDATES[0]], "2")
            assert client.confirmed() == "2"
        assert serving.stop() == 0
    finally:
        serving.end()
    server = Server(opensearch_url)
    server.expect("POST", f"{prefix}*/_refresh")
    counts = {
        name: server.expect("GET", f"{prefix}{name}/_count")["count"]
        for name in ("guarddutylogs-*", "guardduty-findings")
    }
    assert counts == {
        "guarddutylogs-*": len(UPDATES),
        "guardduty-findings": len({update["detail"]["id"] for update in UPDATES}),
    }
    assert len(serving.records()) == len(UPDATES) + 1  # a file takes foreign events, too
    hits = server.expect("GET", f"{prefix}guardduty-stats-*/_search")["hits"]["hits"]
    final = next(hit["_source"] for hit in hits if hit["_source"]["final"])
    # The foreign event that went to the cluster alone went nowhere: left out, by a rule with a name.
    assert final["filtered"] == {"foreign": 1}
    assert final["events"]["in"] == len(UPDATES) + 3
    assert final["records"] == {"finding": len(UPDATES) + 1, "other_aws": 1}


def test_counters_of_an_output_that_is_opened_anew_are_of_one_run(
    opensearch_url: str, prefix: str, tmp_path: Path
) -> None:
    """The file cannot be written at first, and its failure closes the cluster's output, too."""
    text = (
        TEXT.replace("URL", opensearch_url).replace("PREFIX", prefix).replace("out.jsonl", "later/out.jsonl")
    )
    serving = Serving(tmp_path, text)
    try:
        with connected(serving.port) as client:
            client.entries("cluster", UPDATES[:2], "1")
            assert client.confirmed() == "1"
            client.entries("both", UPDATES[2:3], "2")
            with pytest.raises(ConnectionError):
                client.confirmed()
        (tmp_path / "later").mkdir()
        with connected(serving.port) as client:
            client.entries("both", UPDATES[2:3], "2")
            assert client.confirmed() == "2"
        assert serving.stop() == 0
    finally:
        serving.end()
    server = Server(opensearch_url)
    server.expect("POST", f"{prefix}*/_refresh")
    hits = server.expect("GET", f"{prefix}guardduty-stats-*/_search")["hits"]["hits"]
    assert len({hit["_source"]["run_id"] for hit in hits}) == 1
    assert server.expect("GET", f"{prefix}guarddutylogs-*/_count")["count"] == 3
    assert len(serving.records("later/out.jsonl")) == 1
