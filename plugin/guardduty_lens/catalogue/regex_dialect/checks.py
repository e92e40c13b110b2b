"""Bounds what a backtracking engine may spend on a pattern.

Since no group repeats, an engine meets every point of choice at most once on its way: which alternative,
whether to take an optional group, when to end a run. Where the next character decides, it never pays to
come back; elsewhere the choices multiply. Both are computed from the back, with the characters that may
come next.
"""

from collections import Counter
from collections.abc import Iterator
from itertools import accumulate

from guardduty_lens.catalogue.regex_dialect.codepoints import LAST, Intervals, lowest_common, merge
from guardduty_lens.catalogue.regex_dialect.syntax import (
    MAX_SIZE,
    MAX_SPREAD,
    MAX_WAYS,
    Branches,
    Group,
    Item,
    NotPortable,
    Run,
    Sequence,
)

_END: Intervals = ((LAST + 1, LAST + 1),)
"""Stands for the end of the string, which is no character and so is disjoint from each."""


def check_size(branches: Branches) -> None:
    """Raise NotPortable where the pattern passes MAX_SIZE with its counts multiplied out."""
    size = 0
    for run in _runs(branches):
        size += max(run.least, run.most or 0) * len(run.chars.members)
        if size > MAX_SIZE:
            raise NotPortable(
                f"the pattern grows too large here (above {MAX_SIZE} classes, counts multiplied out); "
                "lower the counts",
                run.offset,
            )


def _runs(branches: Branches) -> Iterator[Run]:
    for branch in branches:
        for item in branch:
            if isinstance(item, Run):
                yield item
            else:
                yield from _runs(item.branches)


def count_ways(branches: Branches) -> int:
    """Give an upper bound for the ways in which a backtracking engine may have to try one string.

    Raises NotPortable for a run that may vary by more than MAX_SPREAD characters and is not disjoint from
    what may follow it, for more than MAX_WAYS ways, and for `?` on a group that can match nothing.
    """
    _, ways = _alternatives(branches, _END, 1, 0)
    return ways


def _alternatives(branches: Branches, follow: Intervals, later: int, offset: int) -> tuple[Intervals, int]:
    """Give what may come next at these alternatives, and the ways from there to the end of the pattern.

    `follow` is what may come next after them, `later` the ways from there.
    """
    options = [_sequence(branch, follow, later) for branch in branches]
    return _choice(options, offset)


def _sequence(items: Sequence, follow: Intervals, later: int) -> tuple[Intervals, int]:
    for item in reversed(items):
        follow, later = _item(item, follow, later)
    return follow, later


def _item(item: Item, follow: Intervals, later: int) -> tuple[Intervals, int]:
    if isinstance(item, Run):
        return _run(item, follow, later)
    inside, ways = _alternatives(item.branches, follow, later, item.offset)
    if not item.optional:
        return inside, ways
    if _may_be_empty(item.branches):
        raise NotPortable("? on a group that can match nothing by itself; leave the ? out", item.offset)
    return _choice([(inside, ways), (follow, later)], item.offset)


def _choice(options: list[tuple[Intervals, int]], offset: int) -> tuple[Intervals, int]:
    """Give the union of `options`, and the ways of those that one character leaves open, at worst."""
    changes: Counter[int] = Counter()
    for first, ways in options:
        for low, high in first:
            changes[low] += ways
            changes[high + 1] -= ways
    worst = max(accumulate(changes[point] for point in sorted(changes)))
    return merge(interval for first, _ in options for interval in first), _bounded(worst, offset)


def _bounded(ways: int, offset: int) -> int:
    if ways > MAX_WAYS:
        raise NotPortable(
            f"from here on there are more than {MAX_WAYS} ways to try, so engines that backtrack could "
            "stall; let the next character decide, for instance by writing a common start once: x(?:a|b)",
            offset,
        )
    return ways


def _run(run: Run, follow: Intervals, later: int) -> tuple[Intervals, int]:
    allowed = run.chars.allowed
    first = merge((*allowed, *follow)) if run.least == 0 else allowed
    if run.least == run.most:
        return first, later
    common = lowest_common(allowed, follow)
    if common is None:
        return first, later
    if run.most is None or run.most - run.least > MAX_SPREAD:
        raise NotPortable(
            f"this run and what may follow it can both take {chr(common)!r}, so engines that backtrack could "
            f"stall; keep the two apart, such as [^:]*:, or let it vary by at most {MAX_SPREAD}, "
            f"such as {{0,{MAX_SPREAD}}}",
            run.offset,
        )
    return first, _bounded(later * (run.most - run.least + 1), run.offset)


def _may_be_empty(branches: Branches) -> bool:
    return any(all(_item_may_be_empty(item) for item in branch) for branch in branches)


def _item_may_be_empty(item: Item) -> bool:
    if isinstance(item, Group):
        return item.optional or _may_be_empty(item.branches)
    return item.least == 0
