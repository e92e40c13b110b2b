"""What a run did, counted, so that nothing is dropped silently."""

from typing import Any

import msgspec

Counts = dict[str, int]


class Counters(msgspec.Struct):
    """Counts of one run. Every event is in exactly one of records, rejected, filtered and control.

    Where records go to a cluster that has not confirmed them all, some are in `undelivered` instead.
    """

    payloads: int = 0
    records: Counts = msgspec.field(default_factory=dict)
    """Records written, by kind."""
    findings: Counts = msgspec.field(default_factory=dict)
    """Findings written, by severity label."""
    filtered: Counts = msgspec.field(default_factory=dict)
    """Events left out by a rule the user wrote, by the rule's name."""
    rejected: Counts = msgspec.field(default_factory=dict)
    """Spans that could not be read, and records that the cluster refused, by reason."""
    control: Counts = msgspec.field(default_factory=dict)
    """Messages of transports about themselves, by name."""
    warnings: Counts = msgspec.field(default_factory=dict)
    """Warnings on records written or filtered, by code."""
    delivered: Counts = msgspec.field(default_factory=dict)
    """Documents of records in a cluster, by what became of them; other outputs leave it empty."""
    undelivered: Counts = msgspec.field(default_factory=dict)
    """Records that a cluster has not confirmed, by kind."""

    @property
    def events(self) -> int:
        """Events that came in: each gave a record, was filtered, rejected, or a control message."""
        parts = (self.records, self.filtered, self.rejected, self.control, self.undelivered)
        return sum(sum(part.values()) for part in parts)

    def take_back(self, kind: str, label: str | None) -> None:
        """Count a record no more as written: its kind, and the severity label of a finding."""
        _uncount(self.records, kind)
        if label is not None:
            _uncount(self.findings, label)

    def add(self, other: "Counters") -> None:
        """Add another run's counts to these."""
        self.payloads += other.payloads
        for name in _BY_NAME:
            counts = getattr(self, name)
            for key, number in getattr(other, name).items():
                counts[key] = counts.get(key, 0) + number

    def summary(self) -> dict[str, Any]:
        """Give the counts as a JSON object, with the balance of events in and out."""
        totals = {name: sum(getattr(self, name).values()) for name in _ONE_OF}
        by_name = {name: dict(sorted(getattr(self, name).items())) for name in _BY_NAME}
        for name in _OF_CLUSTERS:
            if not by_name[name]:
                del by_name[name]
        if self.undelivered:
            totals["undelivered"] = sum(self.undelivered.values())
        return {"payloads": self.payloads, "events": {"in": self.events, **totals}, **by_name}


_OF_CLUSTERS = ("delivered", "undelivered")
_BY_NAME = ("records", "findings", "filtered", "rejected", "control", "warnings", *_OF_CLUSTERS)
_ONE_OF = ("records", "filtered", "rejected", "control")


def count(counts: Counts, key: str) -> None:
    """Add one."""
    counts[key] = counts.get(key, 0) + 1


def _uncount(counts: Counts, key: str) -> None:
    counts[key] -= 1
    if not counts[key]:
        del counts[key]
