"""The http input of `serve`, as a process: what real shippers posted, and every answer that is promised."""

import base64
import gzip
import http.client
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from counted_findings import UPDATES
from serving import Serving

CAPTURES = Path(__file__).parents[1] / "data" / "captures"
TEXT = """
inputs: [{type: http, listen: "127.0.0.1:0", token: {env: TOKEN}, largest_message_mib: 1}]
outputs: [{type: file, path: out.jsonl}]
dead_letters: dead.jsonl
"""
Post = Callable[..., tuple[int, Any]]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Serving]:
    serving = Serving(tmp_path, TEXT, TOKEN="t0ken")
    yield serving
    serving.end()


@pytest.fixture
def ask(served: Serving) -> Post:
    def request(
        body: bytes | None, path: str = "/", method: str = "POST", token: str = "t0ken", **headers: str
    ) -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=30)
        said = {key.replace("_", "-"): value for key, value in headers.items()}
        connection.request(method, path, body, {"Authorization": f"Bearer {token}"} | said)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer.status, json.loads(text) if "json" in answer.headers["content-type"] else text.decode()

    return request


def _captured(name: str) -> tuple[bytes, dict[str, str]]:
    """Give the body and the headers of what Fluent Bit posted."""
    head, body = (CAPTURES / f"{name}.bin").read_bytes().split(b"\r\n\r\n", 1)
    lines = [line.decode().split(": ", 1) for line in head.split(b"\r\n")[1:]]
    wanted = {"content-type": "Content_Type", "content-encoding": "Content_Encoding"}
    headers = {wanted[key.lower()]: value for key, value in lines if key.lower() in wanted}
    length = next(int(value) for key, value in lines if key.lower() == "content-length")
    return body[:length], headers


@pytest.mark.parametrize(
    "name",
    ["default", "json", "json_gzip", "json_lines", "json_stream", "msgpack", "nodate"],
)
def test_what_fluent_bit_posts_in_each_of_its_formats(served: Serving, ask: Post, name: str) -> None:
    body, headers = _captured(f"http_{name}")
    status, answer = ask(body, **headers)
    assert (status, answer) == (200, {})
    records = served.records()
    assert len(records) >= 2
    assert {record["record_kind"] for record in records} == {"finding"}


@pytest.mark.parametrize("name", ["http_json_snappy", "http_json_zstd"])
def test_other_encodings_are_refused(ask: Post, name: str) -> None:
    body, headers = _captured(name)
    status, answer = ask(body, **headers)
    assert status == 415
    assert "gzip or none is taken" in answer["error"]


def test_logstash_firehose_and_eventbridge(served: Serving, ask: Post) -> None:
    assert ask(json.dumps(UPDATES[0]).encode(), Content_Type="application/json")[0] == 200
    assert ask(json.dumps([{"message": json.dumps(UPDATES[1])}, UPDATES[2]]).encode())[0] == 200
    records = [{"data": base64.b64encode(json.dumps(each).encode()).decode()} for each in UPDATES[3:5]]
    request = {"requestId": "r-1", "timestamp": 1, "records": records}
    status, answer = ask(
        gzip.compress(json.dumps(request).encode()),
        token="",
        Content_Encoding="gzip",
        Content_Type="application/json",
        X_Amz_Firehose_Request_Id="r-1",
        X_Amz_Firehose_Access_Key="t0ken",
    )
    assert (status, answer["requestId"]) == (200, "r-1")
    assert isinstance(answer["timestamp"], int)
    status, answer = ask(b"x", token="", X_Amz_Firehose_Request_Id="r-2", X_Amz_Firehose_Access_Key="no")
    assert (status, answer["requestId"]) == (401, "r-2")
    assert "token" in answer["errorMessage"]
    assert [record["finding_id"] for record in served.records()] == ["f1", "f2", "f3", "f4", "f5"]


