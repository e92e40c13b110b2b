"""Which objects a message tells of: S3's notifications, alone, in SNS's and SQS's envelopes, by EventBridge.

Facts: Amazon S3 user guide, "Event message structure" (keys are URL-encoded, a blank as `+`) and "EventBridge
event message structure" (keys are as they are).
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote_plus

_SUFFIXES = (".json", ".jsonl", ".json.gz", ".jsonl.gz", ".ndjson", ".ndjson.gz")
_DEEPEST = 4
"""Envelopes in each other: SQS around SNS around S3 are two."""


class S3Object(NamedTuple):
    """An object that was put, and its size in bytes where the message tells it."""

    bucket: str
    key: str
    size: int | None = None


def holds_findings(key: str) -> bool:
    """Tell whether an object may hold findings, by how its key ends: ours, and GuardDuty's `.jsonl.gz`."""
    return key.endswith(_SUFFIXES)


def objects_of(message: Any) -> Iterator[S3Object] | None:
    """Give the objects that a message tells of, none for S3's own test; None where it is no such message."""
    try:
        found = _found(message, 0)
    except (KeyError, TypeError):  # it says that it is one, and is not
        return None
    return None if found is None else iter(found)


def _found(message: Any, depth: int) -> list[S3Object] | None:
    if isinstance(message, str) and depth < _DEEPEST:
        try:
            return _found(json.loads(message), depth + 1)
        except (ValueError, RecursionError):
            return None
    if not isinstance(message, Mapping):
        return None
    if message.get("Event") == "s3:TestEvent":
        return []
    if message.get("source") == "aws.s3":
        return _of_eventbridge(message)
    for key in ("Message", "body"):  # SNS's notification, SQS's record
        if isinstance(message.get(key), str):
            return _found(message[key], depth + 1)
    records = message.get("Records")
    if not isinstance(records, list) or not records:
        return None
    return _of_records(records, depth)


def _of_records(records: list[Any], depth: int) -> list[S3Object] | None:
    found: list[S3Object] = []
    for record in records:
        if not isinstance(record, Mapping):
            return None
        if isinstance(record.get("s3"), Mapping):
            if str(record.get("eventName", "")).startswith("ObjectCreated"):
                found.append(_of_record(record["s3"]))
            continue
        inside = record.get("Sns") if isinstance(record.get("Sns"), Mapping) else record
        more = _found(inside, depth + 1) if depth < _DEEPEST and inside is not None else None
        if more is None:
            return None
        found += more
    return found


def _of_record(told: Mapping[str, Any]) -> S3Object:
    of = told["object"]
    return S3Object(str(told["bucket"]["name"]), unquote_plus(str(of["key"])), _size(of.get("size")))


def _of_eventbridge(event: Mapping[str, Any]) -> list[S3Object] | None:
    detail = event.get("detail")
    if not isinstance(detail, Mapping):
        return None
    if event.get("detail-type") != "Object Created":
        return []
    of = detail["object"]
    return [S3Object(str(detail["bucket"]["name"]), str(of["key"]), _size(of.get("size")))]


def _size(told: Any) -> int | None:
    return told if type(told) is int and told >= 0 else None
