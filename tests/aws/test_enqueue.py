"""An archive through the index queue again: every object once, resumable, and on into the real OpenSearch."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from click.testing import CliRunner, Result
from counted_findings import UPDATES
from http_json import Server
from installed_cluster import Cluster

from guardduty_lens.aws import archive as archive_function
from guardduty_lens.aws import enqueue as enqueue_module
from guardduty_lens.aws import index
from guardduty_lens.aws.enqueue import EnqueueError, enqueue
from guardduty_lens.cli.main import main
from guardduty_lens.inputs.s3_archive import Location
from guardduty_lens.inputs.s3_notifications import holds_findings, objects_of
from guardduty_lens.inputs.selection import Selection

NOW = datetime(2026, 11, 25, tzinfo=UTC)


@pytest.fixture
def queue(account: dict[str, str]) -> str:
    url: str = boto3.client("sqs").create_queue(QueueName="index")["QueueUrl"]
    return url


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["enqueue", *arguments])


def put(s3: Any, *keys: str) -> None:
    for key in keys:
        s3.put_object(Bucket="archive", Key=key, Body=b"{}")


def received(queue: str) -> list[dict[str, Any]]:
    """Take all messages off the queue."""
    sqs, found = boto3.client("sqs"), []
    while messages := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
        found += messages
        for each in messages:
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=each["ReceiptHandle"])
    return found


def keys_in(queue: str) -> list[str]:
    return sorted(each.key for message in received(queue) for each in objects_of(message["Body"]) or ())


def test_an_archive_comes_into_the_cluster_by_the_queue(s3, queue, opensearch_url, monkeypatch) -> None:
    prefix = "enqueued-"
    for name, value in {
        "ARCHIVE_BUCKET": "archive", "DEAD_LETTER_BUCKET": "dead", "OPENSEARCH_URL": opensearch_url,
        "OPENSEARCH_AUTH": "none", "INDEX_PREFIX": prefix,
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    cluster, installed = Server(opensearch_url), Cluster(opensearch_url, prefix)
    installed.install()
    try:
        for each in UPDATES:
            archive_function.handler(each, None)
        result = run("s3://archive/guardduty/", "--queue", queue)
        assert result.exit_code == 0, result.output
        records = [
            {"messageId": each["MessageId"], "eventSource": "aws:sqs", "body": each["Body"]}
            for each in received(queue)
        ]
        assert index.handler({"Records": records}, None) == {"batchItemFailures": []}
        cluster.expect("POST", f"{prefix}*/_refresh")
        assert cluster.expect("GET", f"{prefix}guarddutylogs-*/_count")["count"] == 12
        assert cluster.expect("GET", f"{prefix}guardduty-findings/_count")["count"] == 10
    finally:
        installed.uninstall()


def test_every_key_once_in_messages_of_few(s3, queue) -> None:
    keys = [f"a/{number:04} with+signs & ünicode.json" for number in range(123)]
    put(s3, *keys, "a/picture.png", "b/other.json")
    result = run("s3://archive/a/", "--queue", queue)
    assert result.exit_code == 0
    assert result.output == "123 objects, 0.0 MB, told in 25 messages\n"
    assert keys_in(queue) == sorted(keys)


def test_it_goes_on_after_what_was_told(s3, queue, tmp_path: Path, monkeypatch) -> None:
    keys = [f"{number:04}.json" for number in range(120)]
    put(s3, *keys)
    cursor = tmp_path / "cursor"
    send, calls = enqueue_module._send, []

    def fail_at_the_second(*arguments: Any) -> None:
        calls.append(arguments)
        if len(calls) == 2:
            raise EnqueueError("the queue is away")
        send(*arguments)

    monkeypatch.setattr(enqueue_module, "_send", fail_at_the_second)
    line = ("s3://archive", "--queue", queue, "--cursor", str(cursor))
    result = run(*line)
    assert result.exit_code == 3
    assert "the queue is away" in result.output
    assert "the last key that was told: 0049.json" in result.output
    assert json.loads(cursor.read_text()) == {"s3://archive": "0049.json"}
    assert run(*line).exit_code == 0
    assert keys_in(queue) == keys
    assert run(*line).output == "0 objects, 0.0 MB, told in 0 messages\n"


def test_a_dry_run_tells_nothing(s3, queue, tmp_path: Path) -> None:
    put(s3, "a.json", "b.jsonl.gz")
    cursor = tmp_path / "cursor"
    result = run("s3://archive", "--queue", queue, "--dry-run", "--cursor", str(cursor))
    assert result.output == "2 objects, 0.0 MB, would be told in 1 messages\n"
    assert received(queue) == []
    assert not cursor.exists()


@pytest.mark.parametrize(
    ("key", "wanted"),
    [
        ("guardduty/111122223333/eu-west-1/2026/01/31/f/u.json", True),
        ("AWSLogs/111122223333/GuardDuty/eu-west-1/2026/01/15/x.jsonl.gz", True),
        ("guardduty/111122223333/eu-west-1/2026/02/01/f/u.json", False),
        ("guardduty/111122223333/eu-west-1/2026/01/14/f/u.json", False),
        ("guardduty/444455556666/eu-west-1/2026/01/20/f/u.json", False),
        ("guardduty/111122223333/eu-west-1/2026/01/20/f/u.txt", False),
        ("guardduty/111122223333/eu-west-1/2026/13/99/f/u.json", False),  # no day: that of the last change
    ],
)
def test_accounts_and_days(key: str, wanted: bool) -> None:
    selection = Selection(
        accounts=frozenset({"111122223333"}),
        since=date(2026, 1, 15),
        until=date(2026, 1, 31),
    )
    assert (holds_findings(key) and selection.wants(f"/{key}", NOW)) is wanted


def test_objects_whose_keys_tell_no_day_go_by_their_last_change() -> None:
    selection = Selection(since=date(2026, 11, 25))
    assert selection.wants("/f.json", NOW)
    assert not selection.wants("/f.json", NOW.replace(day=24))


class Queue:
    """A queue that takes some messages only later, as SQS may."""

    def __init__(self, refusals: int) -> None:
        self.refusals = refusals
        self.taken: list[str] = []

    def send_message_batch(self, QueueUrl: str, Entries: list[dict[str, str]]) -> dict[str, Any]:  # noqa: N803
        failed = Entries[1:] if self.refusals else []
        self.refusals -= bool(self.refusals)
        self.taken += [each["MessageBody"] for each in Entries if each not in failed]
        return {"Failed": [{"Id": each["Id"], "Code": "Throttled", "SenderFault": False} for each in failed]}


@pytest.mark.parametrize("refusals", [1, 3])
def test_messages_that_are_not_taken_are_sent_again(refusals: int, s3, monkeypatch) -> None:
    monkeypatch.setattr(enqueue_module.time, "sleep", lambda _: None)
    keys = [f"{number:02}.json" for number in range(50)]
    put(s3, *keys)
    queue = Queue(refusals)
    list(enqueue(s3, queue, "url", Location("archive", "")))
    found = [each["s3"]["object"]["key"] for body in queue.taken for each in json.loads(body)["Records"]]
    assert sorted(found) == keys


def test_messages_that_are_never_taken_are_told(s3, monkeypatch) -> None:
    monkeypatch.setattr(enqueue_module.time, "sleep", lambda _: None)
    put(s3, *(f"{number:02}.json" for number in range(50)))
    with pytest.raises(EnqueueError, match="4 messages were not taken: Throttled"):
        list(enqueue(s3, Queue(6), "url", Location("archive", "")))


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (["archive"], "s3://BUCKET/PREFIX is wanted"),
        (["s3://archive", "--since", "yesterday"], "--since"),
        (["s3://not-there"], "cannot be listed"),
        (["s3://archive", "--cursor", "no/such/folder"], "there is no folder"),
    ],
)
def test_what_cannot_be_done_is_told(line: list[str], says: str, s3, queue) -> None:
    result = run(*line, "--queue", queue)
    assert result.exit_code in (2, 3)
    assert says in result.output


def test_a_queue_that_is_not_there_is_told(s3, queue) -> None:
    put(s3, "a.json")
    result = run("s3://archive", "--queue", f"{queue}-not-there")
    assert result.exit_code == 3
    assert "not-there" in result.output


def test_a_prefix_that_matches_nothing(s3, queue, tmp_path) -> None:
    put(s3, "AWSLogs/a.jsonl")
    line = ("s3://archive/AWSLgs/", "--queue", queue)
    result = run(*line)
    assert result.exit_code == 1
    assert result.output == (
        "guardduty-lens: nothing to read at s3://archive/AWSLgs/: no key begins with 'AWSLgs/'; "
        "see how it is spelled. --allow-empty takes that for success\n"
    )
    assert run(*line, "--allow-empty").exit_code == 0
    again = ("s3://archive/AWSLogs/", "--queue", queue, "--cursor", str(tmp_path / "cursor.json"))
    assert [run(*again).exit_code for _ in range(2)] == [0, 0]  # the second time all is done
