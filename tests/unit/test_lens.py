"""The public API, and the examples that use it."""

import gzip
import importlib.util
import ipaddress
import json
import re
import subprocess
import sys
from itertools import product
from pathlib import Path

import pytest
from finding_events import EVENT, bare, compact, enveloped, event

import guardduty_lens
from guardduty_lens import Lens, Record, Rejected
from guardduty_lens.findings.severity import Band, SeverityScheme
from guardduty_lens.payloads.limits import Limits
from guardduty_lens.rules import Rule
from guardduty_lens.samples import generate_payloads

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"


@pytest.fixture
def lens():
    return Lens(extractors=())


def one(items):
    [item] = items
    return item


# --- payloads ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "payload",
    [
        enveloped(),
        bytearray(enveloped()),
        memoryview(enveloped()),
        enveloped().decode(),
        EVENT,
        [EVENT],
        (EVENT,),
        gzip.compress(enveloped()),
        json.dumps(json.dumps(EVENT)),
    ],
    ids=["bytes", "bytearray", "memoryview", "str", "dict", "list", "tuple", "gzip", "text in text"],
)
def test_what_a_payload_may_be(lens, payload):
    record = one(lens.process(payload))
    assert record.fields["threat_name"] == "SSHBruteForce"
    assert record.event == EVENT


def test_a_payload_of_many_values(lens):
    payload = enveloped() + b"\n" + bare() + bare() + b"\r\n[" + enveloped() + b"]"
    assert [item.kind for item in lens.process(payload)] == ["finding"] * 4
    assert lens.counters.payloads == 4


@pytest.mark.parametrize("payload", [b"", "", b" \n\r\t", []])
def test_a_payload_of_nothing(lens, payload):
    assert list(lens.process(payload)) == []
    assert lens.counters.events == 0


@pytest.mark.parametrize(
    "payload",
    [
        None,
        7,
        "7",
        b"no JSON",
        b"\xff",
        "\ud800",
        "{",
        {"Type": [[1]], "Message": "x"},
        {"detail": {"title": "\ud800"}},
        {"\ud800": 1},
        {"Records": [None]},
        [[[[]]]],
        {"detail": float("nan")},
    ],
    ids=repr,
)
def test_no_data_raises(lens, payload):
    for item in lens.process(payload):
        assert isinstance(item, Rejected) or item.to_json()


def test_an_event_with_half_a_surrogate_pair_is_rejected(lens):
    # Lambda decodes events with Python's json, which lets them pass; no JSON text could hold one again.
    rejected = one(lens.process(event({"title": "\ud800"})))
    assert isinstance(rejected, Rejected)
    assert b"SSHBruteForce" in rejected.raw


def test_blocks_may_be_cut_anywhere():
    data = b"".join(payload + b"\n" for payload in generate_payloads(5, 1, "mixed"))
    whole = [item.to_json() for item in Lens(extractors=()).stream([data])]
    packed = gzip.compress(data)
    for source, size in product((data, packed), (1, 7, 1_000)):
        blocks = (source[start : start + size] for start in range(0, len(source), size))
        assert [item.to_json() for item in Lens(extractors=()).stream(blocks)] == whole


def test_a_stream_gives_what_is_whole_before_the_next_block(lens):
    def blocks():
        yield enveloped() + b"\n" + enveloped()[:9]
        assert lens.counters.events == 1
        yield enveloped()[9:]

    assert len(list(lens.stream(blocks()))) == 2


