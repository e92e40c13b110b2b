"""What the functions are told by their environment: names alone; who they are is their role's business."""

from collections.abc import Mapping

import msgspec


class SettingsError(ValueError):
    """An environment that a function cannot work with."""


class ArchiveSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where events are archived, and who is told of severe ones."""

    bucket: str
    prefix: str = "guardduty/"
    latest_only: bool = False
    topic: str | None = None
    min_severity: str = "High"


class IndexSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Which cluster records go to, and the bucket for what cannot be read or is refused.

    With `region` requests are signed (SigV4); without, they are not, for a cluster within a network alone.
    """

    url: str
    dead_letter_bucket: str
    dead_letter_prefix: str = "dead-letters/"
    index_prefix: str = ""
    region: str | None = None
    service: str = "es"
    state: bool = True
    fields: str | None = None
    give_up_after: float = 60.0
    without_templates: bool = False


def archive_settings(environment: Mapping[str, str]) -> ArchiveSettings:
    """Read the environment of the function `archive`. Raises SettingsError."""
    layout = environment.get("LAYOUT", "updates")
    if layout not in ("updates", "latest"):
        raise SettingsError(f"LAYOUT is updates or latest, not {layout!r}")
    return ArchiveSettings(
        bucket=_wanted(environment, "ARCHIVE_BUCKET"),
        prefix=environment.get("ARCHIVE_PREFIX", "guardduty/"),
        latest_only=layout == "latest",
        topic=environment.get("TOPIC_ARN") or None,
        min_severity=environment.get("MIN_SEVERITY", "High"),
    )


def index_settings(environment: Mapping[str, str]) -> IndexSettings:
    """Read the environment of the function `index`. Raises SettingsError."""
    auth = environment.get("OPENSEARCH_AUTH", "sigv4")
    if auth not in ("sigv4", "none"):
        raise SettingsError(f"OPENSEARCH_AUTH is sigv4 or none, not {auth!r}")
    return IndexSettings(
        url=_wanted(environment, "OPENSEARCH_URL"),
        dead_letter_bucket=_wanted(environment, "DEAD_LETTER_BUCKET"),
        dead_letter_prefix=environment.get("DEAD_LETTER_PREFIX", "dead-letters/"),
        index_prefix=environment.get("INDEX_PREFIX", ""),
        region=_wanted(environment, "AWS_REGION") if auth == "sigv4" else None,
        service=environment.get("OPENSEARCH_SERVICE", "es"),
        state=environment.get("STATE", "true") != "false",
        fields=environment.get("FIELDS") or None,
        give_up_after=float(environment.get("GIVE_UP_AFTER_SECONDS", "60")),
        without_templates=environment.get("WITHOUT_TEMPLATES", "false") == "true",
    )


def _wanted(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name, "").strip()
    if not value:
        raise SettingsError(f"the environment variable {name} is not set")
    return value
