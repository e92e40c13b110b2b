"""Bulk requests against a stand-in, for what no real server can be made to answer."""

import time
from collections.abc import Callable

import pytest
from faulty_cluster import Answer, Cut, Fault, FaultyCluster, Stall, faulty_cluster, taken

from guardduty_lens.opensearch.bulk import Bulk, CannotDeliver, Refusal
from guardduty_lens.opensearch.client import Connection, connect
from guardduty_lens.opensearch.document import Document

DOCUMENTS = [Document("i", name, b"{}") for name in "abcd"]


def bulk_to(cluster: FaultyCluster, *, give_up_after: float = 10, timeout: float = 5) -> Bulk:
    connection = Connection(urls=(cluster.url,), timeout_seconds=timeout)
    return Bulk(connect(connection), give_up_after=give_up_after)


def once(fault: Fault) -> Callable[[int, list[bytes]], Fault]:
    return lambda number, lines: fault if number == 1 else None


@pytest.mark.parametrize(
    "fault",
    [
        Answer(429),
        Answer(503, b"<html>bad gateway</html>"),
        Answer(500, b'{"error":{"type":"x","reason":"y"}}'),
        Answer(200, b"garbage"),
        Answer(200, b"\xff\xfe"),
        Answer(200, b'{"errors":false,"items":[]}'),
        Answer(200, b"{}"),
        Answer(400, b"<html>"),
        Answer(403, b'{"error":{"type":"cluster_block_exception","reason":"read-only"}}'),
        Cut(),
        Cut(after=True),
    ],
)
def test_what_may_pass_is_tried_again(fault: Fault) -> None:
    with faulty_cluster(once(fault)) as cluster:
        delivery = bulk_to(cluster).deliver(DOCUMENTS)
    assert delivery.results == ["written"] * 4
    assert cluster.ids == [list("abcd"), list("abcd")]


def test_stalled_connection_is_given_up_after_the_time_of_a_request() -> None:
    with faulty_cluster(once(Stall(30))) as cluster:
        start = time.monotonic()
        assert bulk_to(cluster, timeout=0.3).deliver(DOCUMENTS).results == ["written"] * 4
        assert time.monotonic() - start < 5


def test_retry_after_is_honoured() -> None:
    with faulty_cluster(once(Answer(429, headers={"Retry-After": "2"}))) as cluster:
        start = time.monotonic()
        bulk_to(cluster).deliver(DOCUMENTS)
        assert time.monotonic() - start >= 2


def test_only_what_is_not_settled_is_sent_again() -> None:
    busy = (429, {"type": "rejected_execution_exception", "reason": "queue full"})
    bad = (
        400,
        {"type": "mapper_parsing_exception", "reason": "failed to parse", "caused_by": {"reason": "x"}},
    )
    known = (409, {"type": "version_conflict_engine_exception", "reason": "exists"})
    with faulty_cluster(
        lambda number, lines: taken(lines, b=busy, c=bad, d=known) if number == 1 else None
    ) as it:
        delivery = bulk_to(it).deliver(DOCUMENTS)
    refusal = Refusal("mapper_parsing_exception", "failed to parse: x")
    assert delivery.results == ["written", "written", refusal, "known"]
    assert it.ids == [list("abcd"), ["b"]]


@pytest.mark.parametrize("status", [400, 413])
def test_request_refused_as_a_whole_is_halved_until_the_guilty_one_is_found(status: int) -> None:
    error = b'{"error":{"type":"illegal_argument_exception","reason":"no"},"status":400}'

    def choose(number: int, lines: list[bytes]) -> Fault:
        return Answer(status, error) if any(b'"c"' in line for line in lines) else None

    with faulty_cluster(choose) as cluster:
        delivery = bulk_to(cluster).deliver(DOCUMENTS)
    refusal = Refusal("illegal_argument_exception", "no")
    assert delivery.results == ["written", "written", refusal, "written"]
    assert cluster.ids == [list("abcd"), ["a", "b"], ["c", "d"], ["c"], ["d"]]


def test_time_is_bounded_and_the_reason_is_said() -> None:
    with faulty_cluster(lambda number, lines: Answer(503, b"{}")) as cluster:
        start = time.monotonic()
        delivery = bulk_to(cluster, give_up_after=1).deliver(DOCUMENTS)
    assert time.monotonic() - start < 3
    assert delivery.results == [None] * 4
    assert delivery.failure == (
        "it was tried for 1 seconds; at last: it answered 503; check --url, and that the cluster runs"
    )


@pytest.mark.parametrize(
    ("status", "words"), [(401, "check the user, password or token"), (403, "not allow")]
)
def test_who_is_not_let_in_is_told_at_once(status: int, words: str) -> None:
    with faulty_cluster(lambda number, lines: Answer(status, b"Unauthorized")) as cluster:
        delivery = bulk_to(cluster).deliver(DOCUMENTS)
    assert words in delivery.failure
    assert len(cluster.requests) == 1


def test_check_passes_where_nothing_is_listening_only_after_its_time() -> None:
    with faulty_cluster() as cluster:
        url = cluster.url
        bulk_to(cluster).check(1)
    with pytest.raises(CannotDeliver, match=r"tried for 0\.5 seconds"):
        Bulk(connect(Connection(urls=(url,)))).check(0.5)


def test_versions_are_external_and_creates_have_none() -> None:
    documents = [Document("log", "a", b"{}"), Document("state", "a", b"{}", 7)]
    with faulty_cluster() as cluster:
        bulk_to(cluster).deliver(documents)
    [lines] = cluster.requests
    assert lines == [
        b'{"create":{"_index":"log","_id":"a"}}',
        b"{}",
        b'{"index":{"_index":"state","_id":"a","version":7,"version_type":"external"}}',
        b"{}",
    ]
