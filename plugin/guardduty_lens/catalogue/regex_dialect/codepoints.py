"""Sets of code points as sorted, disjoint, non-adjacent inclusive intervals."""

from collections.abc import Iterable

Intervals = tuple[tuple[int, int], ...]

LAST = 0x10FFFF


def merge(intervals: Iterable[tuple[int, int]]) -> Intervals:
    """Give the canonical form of any intervals, so that equal sets are equal tuples."""
    merged: list[tuple[int, int]] = []
    for low, high in sorted(intervals):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], high))
        else:
            merged.append((low, high))
    return tuple(merged)


def complement(intervals: Intervals) -> Intervals:
    """Give every code point up to U+10FFFF that is not in canonical `intervals`."""
    gaps = []
    start = 0
    for low, high in intervals:
        if start < low:
            gaps.append((start, low - 1))
        start = high + 1
    if start <= LAST:
        gaps.append((start, LAST))
    return tuple(gaps)


def lowest_common(left: Intervals, right: Intervals) -> int | None:
    """Give the lowest member of both, None when they are disjoint."""
    common = [
        max(low, other_low)
        for low, high in left
        for other_low, other_high in right
        if max(low, other_low) <= min(high, other_high)
    ]
    return min(common, default=None)
