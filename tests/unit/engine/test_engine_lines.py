"""The loop of ordinary lines writes what records made one by one would, and counts the same."""

import json
from pathlib import Path

import pytest
from finding_events import EVENT, compact
from mutations import mutations

from guardduty_lens import Lens
from guardduty_lens.payloads.pieces import Rejected
from guardduty_lens.samples import generate_payloads

TESTS = Path(__file__).parents[2]
CORPUS = sorted(path for path in (TESTS / "corpus").rglob("*.json*") if path.suffix != ".gz")
MUTATED = 4_000


def outcome(data, *, at_once, block=64 * 1024):
    """Give what is written of some bytes, what is rejected, and the counts."""
    lens, written, rejected = Lens(extractors=()), bytearray(), []
    stream = lens.start("x", 0, written if at_once else None)
    blocks = [data[at : at + block] for at in range(0, len(data), block)]
    for items in (*map(stream.feed, blocks), stream.close()):
        for item in items:
            if isinstance(item, Rejected):
                rejected.append(item)
            else:
                item.write_json(written)
                written += b"\n"
    return bytes(written), rejected, lens.counters.summary()


def same(data, **options):
    at_once = outcome(data, at_once=True, **options)
    assert at_once == outcome(data, at_once=False, **options)
    return at_once


def test_most_lines_are_taken_at_once(monkeypatch):
    data = b"\n".join(generate_payloads(500, 5, "eventbridge")) + b"\n"
    monkeypatch.setattr("guardduty_lens.record.Record.write_json", None)
    written, rejected, counts = outcome(data, at_once=True)
    assert (written.count(b"\n"), rejected, counts["records"]) == (500, [], {"finding": 500})


@pytest.mark.parametrize("shape", ["eventbridge", "finding", "mixed"])
@pytest.mark.parametrize("block", [1_000, 64 * 1024])
def test_samples(shape, block):
    _, rejected, counts = same(b"\n".join(generate_payloads(1_000, 6, shape)) + b"\n", block=block)
    assert (rejected, counts["events"]["in"]) == ([], 1_000)


def test_the_corpus():
    same(b"\n".join(path.read_bytes() for path in CORPUS))


def test_findings_made_odd():
    bases = [EVENT, *map(json.loads, generate_payloads(60, 9, "eventbridge"))]
    lines = [compact(mutated) for base in bases for _, mutated in mutations(base)]
    step = len(lines) / MUTATED
    chosen = [lines[int(number * step)] for number in range(MUTATED)]
    _, _, counts = same(b"\n".join(chosen) + b"\n")
    assert counts["events"]["in"] == MUTATED


@pytest.mark.parametrize(
    "between",
    [b"\n", b"\r\n", b" \n", b"\n\n", b"\n  ", b"\t\n\t", b"", b",\n", b"\n\xef\xbb\xbf", b"\nno JSON\n"],
)
def test_lines_that_are_not_quite_ordinary(between):
    payloads = list(generate_payloads(20, 2, "mixed"))
    odd = [
        b"{}",
        b'{"a":\xff}',
        b'{"detail":{"type":"\\ud800"}}',
        b"[1]",
        compact(EVENT | {"finding_type": "x"}),
    ]
    same(between.join([*payloads, *odd, *payloads]))
