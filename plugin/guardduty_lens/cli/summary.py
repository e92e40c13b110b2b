"""What a run did, for people and for programs."""

import shlex
from pathlib import Path
from typing import Any

from guardduty_lens.counters import Counters, Counts


def summary_of(counters: Counters, saved: int) -> dict[str, Any]:
    """Give the summary of a run as JSON; `not_saved` are rejects that are not in the dead letters."""
    lost = sum(counters.rejected.values()) - saved
    return counters.summary() | ({"not_saved": lost} if lost else {})


def summary_text(counters: Counters, dead_letters: Path, saved: int | None = None, again: str = "") -> str:
    """Give the summary of a run in a few lines; `saved` rejects are in the dead letters, all if not said.

    `again` is what follows in the command that replays them.
    """
    summary = counters.summary()["events"]
    lines = [
        f"{numbered(counters.payloads, 'payload')}, {numbered(summary['in'], 'event')}: "
        f"{numbered(summary['records'], 'record')}, "
        f"{summary['filtered']:,} filtered, {summary['rejected']:,} rejected, {summary['control']:,} control"
        + (f", {summary['undelivered']:,} not confirmed" if "undelivered" in summary else ""),
        *_line("records", counters.records),
        *_line("severity", counters.findings),
        *_line("filtered", counters.filtered),
        *_line("rejected", counters.rejected),
        *_line("control", counters.control),
        *_line("warnings", counters.warnings),
        *_line("delivered", counters.delivered),
        *_line("not confirmed", counters.undelivered),
    ]
    if counters.rejected:
        rejected = sum(counters.rejected.values())
        lines += _where_rejects_are(rejected, rejected if saved is None else saved, dead_letters, again)
    return "\n".join(lines)


def numbered(number: int, what: str) -> str:
    """Give a number of things in words.

    >>> numbered(1, "event"), numbered(2000, "event")
    ('1 event', '2,000 events')
    """
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _where_rejects_are(rejected: int, saved: int, dead_letters: Path, again: str) -> list[str]:
    lines = []
    if saved < rejected:
        lines.append(
            f"  {rejected - saved:,} of {rejected:,} rejected could not be saved in {dead_letters}: "
            "they are in the input alone; mend that, and give the input again"
        )
    if saved:
        which = "rejected input" if saved == rejected else f"{saved:,} of {rejected:,} rejected"
        command = f"guardduty-lens replay {shlex.quote(str(dead_letters))}{again}"
        lines.append(f"  {which} is in {dead_letters}; try it again with: {command}")
    return lines


def _line(name: str, counts: Counts) -> list[str]:
    if not counts:
        return []
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [f"  {name:<9} " + ", ".join(f"{key} {number:,}" for key, number in ordered)]
