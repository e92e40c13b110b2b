"""The function `index`: archived events and GuardDuty's own exports from S3 into OpenSearch.

It takes S3's notifications, directly, or by SNS, SQS or EventBridge, findings themselves in any of these, and
CloudWatch Logs subscriptions. Messages of SQS fail one by one: those whose objects were not confirmed come
again. What cannot be read, and what the cluster refuses, is put raw into the dead letters' bucket; the rest
is indexed.
"""

import json
import logging
import os
from collections import deque
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import closing
from functools import cache
from itertools import islice
from typing import Any

import msgspec

from guardduty_lens.aws.metrics import metrics_of, publish
from guardduty_lens.aws.settings import IndexSettings, index_settings
from guardduty_lens.inputs.s3_archive import S3Source, fetched_ahead
from guardduty_lens.inputs.s3_notifications import S3Object, holds_findings, objects_of
from guardduty_lens.lens import Lens
from guardduty_lens.opensearch.bulk import Bulk, CannotDeliver
from guardduty_lens.opensearch.client import Connection, connect
from guardduty_lens.opensearch.documents import Documents, without_foreign
from guardduty_lens.opensearch.names import Names
from guardduty_lens.opensearch.template_check import TemplateCheck
from guardduty_lens.outputs.dead_letters import dead_letter
from guardduty_lens.outputs.opensearch import OpenSearchOutput, Undelivered
from guardduty_lens.payloads.pieces import Position, Rejected
from guardduty_lens.record import Record

CONNECTIONS = 32
"""Kept open: more than objects are fetched at once."""

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
    _tell(failed)
    if is_queue:
        return {"batchItemFailures": [{"itemIdentifier": identifier} for identifier in failed]}
    if failed:
        raise NotIndexedError(next(iter(failed.values())))
    return job.summary()


def _tell(failed: Mapping[str, str]) -> None:
    """Log one line a reason: what is wrong with the cluster is wrong for all messages."""
    for reason in dict.fromkeys(failed.values()):
        identifiers = [identifier for identifier, why in failed.items() if why == reason]
        _log.error("not indexed, and to come again: message %s: %s", ", ".join(identifiers), reason)


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
        told = {identifier: _objects_in(message) for identifier, message in messages.items()}
        try:
            with closing(_sources(told.values())) as sources:
                for identifier, message in messages.items():
                    objects = told[identifier]
                    mine = None if objects is None else islice(sources, len(objects))
                    try:
                        self._take(message, mine, output)
                    except Undelivered:
                        raise
                    except Exception as error:  # noqa: BLE001 - a message must not take the others with it
                        failed[identifier] = f"{type(error).__name__}: {error}"
                        deque(mine or (), 0)  # its other objects come again with it
            output.flush()
            self._put_letters()
        except Undelivered as error:
            return failed | dict.fromkeys(messages, str(error))
        finally:
            output.close()
        return failed

    def _take(self, message: Any, sources: Iterable[S3Source] | None, output: OpenSearchOutput) -> None:
        if sources is None:
            text = message if isinstance(message, str) else json.dumps(message)
            self._pass([text.encode()], "message", output)
            return
        for source in sources:
            self._pass(source.blocks(), source.name, output)
            if source.is_gone:
                self._gone += 1
                gone = Rejected("gone", "the object is not there any more", b"", Position(), source.name)
                self._letters.append(msgspec.json.encode(dead_letter(gone)))

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
            templates=_templates(settings),
        )


def _objects_in(message: Any) -> list[S3Object] | None:
    """Give the objects of a message that may hold findings; None where it tells of none at all."""
    found = objects_of(message)
    return None if found is None else [each for each in found if holds_findings(each.key)]


def _sources(told: Iterable[Sequence[S3Object] | None]) -> Generator[S3Source, None, None]:
    """Give the objects of all messages in their order, small ones fetched ahead."""
    objects = [each for found in told for each in found or ()]
    # Without any, nobody needs S3.
    s3 = _client("s3") if objects else None
    return fetched_ahead(S3Source(s3, each.bucket, each.key, each.size) for each in objects)


@cache
def _cluster(settings: IndexSettings) -> Any:
    """Connect once for all invocations of a function."""
    service: Any = settings.service
    return connect(Connection(urls=(settings.url,), aws_region=settings.region, aws_service=service))


@cache
def _templates(settings: IndexSettings) -> TemplateCheck | None:
    """Look at the templates once for all invocations of a function, and again each month."""
    if settings.without_templates:
        return None
    names, state = Names(settings.index_prefix), settings.state
    return TemplateCheck(names, (settings.url,), state=state, send_anyway="WITHOUT_TEMPLATES=true")


@cache
def _client(service: str) -> Any:
    import boto3  # in every Lambda runtime
    from botocore.config import Config

    return boto3.client(service, config=Config(max_pool_connections=CONNECTIONS))
