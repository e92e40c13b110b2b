"""The functions with moto as the account and the real OpenSearch: from EventBridge to counts."""

import base64
import gzip
import json
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from cluster_proxy import cluster_proxy
from counted_findings import UPDATES
from faulty_cluster import Answer, faulty_cluster
from function_events import counts, letters, queued, told
from installed_cluster import Cluster

from guardduty_lens.aws import archive, index, transform
from guardduty_lens.aws.index import NotIndexedError
from guardduty_lens.aws.settings import SettingsError
from guardduty_lens.samples import generate_findings


def test_from_eventbridge_by_s3_and_sqs_into_the_cluster(s3, cluster, prefix) -> None:
    sqs = boto3.client("sqs")
    queue = sqs.create_queue(QueueName="index")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    s3.put_bucket_notification_configuration(
        Bucket="archive",
        NotificationConfiguration={
            "QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]
        },
    )
    # Twice, and out of order: EventBridge promises neither once nor first.
    for update in [*reversed(UPDATES), *UPDATES]:
        assert archive.handler(update, None)["archived"].startswith("guardduty/")
    keys = [each["Key"] for each in s3.list_objects_v2(Bucket="archive")["Contents"]]
    assert len(keys) == len(UPDATES)
    assert "guardduty/111111111111/eu-west-1/2025/03/01/f1/2025-03-01T10:01:00.000Z.json" in keys
    invocations = 0
    while messages := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
        event = {
            "Records": [
                {"messageId": each["MessageId"], "eventSource": "aws:sqs", "body": each["Body"]}
                for each in messages
            ]
        }
        assert index.handler(event, None) == {"batchItemFailures": []}
        for each in messages:
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=each["ReceiptHandle"])
        invocations += 1
    assert invocations > 1
    assert counts(cluster, prefix) == (12, 10)
    state = cluster.expect("GET", f"{prefix}guardduty-findings/_doc/f4")["_source"]
    assert state["severity_label"] == "High"  # its second update, whichever came last
    assert letters(s3) == []


def test_what_is_not_guarddutys_is_left_alone(s3, cluster) -> None:
    for event in ({}, {"source": "aws.ec2", "detail": {}}, {"source": "aws.guardduty"}):
        assert archive.handler(event, None) == {"archived": None}
    assert "Contents" not in s3.list_objects_v2(Bucket="archive")


def test_the_layout_of_the_article_keeps_the_last(s3, cluster, monkeypatch) -> None:
    monkeypatch.setenv("LAYOUT", "latest")
    assert archive.handler(UPDATES[0], None)["archived"] == "guardduty/f1.json"
    monkeypatch.setenv("ARCHIVE_PREFIX", "")
    assert archive.handler(UPDATES[0], None)["archived"] == "f1.json"


def test_keys_that_a_finding_cannot_choose(s3, cluster) -> None:
    event = {
        "source": "aws.guardduty",
        "id": "e",
        "detail": {"id": "../../x?y", "accountId": "a/b", "type": "x"},
    }
    key = archive.handler(event, None)["archived"]
    assert key == "guardduty/a_b/unknown/undated/_.._x_y/e.json"


def test_severe_findings_are_told(s3, cluster, monkeypatch) -> None:
    sns, sqs = boto3.client("sns"), boto3.client("sqs")
    topic = sns.create_topic(Name="severe")["TopicArn"]
    queue = sqs.create_queue(QueueName="told")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    monkeypatch.setenv("TOPIC_ARN", topic)
    high = UPDATES[0] | {"detail": UPDATES[0]["detail"] | {"severity": 8, "title": "Somebody ü"}}
    low = UPDATES[0] | {"detail": UPDATES[0]["detail"] | {"severity": 2}}
    assert archive.handler(low, None)["told"] is False
    assert archive.handler(high, None)["told"] is True
    [message] = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    body = json.loads(message["Body"])
    assert body["Subject"].startswith("GuardDuty High: ")
    assert "Somebody ü" in body["Message"]
    assert "Severity: High (8" in body["Message"]


def put(s3: Any, key: str, body: bytes) -> str:
    s3.put_object(Bucket="archive", Key=key, Body=body)
    return key


