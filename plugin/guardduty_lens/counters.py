"""What a run did, counted, so that nothing is dropped silently."""

from typing import Any

import msgspec

Counts = dict[str, int]


class Counters(msgspec.Struct):
    """Counts of one run. Every event is in exactly one of records, rejected, filtered and control."""

    payloads: int = 0
    records: Counts = msgspec.field(default_factory=dict)
    """Records written, by kind."""
    findings: Counts = msgspec.field(default_factory=dict)
    """Findings written, by severity label."""
    filtered: Counts = msgspec.field(default_factory=dict)
    """Events left out by a rule the user wrote, by the rule's name."""
    rejected: Counts = msgspec.field(default_factory=dict)
    """Spans that could not be read, by reason."""
    control: Counts = msgspec.field(default_factory=dict)
    """Messages of transports about themselves, by name."""
    warnings: Counts = msgspec.field(default_factory=dict)
    """Warnings on records written or filtered, by code."""

    @property
    def events(self) -> int:
        """Events that came in: each gave a record, was filtered, rejected, or a control message."""
        parts = (self.records, self.filtered, self.rejected, self.control)
        return sum(sum(part.values()) for part in parts)

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
        return {"payloads": self.payloads, "events": {"in": self.events, **totals}, **by_name}


_BY_NAME = ("records", "findings", "filtered", "rejected", "control", "warnings")
_ONE_OF = ("records", "filtered", "rejected", "control")


def count(counts: Counts, key: str) -> None:
    """Add one."""
    counts[key] = counts.get(key, 0) + 1
