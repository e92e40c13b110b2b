"""Deployment markers: what was released, when, so that findings are seen beside it.

One document each in the index of tags, created by an id: sent again, it changes nothing.
"""

import hashlib
import time
from collections.abc import Mapping
from typing import Any

import msgspec

from guardduty_lens.opensearch.bulk import Bulk
from guardduty_lens.opensearch.dates import iso, milliseconds
from guardduty_lens.opensearch.document import Document
from guardduty_lens.opensearch.names import Names
from guardduty_lens.opensearch.template_check import TemplateCheck

LONGEST_TEXT = 256
"""Characters of a name, a version, a service, and of each key and value of the further fields."""

MOST_FIELDS = 50

# EventBridge's events that say that something was deployed (CodePipeline and CodeDeploy user guides).
_PIPELINE = ("aws.codepipeline", "CodePipeline Pipeline Execution State Change")
_DEPLOYMENT = ("aws.codedeploy", "CodeDeploy Deployment State-change Notification")


class TagError(ValueError):
    """What cannot be a tag, and why."""


class Tag(msgspec.Struct, frozen=True, kw_only=True):
    """A marker; `at` is in milliseconds since 1970, `id` what makes it the same when it is sent again."""

    name: str
    at: int
    version: str | None = None
    service: str | None = None
    fields: Mapping[str, str] = {}
    source: str = "command"
    id: str | None = None

    @property
    def label(self) -> str:
        """What a chart says of it."""
        return " ".join(part for part in (self.service, self.name, self.version) if part)

    def document(self, names: Names) -> Document:
        """Give the document."""
        body: dict[str, Any] = {"@timestamp": iso(self.at), "name": self.name, "label": self.label}
        body |= {key: value for key in ("version", "service") if (value := getattr(self, key))}
        if self.fields:
            body["fields"] = dict(self.fields)
        return Document(
            names.tags, self.id or self._digest(), msgspec.json.encode(body | {"source": self.source})
        )

    def _digest(self) -> str:
        parts = [self.name, self.version, self.service, self.at // 1000]
        return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()[:32]


def make_tag(
    name: str,
    *,
    now: int,
    at: str | None = None,
    version: str | None = None,
    service: str | None = None,
    fields: Mapping[str, str] | None = None,
    source: str = "command",
    id: str | None = None,  # noqa: A002 - it is called so everywhere
) -> Tag:
    """Check what a user says of a tag. Raises TagError."""
    since = now if at is None else milliseconds(at)
    if since is None:
        raise TagError(f"{at!r} is no date: 2025-03-01T10:00:00Z is one")
    given = dict(fields or {})
    if len(given) > MOST_FIELDS:
        raise TagError(f"more than {MOST_FIELDS} fields")
    texts = {"name": name, "version": version, "service": service, "id": id}
    texts |= {f"field {key[:40]!r}": text for pair in given.items() for key in pair[:1] for text in pair}
    for what, text in texts.items():
        if text is not None and (not text.strip() or len(text) > LONGEST_TEXT):
            raise TagError(f"{what}: 1 to {LONGEST_TEXT} characters are wanted")
    return Tag(name=name, at=since, version=version, service=service, fields=given, source=source, id=id)


class _Posted(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    version: str | None = None
    service: str | None = None
    at: str | None = None
    fields: dict[str, str] = {}
    id: str | None = None


def read_tag(body: bytes, now: int) -> Tag:
    """Read a tag that was posted as JSON. Raises TagError."""
    try:
        posted = msgspec.json.decode(body, type=_Posted)
    except msgspec.MsgspecError as error:
        raise TagError(f"no tag: {error}") from error
    return make_tag(
        posted.name,
        now=now,
        at=posted.at,
        version=posted.version,
        service=posted.service,
        fields=posted.fields,
        source="http",
        id=posted.id,
    )


def tag_of_event(event: Mapping[str, Any]) -> Tag | None:
    """Give the tag of an EventBridge event that says that something was deployed; None for any other."""
    kind, detail = (event.get("source"), event.get("detail-type")), event.get("detail")
    time, identifier = event.get("time"), event.get("id")
    if not isinstance(detail, Mapping) or not isinstance(time, str) or not isinstance(identifier, str):
        return None
    if kind == _PIPELINE and detail.get("state") == "SUCCEEDED":
        name, version = detail.get("pipeline"), detail.get("execution-id")
    elif kind == _DEPLOYMENT and detail.get("state") == "SUCCESS":
        name, version = detail.get("application"), detail.get("deploymentId")
    else:
        return None
    more = {"account": event.get("account"), "region": event.get("region")}
    fields = {key: value for key, value in more.items() if isinstance(value, str) and value}
    try:
        return make_tag(
            str(name or ""),
            now=0,
            at=time,
            version=str(version)[:LONGEST_TEXT] if version else None,
            fields=fields,
            source=str(kind[0]).removeprefix("aws."),
            id=identifier,
        )
    except TagError:
        return None


def put_tag(
    bulk: Bulk, tag: Tag, names: Names, give_up_after: float, templates: TemplateCheck | None = None
) -> bool:
    """Put a tag into a cluster; tell whether it was not there before.

    Raises TagError with the server's words; CannotDeliver where `templates` finds some missing.
    """
    if templates is not None:
        templates.check(bulk, time.time_ns() // 1_000_000, [names.tags])
    delivery = bulk.deliver([tag.document(names)], give_up_after=give_up_after)
    [result] = delivery.results
    if not isinstance(result, str):
        raise TagError(result.message if result is not None else delivery.failure or "not confirmed")
    return result == "written"
