"""Counters as Prometheus reads them (text format 0.0.4)."""

from collections.abc import Iterator, Mapping

from guardduty_lens.counters import Counters


def prometheus_text(counters: Counters, inputs: Mapping[str, Mapping[str, int]]) -> str:
    """Give everything counted: events by what became of them, and the counts of each input, by its name."""
    return "\n".join(_lines(counters, inputs)) + "\n"


def _lines(counters: Counters, inputs: Mapping[str, Mapping[str, int]]) -> Iterator[str]:
    by_label = {
        "records": ("kind", counters.records),
        "findings": ("severity", counters.findings),
        "filtered": ("rule", counters.filtered),
        "rejected": ("reason", counters.rejected),
        "control": ("name", counters.control),
        "warnings": ("code", counters.warnings),
        "delivered": ("outcome", counters.delivered),
        "undelivered": ("kind", counters.undelivered),
    }
    for name, (label, counts) in by_label.items():
        yield f"# TYPE guardduty_lens_{name}_total counter"
        for key, number in sorted(counts.items()):
            yield f'guardduty_lens_{name}_total{{{label}="{_escaped(key)}"}} {number}'
    yield "# TYPE guardduty_lens_payloads_total counter"
    yield f"guardduty_lens_payloads_total {counters.payloads}"
    yield "# TYPE guardduty_lens_input_total counter"
    for name, numbers in inputs.items():
        for key, number in sorted(numbers.items()):
            yield f'guardduty_lens_input_total{{input="{_escaped(name)}",what="{_escaped(key)}"}} {number}'


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
