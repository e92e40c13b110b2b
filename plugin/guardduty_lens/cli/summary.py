"""What a run did, for people."""

from pathlib import Path

from guardduty_lens.counters import Counters, Counts


def summary_text(counters: Counters, dead_letters: Path) -> str:
    """Give the summary of a run in a few lines."""
    summary = counters.summary()["events"]
    lines = [
        f"{counters.payloads:,} payloads, {summary['in']:,} events: {summary['records']:,} records, "
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
        lines.append(
            f"  rejected input is in {dead_letters}; try it again with: guardduty-lens replay {dead_letters}"
        )
    return "\n".join(lines)


def _line(name: str, counts: Counts) -> list[str]:
    if not counts:
        return []
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [f"  {name:<9} " + ", ".join(f"{key} {number:,}" for key, number in ordered)]