def test_damaged_gzip_gives_what_came_before(lens):
    packed = gzip.compress(b"".join(payload + b"\n" for payload in generate_payloads(200, 1, "eventbridge")))
    items = list(lens.stream([packed[: len(packed) // 2]]))
    assert all(isinstance(item, Record) for item in items[:50])
    assert isinstance(items[-1], Rejected)
    assert lens.counters.events == len(items)


def test_rejects_name_their_source(lens):
    rejected = one(lens.process(b"\n\n nonsense", "queue-7"))
    assert (rejected.source, rejected.reason) == ("queue-7", "not_json")
    assert (rejected.position.line, rejected.position.byte) == (3, 3)
    assert rejected.raw == b"nonsense"


def test_limits():
    small = Lens(extractors=(), limits=Limits(value_bytes=5_000, nesting=30, events=2))
    assert one(small.process(compact(event({"title": "x" * 6_000})))).reason == "too_large"
    assert one(small.process(enveloped(',"x":' + "[" * 40 + "]" * 40))).reason == "too_deep"
    assert one(small.process([{"a": 1}] * 3)).reason == "too_many_events"
    assert one(small.process(enveloped())).kind == "finding"


# --- records -------------------------------------------------------------------------------------------


def test_a_record_in_its_forms(lens):
    record = one(lens.process(enveloped()))
    assert record.kind == record.fields["record_kind"] == "finding"
    assert record.to_dict() == {**record.event, **record.added()} == json.loads(record.to_json())
    assert json.loads(record.added_json()) == record.added() == record.fields
    assert record.event == EVENT
    assert "SSHBruteForce" in repr(record)


def test_records_of_foreign_events(lens):
    record = one(lens.process({"detail-type": "x", "source": "aws.s3"}))
    assert record.to_dict() == {"detail-type": "x", "source": "aws.s3", "record_kind": "other_aws"}
    assert repr(record) == "Record(other_aws, x)"


def test_numbers_beyond_doubles_can_be_looked_at(lens):
    for text in ("1e400", "123456789012345678901234567890", "0.1e-400"):
        record = one(lens.process(enveloped(f',"odd":{text}')))
        assert record.to_dict()["detail"]["odd"] == record.event["detail"]["odd"]


def test_the_same_payload_gives_the_same_record_again(lens):
    first, second = lens.process(enveloped() * 2)
    assert first.to_json() == second.to_json()


# --- settings ------------------------------------------------------------------------------------------


def test_severity_schemes_by_name_or_as_an_object():
    ours = SeverityScheme(name="ours", bands=(Band(label="Some", rank=3, at_least=1),))
    for scheme, label in (("aws", "High"), ("seed-2020", "High"), (ours, "Some")):
        assert one(Lens(severity_scheme=scheme).process(EVENT)).fields["severity_label"] == label
    with pytest.raises(ValueError, match="no severity scheme 'seed'; there are aws, seed-2020"):
        Lens(severity_scheme="seed")


def test_rules_count_what_they_leave_out():
    lens = Lens(extractors=(), rules=[Rule("all findings", lambda record: record.kind == "finding")])
    assert [record.kind for record in lens.process([EVENT, {"a": 1}])] == ["other"]
    assert lens.counters.filtered == {"all findings": 1}
    assert lens.counters.summary()["events"]["in"] == 2


def test_counters_add_up_over_payloads(lens):
    for payload in (EVENT, b"nonsense", [EVENT, 7], {"messageType": "CONTROL_MESSAGE", "logEvents": []}):
        list(lens.process(payload))
    summary = lens.counters.summary()
    assert summary["payloads"] == 4
    assert summary["events"] == {"in": 5, "records": 2, "filtered": 0, "rejected": 2, "control": 1}


def test_two_lenses_know_nothing_of_each_other():
    one_, other = Lens(field_prefix="a_"), Lens(severity_scheme="seed-2020")
    list(one_.process(EVENT))
    assert other.counters.payloads == 0
    assert "a_title" in one(one_.process(EVENT)).added()


def test_the_public_names():
    assert set(guardduty_lens.__all__) == {
        "Extractor",
        "ExtractorField",
        "Lens",
        "Record",
        "Rejected",
        "__version__",
    }
    assert (Path(guardduty_lens.__file__).parent / "py.typed").is_file()


# --- examples ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def lambda_handler():
    spec = importlib.util.spec_from_file_location("lambda_handler", EXAMPLES / "lambda_handler.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def sns_event(*messages):
    topic = "arn:aws:sns:eu-west-1:111122223333:findings"
    return {
        "Records": [
            {
                "EventSource": "aws:sns",
                "EventVersion": "1.0",
                "Sns": {"Type": "Notification", "TopicArn": topic, "Message": message},
            }
            for message in messages
        ]
    }


def test_the_lambda_handler(lambda_handler):
    for invocation, count in ((EVENT, 1), (sns_event(enveloped().decode(), bare().decode()), 2)):
        records = lambda_handler.handler(invocation, None)
        assert [record["threat_name"] for record in records] == ["SSHBruteForce"] * count
        assert json.dumps(records)


def test_the_lambda_handler_lets_lambda_try_again(lambda_handler):
    with pytest.raises(ValueError, match=r"not_json at line 1, byte 0, in Records\[0\]\.Sns\.Message"):
        lambda_handler.handler(sns_event("nonsense"), None)


def test_the_users_catalogue():
    lens = Lens(fields=EXAMPLES / "fields", extractors=())
    cluster = {"resource": {"eksClusterDetails": {"name": "pay-prod-2"}}}
    record = one(lens.process(event(cluster)))
    assert record.fields["environment"] == "production"
    assert record.fields["business_unit"] == "pay"
    assert record.fields["page_somebody"] is True
    assert record.fields["resource_name"] == "pay-prod-2"
    assert "page_somebody" not in one(lens.process(event({"severity": 2}))).fields
    named = {"resource": {"instanceDetails": {"tags": [{"key": "Name", "value": "web-1"}]}}}
    assert one(lens.process(event(named))).fields["resource_name"] == "web-1"


FINDINGS = sorted(path for path in (EXAMPLES / "findings").iterdir() if path.name != "README.md")


def test_the_shipped_findings_are_all_read():
    lens = Lens(extractors=())
    for path in FINDINGS:
        before = lens.counters.records.get("finding", 0)
        rejects = [item for item in lens.process(path.read_bytes(), path.name) if isinstance(item, Rejected)]
        assert len(rejects) == (path.name == "broken.log"), path.name
        assert lens.counters.records["finding"] > before, path.name
    assert lens.counters.records.keys() == {"finding"}


def test_the_shipped_findings_are_small_and_explained():
    assert 8 <= len(FINDINGS) <= 14
    assert sum(path.stat().st_size for path in FINDINGS) < 150_000
    readme = (EXAMPLES / "findings/README.md").read_text()
    assert (
        re.findall(r"^\| `([^`]+)`", readme, re.MULTILINE).sort() == [path.name for path in FINDINGS].sort()
    )


DOCUMENTATION = [
    *map(ipaddress.ip_network, ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")),
    *map(ipaddress.ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")),
]


def test_the_shipped_findings_hold_no_real_addresses():
    lens = Lens(extractors=())
    for path in FINDINGS:
        for item in lens.process(path.read_bytes()):
            text = (item.raw if isinstance(item, Rejected) else item.to_json()).decode()
            for address in set(re.findall(r'"(\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3})[":/]', text)):
                assert any(ipaddress.ip_address(address) in network for network in DOCUMENTATION), address


def test_importing_takes_little():
    # Start-up is what a shipper's filter and a Lambda function wait for.
    code = (
        "import sys, guardduty_lens; "
        "print(sorted({'rich', 'jsonschema', 'click', 'botocore', 'yaml'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert result.stdout == "[]\n"
