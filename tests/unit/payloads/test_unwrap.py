import base64
import gzip
import json
import socket

import pytest

from guardduty_lens.payloads.limits import Limits
from guardduty_lens.payloads.pieces import REJECT_REASONS, Control, Event, Position, Rejected
from guardduty_lens.payloads.unwrap import Unwrapper

FINDING = {
    "schemaVersion": "2.0",
    "accountId": "111122223333",
    "region": "eu-west-1",
    "partition": "aws",
    "id": "f1",
    "arn": "arn:aws:guardduty:eu-west-1:111122223333:detector/d1/finding/f1",
    "type": "Recon:EC2/Portscan",
    "resource": {"resourceType": "Instance"},
    "service": {"serviceName": "guardduty"},
    "severity": 5,
    "updatedAt": "2025-01-01T00:00:00.000Z",
}
PASCAL = {
    "SchemaVersion": "2.0",
    "AccountId": "111122223333",
    "Region": "eu-west-1",
    "Partition": "aws",
    "Id": "f1",
    "Arn": "arn:aws:guardduty:eu-west-1:111122223333:detector/d1/finding/f1",
    "Type": "Recon:EC2/Portscan",
    "Resource": {"ResourceType": "Instance"},
    "Service": {"ServiceName": "guardduty"},
    "Severity": 5,
    "UpdatedAt": "2025-01-01T00:00:00.000Z",
}
WRAPPED = {
    "version": "0",
    "detail-type": "GuardDuty Finding",
    "source": "aws.guardduty",
    "account": "111122223333",
    "region": "eu-west-1",
    "time": "2025-01-01T00:00:00.000Z",
    "resources": [],
    "detail": FINDING,
}
ENVELOPE = WRAPPED | {"id": "e1", "account": "999999999999", "time": "2025-01-01T00:05:00Z"}
TOPIC = "arn:aws:sns:eu-west-1:111122223333:findings"
CLOUDTRAIL = {
    "eventVersion": "1.08",
    "eventSource": "guardduty.amazonaws.com",
    "eventName": "CreateSampleFindings",
    "awsRegion": "eu-west-1",
}


def text(value):
    return json.dumps(value)


def b64(data):
    return base64.b64encode(data if isinstance(data, bytes) else text(data).encode()).decode()


def unwrap(value, *, keys=(), limits=None):
    raw = json.dumps(value).encode()
    return Unwrapper(keys, limits).unwrap(value, raw, Position(), "src")


def events(value, *, keys=()):
    """Give the events, holding that nothing else came."""
    found = unwrap(value, keys=keys)
    assert all(isinstance(item, Event) for item in found), found
    return [item.value for item in found]


def rejects(value, *, keys=(), limits=None):
    return [item for item in unwrap(value, keys=keys, limits=limits) if isinstance(item, Rejected)]


def controls(value):
    found = unwrap(value)
    assert all(isinstance(item, Control) for item in found), found
    return [item.name for item in found]


# --- findings and envelopes -------------------------------------------------------------------------


def test_a_bare_finding_is_wrapped():
    assert events(FINDING) == [WRAPPED]


def test_the_envelope_of_a_bare_finding_takes_only_texts_that_are_there():
    finding = {"type": "A:B/c", "id": "f", "severity": 1, "service": {}, "region": "", "accountId": 12}
    assert events(finding) == [
        {
            "version": "0",
            "detail-type": "GuardDuty Finding",
            "source": "aws.guardduty",
            "resources": [],
            "detail": finding,
        }
    ]


def test_a_whole_envelope_comes_back_as_it_is():
    assert events(ENVELOPE) == [ENVELOPE]


@pytest.mark.parametrize("missing", WRAPPED.keys() - {"detail"})
def test_a_missing_envelope_key_is_added(missing):
    partial = {key: value for key, value in WRAPPED.items() if key != missing}
    assert events(partial) == [WRAPPED]


def test_all_envelope_keys_missing():
    assert events({"detail": FINDING}) == [WRAPPED]


@pytest.mark.parametrize("key", WRAPPED.keys() - {"detail"})
@pytest.mark.parametrize("value", [None, "", "other", 7, {"a": []}])
def test_envelope_keys_that_are_there_never_change(key, value):
    assert events(WRAPPED | {key: value}) == [WRAPPED | {key: value}]


