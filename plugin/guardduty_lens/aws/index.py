"""The function `index`: archived events and GuardDuty's own exports from S3 into OpenSearch.

It takes S3's notifications, directly, or by SNS, SQS or EventBridge, findings themselves in any of these, and
CloudWatch Logs subscriptions. Messages of SQS fail one by one: those whose objects were not confirmed come
again. What cannot be read, and what the cluster refuses, is put raw into the dead letters' bucket; the rest
is indexed.
"""

import json
import logging
import os
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import msgspec

from guardduty_lens.aws.metrics import metrics_of, publish
from guardduty_lens.aws.notifications import S3Object, holds_findings, objects_of
from guardduty_lens.aws.settings import IndexSettings, index_settings
from guardduty_lens.inputs.files import BLOCK_BYTES
from guardduty_lens.inputs.s3_objects import is_gone
from guardduty_lens.lens import Lens
from guardduty_lens.opensearch.bulk import Bulk, CannotDeliver
from guardduty_lens.opensearch.client import Connection, connect
from guardduty_lens.opensearch.documents import Documents, without_foreign
from guardduty_lens.opensearch.names import Names
from guardduty_lens.outputs.dead_letters import dead_letter
from guardduty_lens.outputs.opensearch import OpenSearchOutput, Undelivered
from guardduty_lens.payloads.pieces import Position, Rejected
from guardduty_lens.record import Record

_log = logging.getLogger(__name__)


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Index what a message tells of; of SQS's messages, say which are to come again.

    Raises NotIndexedError where nothing can be said one by one: Lambda then tries the whole event again.
    """
    job = Job(index_settings(os.environ))
    records = event.get("Records")
    is_queue = isinstance(records, list) and records and records[0].get("eventSource") == "aws:sqs"
    messages = {each["messageId"]: each["body"] for each in records or ()} if is_queue else {"": event}
    failed = job.run(messages)
    publish("index", job.metrics() | {"MessagesToComeAgain": len(failed)})
    for identifier, reason in failed.items():
        _log.error("not indexed, and to come again: message %s: %s", identifier, reason)
    if is_queue:
        return {"batchItemFailures": [{"itemIdentifier": identifier} for identifier in failed]}
    if failed:
        raise NotIndexedError(next(iter(failed.values())))
    return job.summary()


class NotIndexedError(Exception):
    """What was told of is not confirmed by the cluster, and why."""


class Job:
    """One invocation: its lens, its output, and the dead letters of its objects."""

    def __init__(self, settings: IndexSettings) -> None:
        self._settings = settings
        self._lens = Lens(fields=settings.fields, rules=[without_foreign()])
        self._letters: list[bytes] = []
        self._gone = 0

    def summary(self) -> dict[str, Any]:
        """Give the counts of the invocation."""
        return self._lens.counters.summary()

    def metrics(self) -> dict[str, int]:
        """Give the counts of the invocation, as metrics."""
        return metrics_of(self._lens.counters) | {"ObjectsGone": self._gone}

    def run(self, messages: Mapping[str, Any]) -> dict[str, str]:
        """Index messages, by their ids; give those that are not confirmed, each with the reason."""
        failed: dict[str, str] = {}
        try:
            output = self._output()
        except CannotDeliver as error:
            return dict.fromkeys(messages, str(error))
        waiting: list[str] = []
        try:
            for identifier, message in messages.items():
                try:
                    self._take(message, output)
                    waiting.append(identifier)
                except Undelivered:
                    raise
                except Exception as error:  # noqa: BLE001 - a message must not take the others with it
                    failed[identifier] = f"{type(error).__name__}: {error}"
            output.flush()
            self._put_letters()
        except Undelivered as error:
            return failed | dict.fromkeys(messages, str(error))
        finally:
            output.close()
        return failed

    def _take(self, message: Any, output: OpenSearchOutput) -> None:
        objects = objects_of(message)
        if objects is None:
            text = message if isinstance(message, str) else json.dumps(message)
            self._pass([text.encode()], "message", output)
            return
        for each in objects:
            if holds_findings(each.key):
                self._index(each, output)

    def _index(self, found: S3Object, output: OpenSearchOutput) -> None:
        """Index one object; one that is gone by now was deleted by its owner, and is passed over."""
        from botocore.exceptions import ClientError

        source = f"s3://{found.bucket}/{found.key}"
        try:
            body = _client("s3").get_object(Bucket=found.bucket, Key=found.key)["Body"]
        except ClientError as error:
            if is_gone(error):
                self._gone += 1
                gone = Rejected("gone", f"the object is not there: {error}", b"", Position(), source)
                self._letters.append(msgspec.json.encode(dead_letter(gone)))
                return
            raise
        with body:
            self._pass(body.iter_chunks(BLOCK_BYTES), source, output)

    def _pass(self, blocks: Iterable[bytes], source: str, output: OpenSearchOutput) -> None:
        for item in self._lens.stream(blocks, source):
            if isinstance(item, Rejected):
                self._letters.append(msgspec.json.encode(dead_letter(item)))
            else:
                output.write(item, source)

    def _refuse(self, record: Record, rejected: Rejected) -> None:
        self._lens.refuse(record, rejected.reason)
        self._letters.append(msgspec.json.encode(dead_letter(rejected)))

    def _put_letters(self) -> None:
        """Put the dead letters, under a name made of them: the same again falls on itself."""
        if not self._letters:
            return
        import hashlib

        body = b"\n".join(self._letters) + b"\n"
        key = f"{self._settings.dead_letter_prefix}{hashlib.sha256(body).hexdigest()[:32]}.jsonl"
        _client("s3").put_object(Bucket=self._settings.dead_letter_bucket, Key=key, Body=body)
        _log.warning(
            "%d dead letters in s3://%s/%s", len(self._letters), self._settings.dead_letter_bucket, key
        )
        self._letters.clear()

    def _output(self) -> OpenSearchOutput:
        settings = self._settings
        return OpenSearchOutput(
            Bulk(_cluster(settings), give_up_after=settings.give_up_after),
            Documents(Names(settings.index_prefix), state=settings.state),
            self._lens.counters.delivered,
            refuse=self._refuse,
            lose=self._lens.lose,
        )


@cache
def _cluster(settings: IndexSettings) -> Any:
    """Connect once for all invocations of a function."""
    service: Any = settings.service
    return connect(Connection(urls=(settings.url,), aws_region=settings.region, aws_service=service))


@cache
def _client(service: str) -> Any:
    import boto3  # in every Lambda runtime

    return boto3.client(service)
