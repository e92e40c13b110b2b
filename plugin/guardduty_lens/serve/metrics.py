"""Counters as Prometheus reads them (text format 0.0.4)."""

from collections.abc import Iterator, Mapping

import msgspec

from guardduty_lens.counters import Counters
from guardduty_lens.serve.pipeline import Deliveries, RouteCounts

_Samples = Mapping[tuple[tuple[str, str], ...], float]


class Measured(msgspec.Struct, frozen=True):
    """What is told: events by what became of them; each input's and each output's own counts, by name."""

    counters: Counters
    inputs: Mapping[str, Mapping[str, int]]
    outputs: Mapping[str, RouteCounts]
    deliveries: Deliveries
    queue_depth: int


def prometheus_text(measured: Measured) -> str:
    """Give everything as text, each metric behind its type."""
    return "\n".join(_lines(measured)) + "\n"


def _lines(measured: Measured) -> Iterator[str]:
    counters = measured.counters
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
        yield from _counter(name, {((label, key),): number for key, number in counts.items()})
    yield from _counter("payloads", {(): counters.payloads})
    yield from _counter(
        "input",
        {
            (("input", name), ("what", what)): number
            for name, counts in measured.inputs.items()
            for what, number in counts.items()
        },
    )
    for what in RouteCounts.__struct_fields__:
        of_each: _Samples = {
            (("output", name),): getattr(counts, what) for name, counts in measured.outputs.items()
        }
        yield from _counter(f"output_{what}", of_each)
    yield from _counter("batches", {(): measured.deliveries.batches})
    yield from _counter("batch_seconds", {(): round(measured.deliveries.seconds, 3)})
    yield from _metric("queue_payloads", "gauge", {(): measured.queue_depth})
    lag = measured.deliveries.lag_seconds
    yield from _metric("lag_seconds", "gauge", {} if lag is None else {(): round(lag, 3)})


def _counter(name: str, samples: _Samples) -> Iterator[str]:
    return _metric(f"{name}_total", "counter", samples)


def _metric(name: str, kind: str, samples: _Samples) -> Iterator[str]:
    yield f"# TYPE guardduty_lens_{name} {kind}"
    for labels, number in sorted(samples.items()):
        said = ",".join(f'{label}="{_escaped(value)}"' for label, value in labels)
        yield f"guardduty_lens_{name}{{{said}}} {number}" if said else f"guardduty_lens_{name} {number}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