def test_pascal_case_becomes_camel_case():
    assert events(PASCAL) == [WRAPPED]
    assert events(ENVELOPE | {"detail": PASCAL}) == [ENVELOPE]
    assert events({"detail": PASCAL}) == [WRAPPED]


def test_detail_as_text():
    assert events(ENVELOPE | {"detail": text(FINDING)}) == [ENVELOPE]
    assert events(ENVELOPE | {"detail": text(PASCAL)}) == [ENVELOPE]


@pytest.mark.parametrize(
    "kept", [(), ("version",), ("account", "region", "time"), ("source",), ("detail-type",)]
)
def test_detail_as_text_with_envelope_keys_missing(kept):
    partial = {key: WRAPPED[key] for key in kept} | {"detail": text(FINDING)}
    assert events(partial) == [WRAPPED]


@pytest.mark.parametrize("missing", ["type", "both ids", "evidence"])
def test_what_misses_a_part_of_the_finding_test_is_no_finding(missing):
    gone = {
        "type": ["type"],
        "both ids": ["id", "arn"],
        "evidence": ["schemaVersion", "accountId", "resource", "service"],
    }[missing]
    near = {key: value for key, value in FINDING.items() if key not in gone}
    assert events(near) == [near]
    assert events(ENVELOPE | {"detail": near}) == [ENVELOPE | {"detail": near}]


@pytest.mark.parametrize(
    "patch",
    [
        {"type": ""},
        {"type": None},
        {"type": ["Recon:EC2/Portscan"]},
        {"id": "", "arn": None},
        {"id": 5, "arn": 6},
        {"service": None, "resource": None, "severity": None, "schemaVersion": None},
    ],
)
def test_near_findings_pass_as_they_are(patch):
    assert events(FINDING | patch) == [FINDING | patch]


@pytest.mark.parametrize(
    "patch", [{"id": None}, {"arn": ""}, {"service": None, "resource": None, "severity": 0}]
)
def test_findings_with_little_are_findings(patch):
    [event] = events(FINDING | patch)
    assert event["detail"] == FINDING | patch


def test_an_envelope_around_anything_else_passes_as_it_is():
    for detail in ({}, {"a": 1}, None, [], [FINDING], "text", "", "[]", "[", 5):
        event = ENVELOPE | {"detail": detail}
        assert events(event) == [event]
    for foreign in ({"source": "aws.s3", "detail": "{"}, {"detail-type": "x", "detail": text(FINDING)[:99]}):
        assert events(foreign) == [foreign]


@pytest.mark.parametrize("detail", [text(FINDING)[:99], "{", " {oops}", '{"a":NaN}'])
def test_a_detail_that_is_no_whole_object_any_more_is_rejected(detail):
    [item] = unwrap(ENVELOPE | {"detail": detail})
    assert (item.reason, item.raw, item.position.inside) == ("not_json", detail.encode(), "detail")


@pytest.mark.parametrize("detail", [text({"a": 1}), text(FINDING)[:-1], text([FINDING]), "text", ""])
def test_a_detail_alone_is_an_envelope_only_around_a_finding(detail):
    assert events({"detail": detail}) == [{"detail": detail}]


# --- GetFindings, and lists -------------------------------------------------------------------------


@pytest.mark.parametrize("finding", [FINDING, PASCAL])
@pytest.mark.parametrize("key", ["Findings", "findings"])
def test_pages_of_findings(finding, key):
    assert events({key: [finding, finding]}) == [WRAPPED, WRAPPED]
    assert events({key: [finding], "NextToken": "t", "ResponseMetadata": {"RequestId": "r"}}) == [WRAPPED]


def test_an_empty_page_holds_nothing():
    assert events({"Findings": []}) == []
    assert events({"findings": []}) == []
    assert events([]) == []


def test_a_foreign_event_with_an_empty_list_of_findings_is_not_lost():
    foreign = {"scanner": "x", "target": "y", "findings": []}
    assert events(foreign) == [foreign]
    assert events({"Findings": [], "NextToken": "", "ResponseMetadata": {}}) == []
    assert events({"findings": [], "nextToken": None}) == []