def test_filter_answers_the_records_and_delivers_nothing(served: Serving, ask: Post) -> None:
    status, record = ask(json.dumps(UPDATES[0]).encode(), "/filter")
    assert (status, record["finding_id"], record["detail"]) == (200, "f1", UPDATES[0]["detail"])
    status, records = ask(json.dumps(UPDATES[:2]).encode(), "/filter")
    assert [each["finding_id"] for each in records] == ["f1", "f2"]
    assert ask(b"{", "/filter")[0] == 400
    assert served.records() == []


def test_refusals_have_their_status_and_a_reason(ask: Post) -> None:
    for wanted, arguments, headers in [
        (401, (b"{}", "/", "POST", "nope"), {}),
        (401, (None, "/metrics", "GET", ""), {}),
        (404, (b"{}", "/elsewhere"), {}),
        (405, (None, "/", "PUT"), {}),
        (400, (b"  ",), {}),
        (400, (b"no gzip",), {"Content_Encoding": "gzip"}),
        (400, (gzip.compress(b"{}")[:-3],), {"Content_Encoding": "gzip"}),
        (400, (b"\xc1",), {"Content_Type": "application/msgpack"}),
        (413, (b"x" * 1_100_000,), {}),
        (413, (gzip.compress(b" " * 5_000_000),), {"Content_Encoding": "gzip"}),
        (415, (b"<a/>",), {"Content_Type": "application/xml"}),
    ]:
        status, answer = ask(*arguments, **headers)
        assert status == wanted, arguments
        assert answer["error"]
    status, answer = ask(b"{}", Content_Type="application/x-www-form-urlencoded")
    assert status == 415
    assert answer["error"] == (
        "the content type 'application/x-www-form-urlencoded'; JSON or msgpack is taken: "
        "send Content-Type: application/json"
    )


def test_what_cannot_be_read_is_taken_and_lies_in_the_dead_letters(served: Serving, ask: Post) -> None:
    assert ask(b'{"detail": \n')[0] == 200
    [letter] = served.records("dead.jsonl")
    assert letter["raw"].startswith('{"detail":')


def test_a_tag_without_a_cluster_has_no_place(ask: Post) -> None:
    status, said = ask(b'{"name": "release"}', "/tag")
    assert (status, said) == (404, {"error": "tags are for a cluster, and none is among the outputs"})


def test_health_readiness_and_metrics(ask: Post) -> None:
    assert ask(None, "/health", "GET", "") == (200, {"status": "alive"})
    assert ask(None, "/ready", "GET", "") == (200, {"status": "ready"})
    ask(json.dumps(UPDATES[0]).encode())
    ask(b"{")
    status, text = ask(None, "/metrics", "GET")
    assert status == 200
    lines = text.splitlines()
    assert 'guardduty_lens_records_total{kind="finding"} 1' in lines
    assert 'guardduty_lens_findings_total{severity="High"} 1' in lines
    assert any(line.startswith("guardduty_lens_rejected_total{") and line.endswith(" 1") for line in lines)
    assert any(
        line.startswith('guardduty_lens_input_total{input="1-http",what="status_200"}') for line in lines
    )
    for name, number in {"records": 1, "left_out": 0, "failures": 0}.items():
        assert f'guardduty_lens_output_{name}_total{{output="file-1"}} {number}' in lines
    assert "guardduty_lens_queue_payloads 0" in lines
    assert "guardduty_lens_batches_total 2" in lines
    assert len(json.dumps(UPDATES[0])) + 1 == next(
        int(line.split()[-1]) for line in lines if 'what="bytes"' in line
    )


def test_both_inputs_at_once(tmp_path: Path) -> None:
    text = TEXT.replace("inputs: [", 'inputs: [{type: forward, listen: "127.0.0.1:0"}, ')
    serving = Serving(tmp_path, text, TOKEN="t0ken")
    assert len(serving.ports) == 2
    assert serving.stop() == 0