@pytest.mark.parametrize("envelope", ["direct", "sns", "sqs", "sns in sqs", "eventbridge"])
def test_every_way_in_which_s3_tells(envelope: str, s3, cluster, prefix) -> None:
    put(s3, "a b/ü+1.json", json.dumps(UPDATES[0]).encode())
    notification = told("a+b/%C3%BC%2B1.json")
    sns = {"Type": "Notification", "Message": json.dumps(notification)}
    event = {
        "direct": notification,
        "sns": {"Records": [{"EventSource": "aws:sns", "Sns": sns}]},
        "sqs": queued(notification),
        "sns in sqs": queued(sns),
        "eventbridge": {
            "source": "aws.s3",
            "detail-type": "Object Created",
            "detail": {"bucket": {"name": "archive"}, "object": {"key": "a b/ü+1.json"}},
        },
    }[envelope]
    answer = index.handler(event, None)
    assert answer.get("batchItemFailures", []) == []
    assert counts(cluster, prefix) == (1, 1)


def test_exports_poison_and_what_is_gone(s3, cluster, prefix) -> None:
    export = gzip.compress("".join(json.dumps(each["detail"]) + "\n" for each in UPDATES).encode())
    put(s3, "AWSLogs/export.jsonl.gz", export)
    put(s3, "poison.json", b'{"detail": \xff}')
    put(s3, "half.jsonl.gz", export[: len(export) // 2])
    put(s3, "picture.png", b"\x89PNG")
    event = queued(
        told("AWSLogs/export.jsonl.gz"),
        told("poison.json", "gone.json"),
        told("half.jsonl.gz"),
        told("picture.png"),
        {"Event": "s3:TestEvent", "Bucket": "archive"},
        UPDATES[0],
    )
    assert index.handler(event, None) == {"batchItemFailures": []}
    assert counts(cluster, prefix) == (12, 10)
    found = {letter["source"]: letter["reason"] for letter in letters(s3)}
    assert found["s3://archive/gone.json"] == "gone"
    assert found["s3://archive/half.jsonl.gz"] == "bad_gzip"
    assert "s3://archive/poison.json" in found
    assert "s3://archive/picture.png" not in found


def test_fields_of_ones_own(s3, cluster, prefix, monkeypatch) -> None:
    monkeypatch.setenv("FIELDS", str(Path(__file__).parents[2] / "examples/fields"))
    event = UPDATES[0] | {"detail": UPDATES[0]["detail"] | {"accountId": "444455556666"}}
    assert index.handler(queued(event), None) == {"batchItemFailures": []}
    cluster.expect("POST", f"{prefix}*/_refresh")
    [hit] = cluster.expect("GET", f"{prefix}guarddutylogs-*/_search")["hits"]["hits"]
    assert hit["_source"]["environment"] == "staging"


def test_an_export_of_fifty_megabytes_in_bounded_memory(s3, cluster, prefix) -> None:
    import resource

    line = json.dumps(UPDATES[0]["detail"] | {"description": "x" * 20_000}).encode() + b"\n"
    put(s3, "large.jsonl.gz", gzip.compress(line * 2_600, 1))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    index.handler(told("large.jsonl.gz"), None)
    assert counts(cluster, prefix) == (1, 1)  # one finding, however often
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 150_000  # KiB


def test_while_the_cluster_is_down_nothing_is_lost(s3, cluster, prefix, opensearch_url, monkeypatch) -> None:
    put(s3, "one.json", json.dumps(UPDATES[0]).encode())
    with cluster_proxy(opensearch_url) as (url, _):
        down = url
    monkeypatch.setenv("OPENSEARCH_URL", down)
    index._cluster.cache_clear()
    event = queued(told("one.json"), UPDATES[1])
    assert index.handler(event, None) == {
        "batchItemFailures": [{"itemIdentifier": "m0"}, {"itemIdentifier": "m1"}]
    }
    with pytest.raises(NotIndexedError):
        index.handler(told("one.json"), None)
    monkeypatch.setenv("OPENSEARCH_URL", opensearch_url)
    index._cluster.cache_clear()
    assert index.handler(event, None) == {"batchItemFailures": []}
    assert counts(cluster, prefix) == (2, 2)


def test_one_message_does_not_take_the_others_with_it(s3, cluster, prefix, caplog) -> None:
    put(s3, "one.json", json.dumps(UPDATES[0]).encode())
    event = queued(told("one.json"), told("x.json", bucket="not-ours"), UPDATES[1])
    assert index.handler(event, None) == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
    assert counts(cluster, prefix) == (2, 2)
    [why] = [each.getMessage() for each in caplog.records if "to come again" in each.getMessage()]
    assert "message m1: Unread: s3://not-ours/x.json: " in why
    assert "NoSuchBucket" in why


def test_what_is_called_is_what_the_template_allows(s3, cluster, prefix, monkeypatch) -> None:
    """Of S3 and SNS, recorded; `ListBucket` allows no call, but makes `GetObject` tell what is gone."""
    called: set[str] = set()
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", boto3.Session())

    def note(model: Any, **_: Any) -> None:
        called.add(f"{model.service_model.endpoint_prefix}:{model.name}")

    boto3.DEFAULT_SESSION.events.register("before-call", note)
    monkeypatch.setenv("TOPIC_ARN", boto3.client("sns").create_topic(Name="told")["TopicArn"])
    monkeypatch.setenv("MIN_SEVERITY", "Low")
    called.clear()
    key = archive.handler(UPDATES[0], None)["archived"]
    assert called == {"s3:PutObject", "sns:Publish"}
    called.clear()
    assert index.handler(queued(told(key, "gone.json")), None) == {"batchItemFailures": []}
    assert called == {"s3:GetObject", "s3:PutObject"}


def test_a_severity_that_is_none_is_told(s3, cluster, monkeypatch) -> None:
    monkeypatch.setenv("TOPIC_ARN", "arn:aws:sns:eu-west-1:111122223333:told")
    monkeypatch.setenv("MIN_SEVERITY", "Hihg")
    with pytest.raises(SettingsError, match="MIN_SEVERITY"):
        archive.handler(UPDATES[0], None)
    assert s3.list_objects_v2(Bucket="archive")["KeyCount"] == 1


EXPIRED = b'{"message":"The security token included in the request is expired"}'


@pytest.mark.parametrize(
    ("answer", "code"), [(Answer(403, EXPIRED), "expired"), (Answer(429, b'{"message":"slow"}'), "429")]
)
def test_a_cluster_that_refuses_for_now(
    answer, code, s3, cluster, prefix, opensearch_url, monkeypatch
) -> None:
    """Credentials that expired, and throttling for longer than a message can wait: all come again."""
    refuses = [True]
    with faulty_cluster(lambda *_: answer if refuses[0] else None, opensearch_url) as faulty:
        monkeypatch.setenv("OPENSEARCH_URL", faulty.url)
        index._cluster.cache_clear()
        event = queued(UPDATES[0], UPDATES[1])
        failed = index.handler(event, None)["batchItemFailures"]
        assert failed == [{"itemIdentifier": "m0"}, {"itemIdentifier": "m1"}]
        with pytest.raises(NotIndexedError, match=code):
            index.handler(UPDATES[0], None)
        refuses[0] = False
        assert index.handler(event, None) == {"batchItemFailures": []}
    assert counts(cluster, prefix) == (2, 2)
    assert letters(s3) == []


def test_a_cluster_that_throttles_once(s3, cluster, prefix, opensearch_url, monkeypatch) -> None:
    slow = Answer(429, b'{"message":"slow"}')
    with faulty_cluster(lambda number, _: slow if number == 1 else None, opensearch_url) as faulty:
        monkeypatch.setenv("OPENSEARCH_URL", faulty.url)
        monkeypatch.setenv("GIVE_UP_AFTER_SECONDS", "30")
        index._cluster.cache_clear()
        assert index.handler(queued(UPDATES[0]), None) == {"batchItemFailures": []}
    assert counts(cluster, prefix) == (1, 1)


def test_templates_that_are_missing_fail_every_message(
    s3, cluster, prefix, opensearch_url, monkeypatch, caplog
) -> None:
    monkeypatch.setenv("INDEX_PREFIX", f"{prefix}bare-")
    put(s3, "one.json", json.dumps(UPDATES[0]).encode())
    event = queued(told("one.json"), UPDATES[1], "no finding {")
    for _ in range(2):
        failed = index.handler(event, None)["batchItemFailures"]
        assert failed == [{"itemIdentifier": f"m{number}"} for number in range(3)]
    first, _ = (each.getMessage() for each in caplog.records if "to come again" in each.getMessage())
    assert first.startswith(
        "not indexed, and to come again: message m0, m1, m2: no index template of ours is there for "
        f"{prefix}bare-guardduty-findings, "
    )
    assert f"`guardduty-lens install --url {opensearch_url} --index-prefix {prefix}bare-` first" in first
    assert "or send all the same with WITHOUT_TEMPLATES=true" in first
    with pytest.raises(NotIndexedError, match="no index template of ours"):
        index.handler(UPDATES[1], None)
    assert letters(s3) == []
    assert cluster.expect("GET", f"_cat/indices/{prefix}bare-*?format=json") == []
    installed = Cluster(opensearch_url, f"{prefix}bare-")
    installed.install()
    try:
        assert index.handler(event, None) == {"batchItemFailures": []}
        assert counts(cluster, f"{prefix}bare-") == (2, 2)
        assert len(letters(s3)) == 1
    finally:
        installed.uninstall()


def test_without_templates_is_said_by_the_environment(s3, cluster, prefix, monkeypatch) -> None:
    monkeypatch.setenv("INDEX_PREFIX", f"{prefix}own-")
    monkeypatch.setenv("WITHOUT_TEMPLATES", "true")
    assert index.handler(queued(UPDATES[0]), None) == {"batchItemFailures": []}
    assert counts(cluster, f"{prefix}own-") == (1, 1)
    cluster.expect("DELETE", f"{prefix}own-*")


def test_s3_that_takes_our_credentials_for_expired(s3, cluster, prefix) -> None:
    put(s3, "one.json", json.dumps(UPDATES[0]).encode())
    event = queued(told("one.json"), UPDATES[1])
    with Stubber(index._client("s3")) as stubbed:
        stubbed.add_client_error("get_object", "ExpiredToken", http_status_code=400)
        assert index.handler(event, None) == {"batchItemFailures": [{"itemIdentifier": "m0"}]}
    assert index.handler(event, None) == {"batchItemFailures": []}
    assert counts(cluster, prefix) == (2, 2)


def firehose(*payloads: bytes) -> dict[str, Any]:
    return {
        "records": [
            {"recordId": str(number), "data": base64.b64encode(payload).decode()}
            for number, payload in enumerate(payloads)
        ]
    }


def test_the_filter_answers_every_record_of_firehose() -> None:
    findings = [json.dumps(each).encode() for each in UPDATES]
    page = json.dumps({"Findings": [each["detail"] for each in UPDATES[:2]]}).encode()
    control = {"messageType": "CONTROL_MESSAGE", "logEvents": [], "owner": "CloudwatchLogs",
               "logGroup": "", "logStream": "", "subscriptionFilters": []}  # fmt: skip
    event = firehose(
        findings[0], b"{", gzip.compress(findings[1]), gzip.compress(json.dumps(control).encode()), page
    )
    event["records"].append({"recordId": "5", "data": "no base64!"})
    answer = transform.handler(event, None)["records"]
    results = ["Ok", "ProcessingFailed", "Ok", "Dropped", "Ok", "ProcessingFailed"]
    assert [each["recordId"] for each in answer] == ["0", "1", "2", "3", "4", "5"]
    assert [each["result"] for each in answer] == results
    assert answer[1]["data"] == event["records"][1]["data"]
    [record] = map(json.loads, base64.b64decode(answer[0]["data"]).splitlines())
    assert record["finding_id"] == "f1"
    assert len(base64.b64decode(answer[4]["data"]).splitlines()) == 2


def test_an_answer_to_firehose_is_no_larger_than_lambda_takes() -> None:
    payloads = [json.dumps(each).encode() for each in generate_findings(1_500, seed=1)]
    answer = transform.handler(firehose(*payloads), None)
    results = [each["result"] for each in answer["records"]]
    assert len(json.dumps(answer)) < 6 * 1024 * 1024 + sum(
        len(each["data"]) for each in answer["records"] if each["result"] != "Ok"
    )
    assert results[0] == "Ok"
    assert results[-1] == "ProcessingFailed"