@pytest.mark.parametrize("odd", [{"a": 1}, {"type": "no id", "severity": 1, "service": {}}])
def test_an_odd_element_does_not_hide_a_page_of_findings(odd):
    assert events({"Findings": [FINDING, odd, PASCAL]}) == [WRAPPED, odd, WRAPPED]


def test_an_unusable_element_of_a_page_is_rejected_alone():
    found = unwrap({"Findings": [FINDING, None, FINDING]})
    assert [type(item) for item in found] == [Event, Rejected, Event]
    assert (found[1].reason, found[1].position.inside) == ("no_event", "Findings[1]")


@pytest.mark.parametrize(
    "foreign",
    [
        {"findings": [{"rule": "x", "line": 3}], "version": "2.1"},
        {"findings": {"type": "x"}},
        {"findings": "none"},
        {"Findings": [1, 2]},
    ],
)
def test_findings_of_others_pass_as_one_event(foreign):
    assert events(foreign) == [foreign]


def test_arrays():
    assert events([FINDING, ENVELOPE, {"a": 1}, [PASCAL]]) == [WRAPPED, ENVELOPE, {"a": 1}, WRAPPED]


def test_what_can_hold_no_event_in_an_array():
    found = rejects([None, 1, True, FINDING, "", " "])
    assert [item.reason for item in found] == ["no_event"] * 5
    assert [item.raw for item in found] == [b"null", b"1", b"true", b"", b" "]
    assert [item.position.inside for item in found] == ["[0]", "[1]", "[2]", "[4]", "[5]"]


# --- Security Hub -----------------------------------------------------------------------------------

ASFF = {
    "SchemaVersion": "2018-10-08",
    "Id": FINDING["arn"],
    "ProductArn": "arn:aws:securityhub:eu-west-1::product/aws/guardduty",
    "GeneratorId": "arn:aws:guardduty:eu-west-1:111122223333:detector/d1",
    "AwsAccountId": "111122223333",
    "Types": ["TTPs/Discovery/Recon:EC2-Portscan"],
    "CreatedAt": "2025-01-01T00:00:00.000Z",
    "UpdatedAt": "2025-01-02T00:00:00.000Z",
    "Severity": {"Product": 5, "Label": "MEDIUM", "Normalized": 50},
    "Title": "t",
    "Description": "d",
    "Resources": [{"Type": "AwsEc2Instance", "Id": "arn:aws:ec2:eu-west-1:111122223333:instance/i-1"}],
}
FOREIGN_ASFF = ASFF | {
    "ProductArn": "arn:aws:securityhub:eu-west-1::product/aws/inspector",
    "Types": ["Software and Configuration Checks/Vulnerabilities/CVE"],
}
HUB = {"version": "0", "source": "aws.securityhub", "detail-type": "Security Hub Findings - Imported"}


@pytest.mark.parametrize(
    "payload",
    [
        ASFF,
        [ASFF],
        {"Findings": [ASFF]},
        HUB | {"detail": {"findings": [ASFF]}},
        HUB | {"detail": {"actionName": "x", "findings": [ASFF]}},
        {"Records": [{"eventSource": "aws:sqs", "body": text(HUB | {"detail": {"findings": [ASFF]}})}]},
    ],
)
def test_security_hub_findings_of_guardduty(payload):
    [event] = events(payload)
    assert event["asff"] == ASFF
    assert event["detail-type"] == "GuardDuty Finding"
    assert event["account"] == "111122223333"
    assert event["region"] == "eu-west-1"
    assert event["time"] == "2025-01-02T00:00:00.000Z"
    assert event["detail"]["type"] == "TTPs/Discovery/Recon:EC2-Portscan"
    assert event["detail"]["id"] == "f1"
    assert event["detail"]["resource"]["instanceDetails"]["instanceId"] == "i-1"


def test_security_hub_findings_of_others_pass_as_they_are():
    assert events(FOREIGN_ASFF) == [FOREIGN_ASFF]
    foreign = HUB | {"detail": {"findings": [FOREIGN_ASFF]}}
    assert events(foreign) == [foreign]


