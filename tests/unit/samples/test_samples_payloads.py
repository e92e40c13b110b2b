import base64
import gzip
import hashlib
import json
from collections import Counter

import pytest

from guardduty_lens.samples import SHAPES, generate_findings, generate_payloads

COUNT, SEED = 700, 5


def events_of(payload):
    """Give the name of a payload's shape and the events or findings in it."""
    value = json.loads(payload)
    if "detail" in value:
        return "eventbridge", [value]
    if "schemaVersion" in value:
        return "finding", [value]
    if "Findings" in value:
        return "api", value["Findings"]
    if "Message" in value:
        return "sns", [json.loads(value["Message"])]
    if "awslogs" in value:
        data = json.loads(gzip.decompress(base64.b64decode(value["awslogs"]["data"])))
        return "cloudwatch-logs", [json.loads(event["message"]) for event in data["logEvents"]]
    if "deliveryStreamArn" in value:
        return "firehose", [json.loads(base64.b64decode(record["data"])) for record in value["records"]]
    if value["Records"][0].get("EventSource") == "aws:sns":
        return "sns", [json.loads(record["Sns"]["Message"]) for record in value["Records"]]
    bodies = [json.loads(record["body"]) for record in value["Records"]]
    return "sqs", [json.loads(body["Message"]) if "Message" in body else body for body in bodies]


def identities(events):
    found = [event.get("detail", event) for event in events]
    return [(event.get("id") or event["Id"], event.get("updatedAt") or event["UpdatedAt"]) for event in found]


@pytest.fixture(scope="module")
def expected():
    return identities(generate_findings(COUNT, SEED))


def test_shapes_are_those_of_the_command():
    assert SHAPES == (
        "eventbridge",
        "finding",
        "api",
        "s3-export",
        "sns",
        "sqs",
        "cloudwatch-logs",
        "firehose",
        "mixed",
    )


@pytest.mark.parametrize("shape", SHAPES)
def test_findings_are_the_same_in_every_shape(shape, expected):
    payloads = list(generate_payloads(COUNT, SEED, shape))
    events = [event for payload in payloads for event in events_of(payload)[1]]
    assert identities(events) == expected
    assert not any(b"\n" in payload for payload in payloads)


@pytest.mark.parametrize("shape", SHAPES)
def test_every_payload_of_a_shape_has_it(shape):
    seen = {events_of(payload)[0] for payload in generate_payloads(60, 2, shape)}
    if shape == "mixed":
        assert len(seen) > 2
    else:
        assert seen == {"finding" if shape == "s3-export" else shape}


@pytest.mark.parametrize("shape", SHAPES)
def test_equal_arguments_give_equal_bytes(shape):
    assert list(generate_payloads(300, 9, shape)) == list(generate_payloads(300, 9, shape))
    assert list(generate_payloads(300, 9, shape)) != list(generate_payloads(300, 8, shape))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("count", [0, 1, 3, 51])
def test_count_is_that_of_findings(shape, count):
    payloads = generate_payloads(count, 4, shape)
    assert sum(len(events_of(payload)[1]) for payload in payloads) == count


def test_wrong_use_is_refused_at_once():
    with pytest.raises(ValueError, match="unknown shape 'kafka'"):
        generate_payloads(1, 1, "kafka")
    with pytest.raises(ValueError, match="negative"):
        generate_payloads(-1, 1, "finding")


def test_bare_findings_are_those_of_generate_findings():
    payloads = [json.loads(payload) for payload in generate_payloads(400, 6, "s3-export")]
    assert payloads == list(generate_findings(400, 6))


def test_events_have_their_own_ids_and_come_a_little_later():
    events = [json.loads(payload) for payload in generate_payloads(1500, 6, "eventbridge")]
    assert len({event["id"] for event in events}) == len(events)
    for event in events:
        assert list(event) == [
            "version",
            "id",
            "detail-type",
            "source",
            "account",
            "time",
            "region",
            "resources",
            "detail",
        ]
        assert event["time"] >= event["detail"]["updatedAt"][:19]
        assert event["resources"] == []
    foreign = sum(event["account"] != event["detail"]["accountId"] for event in events)
    assert 50 < foreign < 500


def test_pages_of_the_api_hold_fifty_in_pascal_case():
    pages = [json.loads(payload)["Findings"] for payload in generate_payloads(COUNT, SEED, "api")]
    assert [len(page) for page in pages] == [50] * 14
    findings = [finding for page in pages for finding in page]
    text = json.dumps(findings)
    for name in (
        "AwsApiCallAction",
        "IpAddressV4",
        "LoginAttributes",
        "SourceIps",
        "Code",
        "IamInstanceProfile",
    ):
        assert f'"{name}": ' in text
    assert '"AWS::S3::Bucket": ' in text
    for finding in findings:
        assert set(finding["Service"]["AdditionalInfo"]) == {"Value", "Type"}
        assert "Evidence" not in finding["Service"] or finding["Service"]["Evidence"] is not None
    clusters = [f["Resource"]["EksClusterDetails"] for f in findings if "EksClusterDetails" in f["Resource"]]
    assert all(cluster["CreatedAt"].endswith("+00:00") for cluster in clusters)


def test_messages_of_queues_are_whole():
    sizes, through_sns = [], 0
    for payload in generate_payloads(COUNT, SEED, "sqs"):
        records = json.loads(payload)["Records"]
        sizes.append(len(records))
        for record in records:
            body = record["body"].encode()
            assert record["md5OfBody"] == hashlib.md5(body).hexdigest()
            through_sns += "Message" in json.loads(body)
    assert set(sizes) == set(range(1, 11))
    assert 0 < through_sns < COUNT


def test_notifications_come_in_both_forms():
    forms = Counter("Records" in json.loads(payload) for payload in generate_payloads(COUNT, SEED, "sns"))
    assert 50 < forms[True] < forms[False]


def test_several_events_share_a_log_payload():
    sizes = [len(events_of(payload)[1]) for payload in generate_payloads(COUNT, SEED, "cloudwatch-logs")]
    assert set(sizes[:-1]) <= {2, 3, 4, 5, 6}


def test_mixed_is_half_eventbridge_and_four_tenths_bare():
    found = Counter()
    shapes = Counter()
    for payload in generate_payloads(1000, SEED, "mixed"):
        shape, events = events_of(payload)
        found[shape] += len(events)
        shapes[shape] += 1
    assert 480 <= found["eventbridge"] <= 520
    assert 380 <= found["finding"] <= 440
    assert set(found) == {"eventbridge", "finding", "api", "sns", "sqs", "cloudwatch-logs", "firehose"}
    assert min(shapes.values()) >= 3
