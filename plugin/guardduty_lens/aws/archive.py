"""The function `archive`: GuardDuty's events from EventBridge, each an object in S3; severe ones told by SNS.

An event is put under `{prefix}{account}/{region}/{yyyy/mm/dd}/{finding id}/{updated at}.json`, so that every
update is kept, and one that is delivered twice falls on itself. The layout `latest` is the first seed's own,
flat `{finding id}.json`: of each finding the update that came last, and no other.
"""

import json
import os
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from guardduty_lens.aws.metrics import publish
from guardduty_lens.aws.settings import ArchiveSettings, SettingsError, archive_settings
from guardduty_lens.lens import Lens
from guardduty_lens.opensearch.dates import milliseconds
from guardduty_lens.record import Record

_UNSAFE = re.compile(r"[^A-Za-z0-9._:=-]")
_LONGEST_SUBJECT = 100  # SNS: ASCII, below 100 characters


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Archive one event. What is not GuardDuty's is left alone; an error makes Lambda try again."""
    settings = archive_settings(os.environ)
    if event.get("source") != "aws.guardduty" or not isinstance(event.get("detail"), Mapping):
        publish("archive", {"LeftAlone": 1})
        return {"archived": None}
    key = key_of(event, settings)
    body = json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()
    _client("s3").put_object(Bucket=settings.bucket, Key=key, Body=body, ContentType="application/json")
    told = settings.topic is not None and _tell(event, settings)
    publish("archive", {"Archived": 1, "Told": int(told)})
    return {"archived": key, "told": told}


def key_of(event: Mapping[str, Any], settings: ArchiveSettings) -> str:
    """Give the key under which an event is archived."""
    detail = event["detail"]
    name = _safe(detail.get("id") or event.get("id"))
    if settings.latest_only:
        return f"{settings.prefix}{name}.json"
    updated = detail.get("updatedAt") or event.get("time")
    account = _safe(detail.get("accountId") or event.get("account"))
    region = _safe(detail.get("region") or event.get("region"))
    if isinstance(updated, str) and milliseconds(updated) is not None:
        day, moment = updated[:10].replace("-", "/"), _safe(updated)
    else:
        day, moment = "undated", _safe(event.get("id"))
    return f"{settings.prefix}{account}/{region}/{day}/{name}/{moment}.json"


def _safe(value: Any) -> str:
    """Write a part of a key: what might be taken for a path, or not be taken at all, becomes `_`."""
    return _UNSAFE.sub("_", str(value))[:200].strip(".") or "_" if value else "unknown"


def _tell(event: Mapping[str, Any], settings: ArchiveSettings) -> bool:
    """Tell of a finding that is severe enough; tell whether it was."""
    lens = _lens()
    [record] = lens.process(event)
    if not isinstance(record, Record) or record.kind != "finding":
        return False
    ranks = {label.lower(): rank for label, rank in lens.plan.scheme.ranks().items()}
    least = ranks.get(settings.min_severity.lower())
    if least is None:
        raise SettingsError(f"MIN_SEVERITY is one of {', '.join(ranks)}, not {settings.min_severity!r}")
    if (record.fields.get("severity_rank") or 0) < least:
        return False
    subject, text = message(record)
    _client("sns").publish(TopicArn=settings.topic, Subject=subject, Message=text)
    return True


def message(record: Record) -> tuple[str, str]:
    """Give a subject, in ASCII and short enough for SNS, and a text that people read."""
    fields = record.fields
    subject = f"GuardDuty {fields.get('severity_label', 'Unknown')}: {fields.get('finding_type', '')}"
    name = fields.get("resource_id") or fields.get("resource_name") or ""
    lines = [
        str(fields.get("title") or fields.get("finding_type") or ""),
        "",
        f"Severity: {fields.get('severity_label')} ({fields.get('severity_score')})",
        f"Account:  {fields.get('account_id')}, {fields.get('finding_region')}",
        f"Resource: {fields.get('resource_type', '')} {name}",
        f"Seen:     {fields.get('eventLastSeen', '')}, {fields.get('event_count', 1)} times",
        "",
        str(fields.get("console_url", "")),
    ]
    ascii_subject = subject.encode("ascii", "replace").decode()[: _LONGEST_SUBJECT - 1]
    return ascii_subject, "\n".join(lines)


@cache
def _lens() -> Lens:
    return Lens(extractors=())


@cache
def _client(service: str) -> Any:
    import boto3  # in every Lambda runtime

    return boto3.client(service)
