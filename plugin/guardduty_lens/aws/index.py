"""The function `index`: archived events and GuardDuty's own exports from S3 into OpenSearch.

It takes S3's notifications, directly, or by SNS, SQS or EventBridge, findings themselves in any of these, and
CloudWatch Logs subscriptions. Messages of SQS fail one by one: those whose objects were not confirmed come
again. What cannot be read, and what the cluster refuses, is put raw into the dead letters' bucket; the rest
is indexed.
"""

import json
import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from io import BytesIO
from typing import Any

import msgspec

from guardduty_lens.aws.metrics import metrics_of, publish
from guardduty_lens.aws.settings import IndexSettings, index_settings
from guardduty_lens.inputs.files import BLOCK_BYTES
from guardduty_lens.inputs.s3_notifications import S3Object, holds_findings, objects_of
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

AT_ONCE = 10
"""Requests to S3 side by side: as many as boto3 keeps connections."""
SMALL_BYTES = 1024 * 1024
AHEAD_BYTES = 64 * 1024 * 1024
"""Objects up to the first size are fetched ahead, up to the second together; others as they come."""

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
        self._ahead: dict[S3Object, Future[Any]] = {}
        """Objects that are being fetched before it is their turn."""

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
        told = {identifier: _objects_in(message) for identifier, message in messages.items()}
        try:
            with ThreadPoolExecutor(AT_ONCE) as threads:
                self._fetch_ahead(threads, [each for found in told.values() for each in found or ()])
                for identifier, message in messages.items():
                    try:
                        self._take(message, told[identifier], output)
                    except Undelivered:
                        threads.shutdown(wait=False, cancel_futures=True)
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

    def _take(self, message: Any, objects: Sequence[S3Object] | None, output: OpenSearchOutput) -> None:
        if objects is None:
            text = message if isinstance(message, str) else json.dumps(message)
            self._pass([text.encode()], "message", output)
            return
        for each in objects:
            self._index(each, output)

    def _fetch_ahead(self, threads: ThreadPoolExecutor, objects: Iterable[S3Object]) -> None:
        """Fetch small objects side by side: S3 answers each after tens of milliseconds."""
        room = AHEAD_BYTES
        for each in objects:
            if each.size is not None and each.size <= SMALL_BYTES and each not in self._ahead:
                room -= each.size
                if room < 0:
                    return
                self._ahead[each] = threads.submit(_read, each)

    def _index(self, found: S3Object, output: OpenSearchOutput) -> None:
        """Index one object; one that is gone by now was deleted by its owner, and is passed over."""
        from botocore.exceptions import ClientError

        source = f"s3://{found.bucket}/{found.key}"
        ahead = self._ahead.pop(found, None)
        try:
            body = _opened(found) if ahead is None else ahead.result()
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


def _objects_in(message: Any) -> list[S3Object] | None:
    """Give the objects of a message that may hold findings; None where it tells of none at all."""
    found = objects_of(message)
    return None if found is None else [each for each in found if holds_findings(each.key)]


def _opened(found: S3Object) -> Any:
    return _client("s3").get_object(Bucket=found.bucket, Key=found.key)["Body"]


def _read(found: S3Object) -> Any:
    """Read an object whole, and give what reads as it would."""
    from botocore.response import StreamingBody

    with _opened(found) as body:
        raw = body.read()
    return StreamingBody(BytesIO(raw), len(raw))


@cache
def _cluster(settings: IndexSettings) -> Any:
    """Connect once for all invocations of a function."""
    service: Any = settings.service
    return connect(Connection(urls=(settings.url,), aws_region=settings.region, aws_service=service))


@cache
def _client(service: str) -> Any:
    import boto3  # in every Lambda runtime

    return boto3.client(service)
