import datetime
import json
from types import MappingProxyType

import pytest

from guardduty_lens import Lens, Record, Rejected
from guardduty_lens.payloads.limits import Limits

FINDING = {
    "type": "Recon:EC2/Portscan",
    "id": "f1",
    "severity": 5,
    "service": {},
    "accountId": "111122223333",
    "region": "eu-west-1",
}


def run(payload, **options):
    lens = Lens(extractors=(), **options)
    found = list(lens.process(payload, "src"))
    assert lens.counters.events == len(found)
    return found


@pytest.mark.parametrize("payload_type", [str, bytes, bytearray, memoryview])
def test_text_and_bytes_of_any_kind(payload_type):
    text = json.dumps(FINDING)
    payload = text if payload_type is str else payload_type(text.encode())
    [record] = run(payload)
    assert record.fields["finding_id"] == "f1"


@pytest.mark.parametrize(
    "payload", [FINDING, [FINDING], (FINDING,), MappingProxyType(FINDING), {"Findings": (FINDING,)}]
)
def test_decoded_payloads_of_any_kind(payload):
    [record] = run(payload)
    assert record.fields["finding_id"] == "f1"


def test_what_boto3_decodes_further():
    moment = datetime.datetime(2025, 1, 1, tzinfo=datetime.UTC)
    record = {"SequenceNumber": "1", "PartitionKey": "p", "ApproximateArrivalTimestamp": moment}
    [found] = run({"Records": [record | {"Data": json.dumps(FINDING).encode()}]})
    assert isinstance(found, Record)
    assert found.fields["finding_id"] == "f1"


def test_half_a_surrogate_pair_in_a_decoded_payload():
    [found] = run(json.loads('{"a": "\\ud800"}'))
    assert isinstance(found, Rejected)
    assert found.reason == "not_utf8"


def test_half_a_surrogate_pair_in_a_text():
    [found] = run('{"a":"\ud800"}')
    assert (found.reason, found.raw) == ("not_utf8", b'{"a":"\xed\xa0\x80"}')


@pytest.mark.parametrize("as_list", [True, False])
def test_a_decoded_payload_that_is_nested_too_deep(as_list):
    value = FINDING
    for _ in range(100_000):
        value = [value] if as_list else {"a": value}
    [found] = run(value)
    assert isinstance(found, Rejected)
    assert found.reason == "too_deep"


@pytest.mark.parametrize("odd", [[], {}, None, 1, "x", [{}]])
@pytest.mark.parametrize("key", ["Type", "type", "detail", "source", "eventSource", "Message", "messageType"])
def test_no_key_breaks_the_table_of_shapes(key, odd):
    assert len(run({key: odd, "x": 1})) == 1
    assert len(run(json.dumps({key: odd, "x": 1}))) == 1
    assert len(run(json.dumps(FINDING | {key: odd, "x": 1}))) == 1


def test_the_payload_is_not_changed():
    payload = {"Records": [{"messageId": "m", "body": json.dumps(FINDING)}], "x": [FINDING]}
    before = json.dumps(payload)
    run(payload)
    run([FINDING])
    assert json.dumps(payload) == before


def test_counters_count_payloads_and_outcomes():
    lens = Lens(extractors=())
    text = b'{"a":1}\noops\n' + json.dumps([FINDING, FINDING | {"severity": "high"}, 5]).encode() + b"\n"
    text += (
        b'{"messageType":"CONTROL_MESSAGE","logEvents":[]}\n{"source":"aws.s3","detail-type":"x","detail":{}}'
    )
    list(lens.process(text))
    assert lens.counters.summary() == {
        "payloads": 5,
        "events": {"in": 7, "records": 4, "filtered": 0, "rejected": 2, "control": 1},
        "records": {"finding": 2, "other": 1, "other_aws": 1},
        "findings": {"Medium": 1, "Unknown": 1},
        "filtered": {},
        "rejected": {"no_event": 1, "not_json": 1},
        "control": {"cloudwatch_logs_control_message": 1},
        "warnings": {"severity_unusable": 1},
    }


def test_rejects_carry_their_source_and_place():
    found = run(b'{"a":1}\n[1]\noops\n')[1:]
    assert [(item.source, str(item.position)) for item in found] == [
        ("src", "line 2, byte 8, in [0]"),
        ("src", "line 3, byte 12"),
    ]


def test_limits_reach_everything():
    assert run([FINDING] * 3, limits=Limits(events=2))[0].reason == "too_many_events"
    assert run(json.dumps(FINDING), limits=Limits(value_bytes=20))[0].reason == "too_large"
    assert run(json.dumps({"detail": FINDING}), limits=Limits(nesting=2))[0].reason == "too_deep"
    assert run([[FINDING]], limits=Limits(wrappings=1))[0].reason == "too_deep"


def test_a_lone_number_holds_no_event():
    assert [item.reason for item in run(b"42\n")] == ["no_event"]


def test_wrapper_keys_of_the_user():
    [record] = run({"payload": json.dumps(FINDING)}, wrapper_keys=["payload"])
    assert record.kind == "finding"