@pytest.mark.parametrize(
    "payload", [{"Findings": [FOREIGN_ASFF, ASFF]}, HUB | {"detail": {"findings": [FOREIGN_ASFF, ASFF]}}]
)
def test_security_hub_findings_mixed(payload):
    foreign, ours = events(payload)
    assert foreign == FOREIGN_ASFF
    assert ours["asff"] == ASFF


# --- transports -------------------------------------------------------------------------------------

SNS_MESSAGE = {"Type": "Notification", "MessageId": "m", "TopicArn": TOPIC, "Message": text(ENVELOPE)}
LOGS = {
    "messageType": "DATA_MESSAGE",
    "owner": "1",
    "logGroup": "g",
    "logStream": "s",
    "subscriptionFilters": ["f"],
    "logEvents": [{"id": "0", "timestamp": 1, "message": text(ENVELOPE)}],
}
SQS_RECORD = {"messageId": "m", "receiptHandle": "h", "eventSource": "aws:sqs", "body": text(ENVELOPE)}
KINESIS_RECORD = {"eventSource": "aws:kinesis", "kinesis": {"partitionKey": "p", "data": b64(ENVELOPE)}}
LAMBDA_SNS_RECORD = {"EventSource": "aws:sns", "EventVersion": "1.0", "Sns": SNS_MESSAGE}


@pytest.mark.parametrize(
    "payload",
    [
        SNS_MESSAGE,
        {"Records": [LAMBDA_SNS_RECORD]},
        LAMBDA_SNS_RECORD,
        {"Records": [SQS_RECORD]},
        SQS_RECORD,
        {"Messages": [{"MessageId": "m", "ReceiptHandle": "h", "Body": text(ENVELOPE)}]},
        {"MessageId": "m", "Body": text(ENVELOPE)},
        {"Records": [SQS_RECORD | {"body": text(SNS_MESSAGE)}]},
        {"awslogs": {"data": b64(gzip.compress(text(LOGS).encode()))}},
        {"awslogs": {"data": b64(LOGS)}},
        LOGS,
        LOGS | {"logEvents": [{"message": ENVELOPE}]},
        {"Records": [KINESIS_RECORD]},
        {
            "Records": [
                {"eventSource": "aws:kinesis", "kinesis": {"data": b64(gzip.compress(text(LOGS).encode()))}}
            ]
        },
        {
            "Records": [{"SequenceNumber": "1", "PartitionKey": "p", "Data": b64(ENVELOPE)}],
            "MillisBehindLatest": 0,
        },
        {"invocationId": "i", "records": [{"recordId": "1", "data": b64(ENVELOPE)}]},
        {"requestId": "i", "timestamp": 1, "records": [{"data": b64(ENVELOPE)}]},
        {
            "requestId": "i",
            "timestamp": 1,
            "records": [{"data": b64(gzip.compress(text(ENVELOPE).encode()))}],
        },
        {
            "requestId": "i",
            "timestamp": 1,
            "records": [{"data": b64(json.dumps(ENVELOPE, indent=1).encode())}],
        },
        text(ENVELOPE),
        text(text(text(ENVELOPE))),
        text(text(ENVELOPE)) + "\n",
        {"Records": [ENVELOPE]},
        {"records": [ENVELOPE]},
    ],
)
def test_transports(payload):
    assert events(payload) == [ENVELOPE]


@pytest.mark.parametrize("head", [b"\n ", b"\xef\xbb\xbf", b"  "])
def test_blanks_at_the_beginning_of_firehose_data(head):
    batch = {"requestId": "i", "timestamp": 1, "records": [{"data": b64(head + text(ENVELOPE).encode())}]}
    assert events(batch) == [ENVELOPE]


def test_any_record_of_a_firehose_request_is_read():
    batch = {
        "requestId": "i",
        "timestamp": 1,
        "records": [{"data": b64(ENVELOPE)}, {"data": "%"}, {"a": 1}, None],
    }
    found = unwrap(batch)
    assert [getattr(item, "reason", None) for item in found] == [None, "bad_base64", None, "no_event"]
    assert [item.position.inside for item in found[1:]] == ["records[1].data", "records[2]", "records[3]"]
    assert found[2].value == {"a": 1}


