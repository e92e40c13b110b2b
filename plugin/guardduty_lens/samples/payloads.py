"""Sample findings as payloads, in one shape or mixed."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from guardduty_lens.samples.chance import Chance
from guardduty_lens.samples.findings import END, deliveries
from guardduty_lens.samples.shapes import WRITERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from guardduty_lens.samples.findings import Delivery

MIXED = "mixed"
SHAPES: tuple[str, ...] = (*WRITERS, MIXED)
"""The names of the shapes, as the command takes them."""

EVENTBRIDGE_SHARE, BARE_SHARE, OTHER_SHARE = 0.5, 0.4, 0.1
"""Of the findings of a mixed run."""
OTHERS = ("api", "s3-export", "sns", "sqs", "cloudwatch-logs", "firehose")
"""The shapes that take turns in the last share."""
LARGEST_IN_MIXED = 5
"""Findings a payload holds at most in a mixed run, so that short runs show every shape."""


def _one_shape(name: str) -> Callable[[Chance], tuple[str, int]]:
    shape = WRITERS[name]

    def choose(chance: Chance) -> tuple[str, int]:
        return name, chance.between(shape.smallest, shape.largest)

    return choose


class _Mixer:
    """Chooses the shape whose share of the findings is furthest behind."""

    def __init__(self) -> None:
        self.done = {"eventbridge": 0, "finding": 0, MIXED: 0}
        self.turn = 0

    def choose(self, chance: Chance) -> tuple[str, int]:
        name = OTHERS[self.turn % len(OTHERS)]
        shape = WRITERS[name]
        size = min(LARGEST_IN_MIXED, chance.between(shape.smallest, shape.largest))
        total = sum(self.done.values()) + size
        if self.done[MIXED] + size <= OTHER_SHARE * total:
            self.turn += 1
            self.done[MIXED] += size
            return name, size
        behind = EVENTBRIDGE_SHARE * self.done["finding"] >= BARE_SHARE * self.done["eventbridge"]
        name = "eventbridge" if behind else "finding"
        self.done[name] += 1
        return name, 1


def _payloads(stream: Iterator[Delivery], chance: Chance, shape: str) -> Iterator[bytes]:
    choose = _Mixer().choose if shape == MIXED else _one_shape(shape)
    while True:
        name, size = choose(chance)
        batch = list(islice(stream, size))
        if not batch:
            return
        yield WRITERS[name].write(batch, chance)


def generate_payloads(count: int, seed: int, shape: str, end: int = END) -> Iterator[bytes]:
    """Give payloads whose findings are exactly `count`, each one line of JSON without its newline.

    The findings are those of `generate_findings` with the same count, seed and end, in the same order.

    Raises:
        ValueError: the shape is not one of SHAPES, or count is negative.

    """
    if shape not in SHAPES:
        raise ValueError(f"unknown shape {shape!r}, known are {', '.join(SHAPES)}")
    if count < 0:
        raise ValueError(f"count must not be negative, but is {count}")
    return _payloads(deliveries(count, seed, end), Chance(f"{seed} {shape}"), shape)
