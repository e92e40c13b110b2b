"""The walk through findings that change while they are listed: none is missed, and it comes to an end."""

from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from guardduty_lens.inputs.guardduty_walk import SETTLED_MS, Walk

PAGE = 3
START = 10 * SETTLED_MS
Changes = list[tuple[int, int]]


class Detector:
    """Findings by number, each with the time of its update; lists are by that time, pages by position."""

    def __init__(self, updates: list[int]) -> None:
        self.updates = dict(enumerate(updates))
        self.now = START

    def listed(self, since: int, token: str) -> tuple[list[int], str]:
        wanted = sorted((update, number) for number, update in self.updates.items() if update >= since)
        at = int(token or 0)
        page = [number for _, number in wanted[at : at + PAGE]]
        return page, str(at + PAGE) if at + PAGE < len(wanted) else ""


class Follower:
    """Does what the input does, and counts what it delivered."""

    def __init__(self, detector: Detector) -> None:
        self.detector = detector
        self.known: dict[int, int] = {}
        self.delivered: list[tuple[int, int]] = []
        self.since = 0
        self.requests = 0

    def round(self, between: Callable[[], None] = lambda: None) -> None:
        walk, more = Walk(self.since), True
        while more:
            self.requests += 1
            numbers, token = self.detector.listed(walk.since, walk.token)
            listed_at = self.detector.now
            between()
            updates = {number: self.detector.updates[number] for number in numbers}
            fresh = {number: update for number, update in updates.items() if self.known.get(number) != update}
            self.delivered += fresh.items()
            self.known |= fresh
            more = walk.passed(list(updates.values()), listed_at, token, found=bool(fresh))
        self.since = walk.since


@settings(max_examples=500, deadline=None)
@given(
    st.lists(st.sampled_from([100, 100, 100, 200, 300, START - 1000]), max_size=25),
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 24)), max_size=12),
)
def test_every_last_update_is_delivered_once(updates: list[int], changes: Changes) -> None:
    """Findings of one moment, more than a page of them; updates between any list and what is got of it."""
    detector = Detector(updates)
    follower = Follower(detector)
    pending = sorted(changes)

    def change() -> None:
        while pending and pending[0][0] <= follower.requests:
            _, number = pending.pop(0)
            detector.now += 1
            if number in detector.updates:
                detector.updates[number] = detector.now

    follower.round(change)
    # Later, when nothing changes any more.
    for _ in range(2):
        detector.now += 2 * SETTLED_MS
        follower.round()
    assert follower.known == detector.updates
    assert len(follower.delivered) == len(set(follower.delivered))
    assert follower.requests <= 40 + 6 * len(updates)


def test_what_becomes_visible_late_is_found() -> None:
    detector = Detector([100, START - 1000])
    follower = Follower(detector)
    follower.round()
    detector.updates[7] = START - SETTLED_MS + 1  # it tells a time before what was delivered
    detector.now += 60_000
    follower.round()
    assert 7 in follower.known


def test_the_next_round_asks_for_what_is_young_alone() -> None:
    detector = Detector([100 * number for number in range(50)])
    follower = Follower(detector)
    follower.round()
    before = follower.requests
    follower.round()
    assert follower.requests == before + 1