def test_several_values_in_one_message():
    body = text(ENVELOPE) + text(FINDING) + "\n\r\n" + json.dumps(PASCAL, indent=2) + "\n"
    assert events({"Records": [SQS_RECORD | {"body": body}]}) == [ENVELOPE, WRAPPED, WRAPPED]


def test_an_empty_batch_passes_as_an_event():
    assert events({"Records": []}) == [{"Records": []}]
    assert events({"Messages": []}) == [{"Messages": []}]


def test_records_of_cloudtrail():
    other = CLOUDTRAIL | {"eventSource": "s3.amazonaws.com"}
    assert events({"Records": [CLOUDTRAIL, other]}) == [CLOUDTRAIL, other]
    assert events(CLOUDTRAIL) == [CLOUDTRAIL]


def test_records_of_an_s3_notification():
    record = {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "eventName": "ObjectCreated:Put",
        "s3": {"bucket": {}},
    }
    assert events({"Records": [record, record]}) == [record, record]


def test_records_of_a_foreign_product():
    for foreign in (
        {"Records": [{"id": 1}, {"id": 2}]},
        {"Records": [1, "a", None]},
        {"Records": {"eventVersion": "1"}},
        {"records": [{"data": "plain text"}, {"data": "dGV4dA=="}]},
        {"Records": [{"eventVersion": "1.08", "eventSource": "myapp", "eventName": "x"}]},
        {"Messages": [{"role": "user", "Body": "hello"}]},
    ):
        assert events(foreign) == [foreign]


@pytest.mark.parametrize(
    "foreign",
    [
        {"Message": text(FINDING)},
        {"Message": {"a": 1}, "TopicArn": TOPIC},
        {"Sns": "text"},
        {"Sns": {"Message": None}},
        {"body": "hello", "headers": {}, "httpMethod": "POST"},
        {"body": text(FINDING), "headers": {}, "httpMethod": "POST"},
        {"body": {"a": 1}, "messageId": "m"},
        {"awslogs": "x"},
        {"awslogs": {"data": None}},
        {"logEvents": []},
        {"messageType": "DATA_MESSAGE"},
        {"messageType": "CONTROL_MESSAGE", "text": "x"},
        {"kinesis": "x"},
        {"kinesis": {"data": 5}},
        {"data": "hello"},
        {"data": "eyJhIjoxfQ==", "name": "x"},
        {"Type": "SubscriptionConfirmation"},
        {"type": "SubscriptionConfirmation", "TopicArn": TOPIC},
        {"reason": "r", "message": "m", "source": "s", "raw": "{}"},
        {"reason": "r", "message": "m", "source": "s", "position": 5, "raw": "{}"},
        {"raw": text(FINDING)},
        {"source": "aws.guardduty"},
        {"detail-type": "GuardDuty Finding"},
        {},
    ],
)
def test_near_misses_of_shapes_pass_as_they_are(foreign):
    assert events(foreign) == [foreign]


CONFIRMATION = {"Type": "SubscriptionConfirmation", "TopicArn": TOPIC, "Message": "m", "SubscribeURL": "u"}


@pytest.mark.parametrize(
    ("payload", "name"),
    [
        (LOGS | {"messageType": "CONTROL_MESSAGE"}, "cloudwatch_logs_control_message"),
        (CONFIRMATION, "sns_subscription_confirmation"),
        (CONFIRMATION | {"Type": "UnsubscribeConfirmation"}, "sns_unsubscribe_confirmation"),
    ],
)
def test_control_messages(payload, name):
    assert controls(payload) == [name]
    assert controls(text(payload)) == [name]
    assert controls({"Records": [SQS_RECORD | {"body": text(payload)}]}) == [name]
    assert controls({"records": [{"recordId": "1", "data": b64(gzip.compress(text(payload).encode()))}]}) == [
        name
    ]


