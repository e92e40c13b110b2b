"""Repeatable chance, and the times of the samples.

Only `random()` and `getrandbits()` of the Mersenne Twister are used: their sequences are the same in all
Python versions, those of `choice` and `sample` are not, and they are several times faster.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

Item = TypeVar("Item")

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


class Chance:
    """A seeded source of values; the same calls on the same seed give the same values."""

    __slots__ = ("bits", "random")

    def __init__(self, seed: int | str) -> None:
        twister = random.Random(seed)  # noqa: S311 - samples must be repeatable, nothing is protected by them
        self.random = twister.random
        self.bits = twister.getrandbits

    def pick(self, items: Sequence[Item]) -> Item:
        """Give one of the items, all equally likely."""
        return items[int(self.random() * len(items))]

    def between(self, low: int, high: int) -> int:
        """Give an integer from low to high, both included."""
        return low + int(self.random() * (high - low + 1))

    def likely(self, share: float) -> bool:
        """Say yes in the given share of calls, from 0 to 1."""
        return self.random() < share

    def hex(self, digits: int) -> str:
        """Give lower-case hexadecimal digits."""
        return f"{self.bits(4 * digits):0{digits}x}"

    def uuid(self) -> str:
        """Give a random UUID of version 4."""
        digits = self.hex(32)
        variant = "89ab"[int(digits[16], 16) & 3]
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"

    def letters(self, count: int) -> str:
        """Give upper-case letters and digits, as AWS uses them in ids of principals."""
        return "".join(self.pick(LETTERS) for _ in range(count))

    def shuffled(self, items: Sequence[Item]) -> list[Item]:
        """Give the items in another order (Fisher-Yates)."""
        mixed = list(items)
        for last in range(len(mixed) - 1, 0, -1):
            other = int(self.random() * (last + 1))
            mixed[last], mixed[other] = mixed[other], mixed[last]
        return mixed


@lru_cache(maxsize=4096)
def _minute(minute: int) -> str:
    return datetime.fromtimestamp(minute * 60, UTC).strftime("%Y-%m-%dT%H:%M:")


def iso(milliseconds: int) -> str:
    """Write milliseconds since 1970 as GuardDuty does: `2026-01-15T01:40:10.007Z`."""
    minute, rest = divmod(milliseconds, 60_000)
    return f"{_minute(minute)}{rest // 1000:02d}.{rest % 1000:03d}Z"


def iso_seconds(milliseconds: int) -> str:
    """Write milliseconds since 1970 as EventBridge does: `2026-01-15T01:40:10Z`."""
    minute, rest = divmod(milliseconds, 60_000)
    return f"{_minute(minute)}{rest // 1000:02d}Z"
