"""`serve` with a real OpenSearch behind it: what is there, what is left out, and its counters."""

import uuid
from pathlib import Path

import msgpack
import pytest
from counted_findings import UPDATES
from forward_client import ForwardClient, connected
from http_json import Server
from installed_cluster import Cluster
from servers.certificates import Authority
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
    installed = Cluster(opensearch_url, made)
    installed.install()
    yield made
    installed.uninstall()


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


def test_tags_are_put_once_into_the_cluster(opensearch_url: str, prefix: str, tmp_path: Path) -> None:
    text = f"""
inputs: [{{type: http, listen: "127.0.0.1:0"}}]
outputs: [{{type: opensearch, url: ["{opensearch_url}"], index_prefix: {prefix}}}]
"""
    serving = Serving(tmp_path, text)
    server = Server(f"http://127.0.0.1:{serving.port}")
    tag = {"name": "release", "version": "2.0", "service": "shop", "id": "build-7", "fields": {"by": "ci"}}
    event = {
        "id": "p1", "time": "2025-03-01T09:00:00Z", "source": "aws.codepipeline",
        "detail-type": "CodePipeline Pipeline Execution State Change",
        "detail": {"pipeline": "shop", "execution-id": "e1", "state": "SUCCEEDED"},
    }  # fmt: skip
    try:
        assert server.expect("POST", "tag", tag) == {"label": "shop release 2.0", "new": True}
        assert server.expect("POST", "tag", tag) == {"label": "shop release 2.0", "new": False}
        for wrong in ({"name": ""}, {"name": "x", "at": "soon"}, {"colour": "red"}):
            assert "error" in server.request("POST", "tag", wrong)
        server.expect("POST", "", event)
        server.expect("POST", "", UPDATES[0])
    finally:
        assert serving.stop() == 0
        serving.end()
    cluster = Server(opensearch_url)
    cluster.expect("POST", f"{prefix}*/_refresh")
    hits = cluster.expect("GET", f"{prefix}guardduty-tags/_search")["hits"]["hits"]
    assert {(hit["_id"], hit["_source"]["label"]) for hit in hits} == {
        ("p1", "shop e1"),
        ("build-7", "shop release 2.0"),
    }
    assert cluster.expect("GET", f"{prefix}guarddutylogs-*/_count")["count"] == 1


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


def test_templates_that_are_missing_are_a_failing_output(opensearch_url: str, tmp_path: Path) -> None:
    bare = Cluster(opensearch_url, f"serve-{uuid.uuid4().hex[:8]}-bare-")
    text = f"""
inputs:
  - {{type: forward, listen: "127.0.0.1:0"}}
  - {{type: http, listen: "127.0.0.1:0"}}
  - {{type: http, listen: "127.0.0.1:0", token: {{env: TOKEN}}}}
outputs: [{{type: opensearch, url: ["{opensearch_url}"], index_prefix: {bare.names.prefix}, name: cluster}}]
"""
    serving = Serving(tmp_path, text, TOKEN="t0ken")
    try:
        http, guarded = (Server(f"http://127.0.0.1:{port}") for port in serving.ports[1:])
        assert http.expect("GET", "health") == {"status": "alive"}
        with connected(serving.port) as client:
            client.entries("any", UPDATES, "1")
            with pytest.raises(ConnectionError):
                client.confirmed()
        why = http.request("POST", "", UPDATES[0])["error"].removeprefix("not delivered: ")
        assert why.startswith(f"no index template of ours is there for {bare.names.state_index}, ")
        assert f"run `guardduty-lens install --url {opensearch_url} --index-prefix" in why
        assert "or send all the same with `without_templates: true` in this output" in why
        health = {"status": "alive", "not_ready": {"cluster": why}}
        assert http.expect("GET", "health") == health
        assert guarded.expect("GET", "health")["not_ready"] == {"cluster": "not ready"}
        assert "no index template of ours" in http.request("POST", "tag", {"name": "release"})["error"]
        assert bare.request("GET", f"_cat/indices/{bare.names.prefix}*?format=json") == []
        bare.install()
        with connected(serving.port) as client:
            client.entries("any", UPDATES, "2")
            assert client.confirmed() == "2"
        assert http.expect("GET", "health") == {"status": "alive"}
        assert serving.stop() == 0
        assert len(bare.log) == len(UPDATES)
        assert not (tmp_path / "guardduty-lens-dead-letters.jsonl").exists()
    finally:
        serving.end()
        bare.uninstall()