def test_nothing_is_fetched(monkeypatch):
    def refuse(*_arguments, **_options):
        raise AssertionError("no connection may be made")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    confirmation = CONFIRMATION | {"SubscribeURL": "https://sns.example.com/?Action=ConfirmSubscription"}
    assert controls(confirmation) == ["sns_subscription_confirmation"]
    record = {"eventSource": "aws:s3", "s3": {"bucket": {"name": "b"}, "object": {"key": "f.jsonl.gz"}}}
    assert events({"Records": [record]}) == [record]


# --- shippers ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["log", "message", "event", "_source"])
@pytest.mark.parametrize("inner", [ENVELOPE, [ENVELOPE], SNS_MESSAGE, LOGS, {"message": text(ENVELOPE)}])
def test_wrappers_of_shippers(key, inner):
    meta = {"date": 1.5, "stream": "stdout", "kubernetes": {"pod_name": "p"}}
    assert events(meta | {key: inner}) == [ENVELOPE]
    assert events(meta | {key: text(inner)}) == [ENVELOPE]
    assert events(meta | {key: text(inner) + "\n"}) == [ENVELOPE]
    assert events(meta | {key: "\ufeff\r\n" + json.dumps(inner, indent=2)}) == [ENVELOPE]


def test_keys_that_the_user_names():
    assert events({"payload": text(ENVELOPE)}) == [{"payload": text(ENVELOPE)}]
    assert events({"payload": text(ENVELOPE)}, keys=["payload"]) == [ENVELOPE]
    assert events({"event": {"original": text(ENVELOPE)}}, keys=["original"]) == [ENVELOPE]
    assert events({"a": {"b": {"log": text(ENVELOPE)}}}, keys=["a", "b"]) == [ENVELOPE]


@pytest.mark.parametrize(
    "foreign",
    [
        {"log": "GET / 200 guardduty"},
        {"log": text({"level": "info", "msg": "guardduty enabled"})},
        {"log": text([1, 2, 3])},
        {"log": "{not json}"},
        {"log": "[info] started"},
        {"log": ""},
        {"log": None},
        {"log": 5},
        {"log": {"file": "x"}, "message": "text", "event": {"dataset": "d"}},
        {"message": text(text("hello"))},
        {"event": [1, 2]},
        {"_source": {"a": 1}, "_index": "i"},
        {"source": "myapp", "message": text({"detail": 5})},
    ],
)
def test_log_lines_of_others_pass_as_they_are(foreign):
    assert events(foreign) == [foreign]


def test_a_wrapper_that_is_an_event_itself_is_not_opened():
    event = ENVELOPE | {"message": text(FINDING), "log": FINDING}
    assert events(event) == [event]


@pytest.mark.parametrize("key", ["log", "message", "event", "_source"])
@pytest.mark.parametrize("size", [150, 300])
def test_a_finding_cut_short_in_a_log_is_rejected(key, size):
    cut = text(FINDING)[:size]
    [item] = unwrap({key: cut, "stream": "stdout"})
    assert isinstance(item, Rejected)
    assert (item.reason, item.raw) == ("incomplete", cut.encode())
    assert item.position.inside == key


def test_a_finding_and_the_beginning_of_another():
    found = unwrap({"log": text(FINDING) + text(FINDING)[:200]})
    assert [type(item) for item in found] == [Event, Rejected]


@pytest.mark.parametrize("key", ["finding", "alert", "guardduty"])
def test_input_transformers(key):
    assert events({key: FINDING}) == [WRAPPED]
    assert events({key: PASCAL, "account": "1"}) == [WRAPPED]
    assert events({key: ENVELOPE, "note": "x"}) == [ENVELOPE]


def test_two_findings_in_one_object_are_two_events():
    other = FINDING | {"id": "f2"}
    found = events({"before": FINDING, "after": other})
    assert [event["detail"]["id"] for event in found] == ["f1", "f2"]
    assert events({"before": FINDING, "after": FINDING, "note": {"a": 1}}) == [WRAPPED]


# --- dead letters -----------------------------------------------------------------------------------


@pytest.mark.parametrize("raw", [{"raw": text(ENVELOPE)}, {"raw_base64": b64(ENVELOPE)}])
def test_dead_letters_give_what_they_hold(raw):
    letter = {"reason": "not_json", "message": "m", "source": "-", "position": {"line": 1, "byte": 0}}
    assert events(letter | raw) == [ENVELOPE]
    assert events([letter | raw, letter | raw]) == [ENVELOPE, ENVELOPE]


