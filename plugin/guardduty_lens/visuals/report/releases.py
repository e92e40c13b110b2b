"""Releases in a report: the markers, and how many findings were new before and after each."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from guardduty_lens.opensearch.dates import milliseconds
from guardduty_lens.visuals.report.data import ReleaseData
from guardduty_lens.visuals.report.store import Store
from guardduty_lens.visuals.sql import Sql

HOURS = 24
"""How long before and after a release is looked at."""

MOST_RELEASES = 200
"""The newest are shown."""

_HOUR_MS = 3_600_000


class Marker(msgspec.Struct, frozen=True):
    """A marker: when (milliseconds since 1970), and what a chart says of it."""

    at: int
    label: str


class MarkerError(ValueError):
    """A line that is no marker; the message says which, and why."""


def read_markers(lines: Iterable[bytes], name: str) -> list[Marker]:
    """Read markers, a JSON object a line: as `tag` puts them into a cluster, or as they are posted (`at`).

    Raises MarkerError.
    """
    markers = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            given: Any = msgspec.json.decode(line)
        except msgspec.DecodeError as error:
            raise MarkerError(f"{name}:{number}: no JSON: {error}") from error
        markers.append(_marker(given, f"{name}:{number}"))
    return markers


def _marker(given: Any, place: str) -> Marker:
    if not isinstance(given, dict):
        raise MarkerError(f"{place}: a marker is an object")
    moment = given.get("@timestamp", given.get("at"))
    at = milliseconds(moment) if isinstance(moment, str) else None
    parts = [given.get(key) for key in ("service", "name", "version")]
    label = given.get("label") or " ".join(part for part in parts if isinstance(part, str) and part)
    if at is None or not isinstance(label, str) or not label:
        raise MarkerError(f"{place}: a marker has a name, and a date in @timestamp or at")
    return Marker(at, label[:200])


def releases(store: Store, markers: Sequence[Marker]) -> list[ReleaseData]:
    """Give the newest markers, the latest first, each with the findings created in the hours around it."""
    newest = sorted(set(markers), key=lambda each: (-each.at, each.label))[:MOST_RELEASES]
    return [_release(store, marker) for marker in newest]


def _release(store: Store, marker: Marker) -> ReleaseData:
    span = HOURS * _HOUR_MS
    [(before, after)] = store.fetch(
        Sql(
            "SELECT count(*) FILTER (created_at < ?), count(*) FILTER (created_at >= ?) FROM state "
            "WHERE created_at >= ? AND created_at < ?",
            (_time(marker.at), _time(marker.at), _time(marker.at - span), _time(marker.at + span)),
        )
    )
    new = store.fetch(
        Sql(
            "SELECT finding_type FROM state WHERE finding_type IS NOT NULL GROUP BY finding_type "
            "HAVING min(created_at) >= ? AND min(created_at) < ? ORDER BY finding_type LIMIT 20",
            (_time(marker.at), _time(marker.at + span)),
        )
    )
    return ReleaseData(marker.at, marker.label, before, after, [name for (name,) in new])


def _time(since_epoch: int) -> datetime:
    """Give a moment as the store has it: UTC, without a time zone."""
    return datetime.fromtimestamp(since_epoch / 1000, UTC).replace(tzinfo=None)
