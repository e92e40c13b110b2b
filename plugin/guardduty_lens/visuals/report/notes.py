"""What was read and is not among a report's numbers: the same words on the page and on the console."""

from datetime import datetime

import msgspec


class Outside(msgspec.Struct, frozen=True, kw_only=True):
    """The records that a report of so many days leaves out: those last seen before a moment (UTC)."""

    days: int
    before: datetime
    records: int


def left_out(shown: int, duplicates: int, outside: Outside | None) -> list[str]:
    """Say what is not shown, or not twice, beside so many records that are."""
    notes = []
    if duplicates:
        notes.append(f"repeated, and counted once: {duplicates:,} records")
    if outside is not None and outside.records:
        notes.append(
            f"not shown, as last seen before {outside.before:%Y-%m-%d %H:%M} UTC (--days {outside.days}): "
            f"{outside.records:,} of {shown + outside.records:,} records"
        )
    return notes