# --- bounds and damage ------------------------------------------------------------------------------


def test_places_of_rejects():
    bad = "oops"
    payloads = {
        "Records[1].body": {"Records": [SQS_RECORD, SQS_RECORD | {"body": bad}]},
        "Records[0].body.Message": {"Records": [SQS_RECORD | {"body": text(SNS_MESSAGE | {"Message": bad})}]},
        "Records[0].Sns.Message": {"Records": [LAMBDA_SNS_RECORD | {"Sns": SNS_MESSAGE | {"Message": bad}}]},
        "Messages[0].Body": {"Messages": [{"MessageId": "m", "Body": bad}]},
        "logEvents[0].message": LOGS | {"logEvents": [{"message": bad}]},
        "awslogs.data.logEvents[0].message": {
            "awslogs": {"data": b64(LOGS | {"logEvents": [{"message": bad}]})}
        },
        "Records[0].kinesis.data": {"Records": [KINESIS_RECORD | {"kinesis": {"data": b64(b"oops")}}]},
        "records[0].data": {"records": [{"recordId": "1", "data": b64(b"oops")}]},
        "[1].Message": [ENVELOPE, SNS_MESSAGE | {"Message": bad}],
    }
    for place, payload in payloads.items():
        [item] = rejects(payload)
        assert (item.reason, item.raw, item.source) == ("not_json", b"oops", "src")
        assert item.position == Position(1, 0, place)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ("%%%", "bad_base64"),
        ("eyJhIjoxfQ", "bad_base64"),
        ("é", "bad_base64"),
        (b64(gzip.compress(b'{"a":1}')[:-3]), "bad_gzip"),
        (b64(gzip.compress(b'{"a":1}') + b"x"), "bad_gzip"),
    ],
)
def test_damaged_data_is_rejected_alone(data, reason):
    good = {"recordId": "1", "data": b64(ENVELOPE)}
    found = unwrap({"records": [good, good | {"data": data}, good]})
    assert [type(item) for item in found] == [Event, Rejected, Event]
    assert (found[1].reason, found[1].raw) == (reason, data.encode())
    assert found[1].position.inside == "records[1].data"
    assert reason in REJECT_REASONS


def test_a_bomb_in_a_record_is_rejected_alone():
    good = {"recordId": "1", "data": b64(ENVELOPE)}
    bomb = good | {"data": b64(gzip.compress(b" " * 3_000_000))}
    found = unwrap({"records": [good, bomb, good]}, limits=Limits(value_bytes=1_000_000))
    assert [getattr(item, "reason", None) for item in found] == [None, "too_large", None]


def test_empty_texts_hold_no_event():
    for payload in (
        SNS_MESSAGE | {"Message": ""},
        SQS_RECORD | {"body": " \n"},
        {"recordId": "1", "data": ""},
    ):
        [item] = unwrap(payload)
        assert item.reason == "no_event"


def wrapped_often(times):
    value = ENVELOPE
    for _ in range(times):
        value = [value]
    return value


def test_too_many_wrappings():
    limits = Limits(wrappings=5)
    [event] = unwrap(wrapped_often(5), limits=limits)
    assert event.value == ENVELOPE
    [item] = unwrap(wrapped_often(6), limits=limits)
    assert (item.reason, json.loads(item.raw)) == ("too_deep", ENVELOPE)
    [item] = unwrap(wrapped_often(350))
    assert item.reason == "too_deep"


def test_too_many_wrappings_of_text():
    value = "x"
    for _ in range(6):
        value = text(value)
    [item] = unwrap(value, limits=Limits(wrappings=3))
    assert item.reason == "too_deep"


@pytest.mark.parametrize("key", ["log", "message"])
def test_too_many_wrappers_of_shippers(key):
    value = ENVELOPE
    for _ in range(30):
        value = {key: value}
    [item] = unwrap(value)
    assert item.reason == "too_deep"


