"""The sqs input of `serve`, as a process, with moto's server as the account.

A queue may give a message to two who ask at once, and moto's does: what is counted here is at least.
"""

import gzip
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from counted_findings import UPDATES
from serving import Serving, until

TEXT = """
inputs:
  - {{type: sqs, queue_url: "{queue}", aws_region: eu-west-1, visibility_seconds: {visibility}}}
  - {{type: http, listen: "127.0.0.1:0"}}
outputs: [{{type: file, path: {path}}}]
dead_letters: dead.jsonl
"""


@pytest.fixture
def queue(account: dict[str, str]) -> str:
    url: str = boto3.client("sqs").create_queue(QueueName="findings")["QueueUrl"]
    return url


@pytest.fixture
def serve(tmp_path: Path, queue: str) -> Iterator[Callable[..., Serving]]:
    begun: list[Serving] = []

    def begin(path: str = "out.jsonl", visibility: int = 30) -> Serving:
        text = TEXT.format(queue=queue, visibility=visibility, path=path)
        begun.append(Serving(tmp_path, text))
        return begun[-1]

    yield begin
    for each in begun:
        each.end()


def send(queue: str, *bodies: Any) -> None:
    sqs = boto3.client("sqs")
    for body in bodies:
        sqs.send_message(QueueUrl=queue, MessageBody=body if isinstance(body, str) else json.dumps(body))


def told(*keys: str, bucket: str = "archive") -> dict[str, Any]:
    """Give S3's notification of objects that were put."""
    name = "ObjectCreated:Put"
    records = [
        {"eventName": name, "s3": {"bucket": {"name": bucket}, "object": {"key": key}}} for key in keys
    ]
    return {"Records": records}


def in_queue(queue: str) -> tuple[int, int]:
    """Give how many messages can be received, and how many are with somebody."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = boto3.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
    return int(found[names[0]]), int(found[names[1]])


def identity(finding: dict[str, Any]) -> tuple[str, str]:
    return finding["detail"]["id"], finding["detail"]["updatedAt"]


def found(serving: Serving, name: str = "out.jsonl") -> set[tuple[str, str]]:
    return {identity(record) for record in serving.records(name)}


def test_objects_and_findings_in_messages_are_deleted_once_delivered(s3, queue, serve) -> None:
    lines = "".join(json.dumps(each["detail"]) + "\n" for each in UPDATES[:5])
    s3.put_object(Bucket="archive", Key="a key with+blanks.jsonl.gz", Body=gzip.compress(lines.encode()))
    s3.put_object(Bucket="archive", Key="one.json", Body=json.dumps(UPDATES[5]).encode())
    s3.put_object(Bucket="archive", Key="picture.png", Body=b"\x89PNG")
    send(
        queue,
        told("a+key+with%2Bblanks.jsonl.gz", "one.json", "gone.json", "picture.png"),
        {
            "Type": "Notification",
            "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
            "TopicArn": "arn:aws:sns:eu-west-1:111122223333:findings",
            "Message": json.dumps(UPDATES[6]),
            "Timestamp": "2026-01-01T00:00:00.000Z",
        },
        {"Event": "s3:TestEvent", "Bucket": "archive"},
        "this is no JSON",
    )
    serving = serve()
    until(lambda: in_queue(queue) == (0, 0))
    assert serving.stop() == 0
    assert found(serving) == {identity(each) for each in UPDATES[:7]}
    assert {letter["raw"] for letter in serving.records("dead.jsonl")} == {"this is no JSON"}
    assert "s3://archive/gone.json is gone" in "".join(serving.said)
    counts = serving.counted("sqs")
    assert counts["deleted"] >= 4
    assert counts["objects"] >= 2
    assert counts["objects_gone"] >= 1
    assert counts["objects_passed_over"] >= 1
    assert counts["left"] == counts["given_back"] == counts["errors"] == 0


def test_while_an_output_is_down_messages_are_kept_from_others_and_then_delivered(queue, serve) -> None:
    send(queue, *UPDATES[:4])
    serving = serve("later/out.jsonl", visibility=2)
    until(lambda: in_queue(queue) == (0, 4))
    end = time.monotonic() + 6  # three times as long as they would stay out of sight
    while time.monotonic() < end:
        answer = boto3.client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
        assert "Messages" not in answer
        time.sleep(0.2)
    (serving.folder / "later").mkdir()
    until(lambda: in_queue(queue) == (0, 0), 60)
    assert serving.stop() == 0
    assert found(serving, "later/out.jsonl") == {identity(each) for each in UPDATES[:4]}


def test_what_was_not_delivered_is_given_back_at_the_end(queue, serve) -> None:
    send(queue, *UPDATES[:3])
    serving = serve("later/out.jsonl", visibility=3600)
    until(lambda: in_queue(queue) == (0, 3))
    serving.stop()
    assert in_queue(queue) == (3, 0)
    assert serving.counted("sqs")["given_back"] >= 3


def test_an_object_that_cannot_be_read_leaves_its_message_and_no_other(s3, queue, serve) -> None:
    send(queue, told("any.json", bucket="somebody-elses"), UPDATES[0])
    serving = serve(visibility=3600)
    until(lambda: in_queue(queue) == (0, 1) and bool(serving.records()))
    assert serving.stop() == 0
    assert "is left in the queue" in "".join(serving.said)


def test_a_queue_that_is_not_there_is_told_and_tried_again(queue, serve) -> None:
    boto3.client("sqs").delete_queue(QueueUrl=queue)
    serving = serve()
    until(lambda: any("the queue cannot be asked" in line for line in serving.said))
    boto3.client("sqs").create_queue(QueueName="findings")
    send(queue, UPDATES[0])
    until(lambda: in_queue(queue) == (0, 0))
    assert serving.stop() == 0
    assert found(serving) == {identity(UPDATES[0])}


def test_killed_it_loses_nothing(s3, queue, serve) -> None:
    """Every message is delivered, whenever the process dies; a file may hold some twice."""
    for number, each in enumerate(UPDATES):
        s3.put_object(Bucket="archive", Key=f"{number}.json", Body=json.dumps(each).encode())
        send(queue, told(f"{number}.json"))
    for after in (0.0, 0.05, 0.2):
        serving = serve(visibility=2)
        time.sleep(after)
        serving.end()
    serving = serve(visibility=2)
    until(lambda: in_queue(queue) == (0, 0), 60)
    assert serving.stop() == 0
    there = set()
    for line in (serving.folder / "out.jsonl").read_text().splitlines():
        try:
            there.add(identity(json.loads(line)))
        except ValueError:
            continue  # the line that was being written when it was killed
    assert there == {identity(each) for each in UPDATES}