def test_without_templates_is_said_in_the_configuration(opensearch_url: str, tmp_path: Path) -> None:
    own = f"serve-{uuid.uuid4().hex[:8]}-own-"
    text = f"""
inputs: [{{type: http, listen: "127.0.0.1:0"}}]
outputs: [{{type: opensearch, url: ["{opensearch_url}"], index_prefix: {own}, without_templates: true}}]
"""
    serving = Serving(tmp_path, text)
    server = Server(opensearch_url)
    try:
        Server(f"http://127.0.0.1:{serving.port}").expect("POST", "", UPDATES[0])
        assert serving.stop() == 0
        server.expect("POST", f"{own}*/_refresh")
        assert server.expect("GET", f"{own}guarddutylogs-*/_count")["count"] == 1
    finally:
        serving.end()
        server.expect("DELETE", f"{own}*")


CAPTURES = Path(__file__).parents[1] / "data" / "captures"
NAMES = sorted(
    path.name.removesuffix(".bin")
    for path in CAPTURES.glob("*.bin")
    if not path.name.startswith("http_") and path.name != "sharedkey_wrong.bin"
)
HANDSHAKE_VALUES = (b"PING", b"HELO", b"PONG")


def messages_of(path: Path) -> bytes:
    """Give the bytes of a capture behind those of its handshake."""
    data = path.read_bytes() if path.exists() else b""
    unpacker = msgpack.Unpacker(raw=True, strict_map_key=False)
    unpacker.feed(data)
    start = 0
    for value in unpacker:
        if not isinstance(value, list) or value[0] not in HANDSHAKE_VALUES:
            break
        start = unpacker.tell()
    return data[start:]


def test_the_shipped_configuration_takes_every_capture_by_tls_and_shared_key(
    opensearch_url: str, prefix: str, tmp_path: Path
) -> None:
    authority = Authority(tmp_path)
    pair = authority.issue("localhost")
    certificates = f"certificate: {pair.certificate}, key: {pair.key}"
    text = (CAPTURES.parents[2] / "pipelines/fluent-bit/lens.yml").read_text("utf-8")
    for ours, here in {
        "listen: 127.0.0.1:24224": f"listen: 127.0.0.1:0\n    tls: {{{certificates}}}",
        "http://127.0.0.1:9200": opensearch_url,
        "    # user: guardduty-writer\n": f"    index_prefix: {prefix}\n",
    }.items():
        assert text.count(ours) == 1
        text = text.replace(ours, here)
    serving = Serving(tmp_path, text, GUARDDUTY_LENS_SHARED_KEY="s3cret")
    sent = 0
    try:
        for name in NAMES:
            message = messages_of(CAPTURES / f"{name}.bin")
            wanted = messages_of(CAPTURES / f"{name}.bin.sent")
            with connected(serving.port, key="s3cret", ca=authority.certificate) as client:
                client.send(message)
                answers = [client.confirmed() for _ in range(wanted.count(b"\x81\xa3ack"))]
                assert b"".join(msgpack.packb({"ack": each}) for each in answers) == wanted, name
                sent += 1
            with pytest.raises(PermissionError):
                ForwardClient(serving.port, key="nope", ca=authority.certificate)
        assert serving.stop() == 0
    finally:
        serving.end()
    server = Server(opensearch_url)
    server.expect("POST", f"{prefix}*/_refresh")
    hits = server.expect("GET", f"{prefix}guarddutylogs-*/_search?size=100")["hits"]["hits"]
    # The captures hold the same few findings, in every mode: each is there once, however often it was sent.
    assert sent == len(NAMES) > 18
    assert {hit["_source"]["record_kind"] for hit in hits} == {"finding"}
    assert (
        len(hits) == len({hit["_id"] for hit in hits}) == len({hit["_source"]["finding_id"] for hit in hits})
    )