def test_many_wrappers_around_nothing_take_no_long_time():
    value: object = {"a": 1}
    for _ in range(300):
        value = {"log": value, "message": "{", "event": [], "_source": {}}
    assert len(unwrap(value)) == 1


def test_nesting_inside_a_text():
    deep = '{"a":' * 100_000 + "1" + "}" * 100_000
    [item] = unwrap(SNS_MESSAGE | {"Message": deep})
    assert (item.reason, item.raw) == ("too_deep", deep.encode())
    deep = '{"a":' * 30 + "1" + "}" * 30
    assert events(SNS_MESSAGE | {"Message": deep}) == [json.loads(deep)]
    [item] = unwrap(SNS_MESSAGE | {"Message": deep}, limits=Limits(nesting=29))
    assert (item.reason, item.raw) == ("too_deep", deep.encode())


def test_too_many_events():
    limits = Limits(events=3)
    assert len(unwrap([FINDING] * 3, limits=limits)) == 3
    payload = [FINDING] * 4
    [item] = unwrap(payload, limits=limits)
    assert (item.reason, item.raw) == ("too_many_events", json.dumps(payload).encode())
    assert item.position == Position()


def test_half_a_surrogate_pair_in_a_text():
    [item] = unwrap(SNS_MESSAGE | {"Message": '{"a":"\ud800"}'})
    assert item.reason == "not_utf8"
    assert item.raw == b'{"a":"\xed\xa0\x80"}'


ODD = [None, True, 5, 1.5, "", "x", [], [[]], {}, {"a": {}}]


@pytest.mark.parametrize("odd", ODD, ids=repr)
@pytest.mark.parametrize(
    "shape",
    [
        FINDING,
        PASCAL,
        ENVELOPE,
        ASFF | {"ProductFields": {}, "RecordState": "ACTIVE", "Region": "eu-west-1", "Sample": True},
        SNS_MESSAGE,
        CONFIRMATION,
        LOGS,
        SQS_RECORD,
        KINESIS_RECORD,
        LAMBDA_SNS_RECORD,
        CLOUDTRAIL,
        {"awslogs": {"data": ""}},
        {"recordId": "1", "data": ""},
        {"Findings": []},
        {"Records": []},
        {"reason": "r", "message": "m", "source": "s", "position": {}, "raw": "x"},
    ],
)
def test_any_part_of_a_shape_may_be_anything(shape, odd):
    for key in shape:
        assert isinstance(unwrap(shape | {key: odd}), list)


@pytest.mark.parametrize("odd", ODD, ids=repr)
@pytest.mark.parametrize(
    "key", ["archived", "count", "detectorId", "resourceRole", "action/actionType", "eventFirstSeen"]
)
def test_any_product_field_of_security_hub_may_be_anything(key, odd):
    for name in (key, f"aws/guardduty/service/{key}"):
        [event] = events(ASFF | {"ProductFields": {name: odd}})
        assert event["asff"]["ProductFields"] == {name: odd}


@pytest.mark.parametrize("odd", ODD, ids=repr)
@pytest.mark.parametrize("key", ["Product", "Normalized", "Label"])
def test_any_severity_of_security_hub_may_be_anything(key, odd):
    assert len(events(ASFF | {"Severity": {key: odd}})) == 1


@pytest.mark.parametrize("odd", ODD, ids=repr)
@pytest.mark.parametrize("key", ["Type", "Id", "Details"])
@pytest.mark.parametrize("kind", ["AwsEc2Instance", "AwsIamAccessKey", "AwsS3Bucket"])
def test_any_resource_of_security_hub_may_be_anything(kind, key, odd):
    resource = {"Type": kind, "Id": "i", "Details": {"AwsIamAccessKey": {}}} | {key: odd}
    assert len(events(ASFF | {"Resources": [resource]})) == 1
    assert len(events(ASFF | {"Resources": [odd]})) == 1
    assert len(events(ASFF | {"Resources": odd, "Types": [odd]})) == 1


def test_the_payload_is_not_changed():
    payload = {"Records": [SQS_RECORD, LAMBDA_SNS_RECORD], "x": [PASCAL]}
    before = text(payload)
    unwrap(payload)
    unwrap([PASCAL, FINDING, ASFF])
    assert text(payload) == before
