"""Deleting from the state goes on until nothing is left, and tells what failed."""

import pytest

from guardduty_lens.opensearch.cluster import ClusterError
from guardduty_lens.opensearch.names import Names
from guardduty_lens.opensearch.prune import closed_findings, delete


class Answers:
    """Stands for a cluster: gives one answer after the other."""

    def __init__(self, *answers):
        self.answers, self.asked = list(answers), []

    def request(self, method, path, body=None, params=None):
        self.asked.append(f"{method} {path}")
        deleted, total, failures = self.answers.pop(0)
        return {"deleted": deleted, "total": total, "failures": failures}


def test_batches_follow_until_one_is_not_full():
    cluster = Answers((10_000, 10_000, []), (9_990, 10_000, []), (5, 5, []))
    assert delete(cluster, Names("acme-"), closed_findings(90)) == 19_995
    assert cluster.asked == ["POST /acme-guardduty-findings/_delete_by_query"] * 3


def test_findings_that_are_updated_meanwhile_do_not_keep_it_going_for_ever():
    assert delete(Answers((0, 10_000, [])), Names(), closed_findings(90)) == 0


def test_what_failed_is_told_with_what_was_done():
    cluster = Answers((10_000, 10_000, []), (3, 10_000, [{"status": 429, "cause": "full"}]))
    with pytest.raises(ClusterError, match=r"10003 deleted, then: .*429.*full"):
        delete(cluster, Names(), closed_findings(90))


def test_the_field_prefix_reaches_the_query():
    [archived, old] = closed_findings(30, "gd_")["bool"]["should"]
    assert archived == {"term": {"gd_is_archived": True}}
    assert old == {"range": {"gd_updated_at": {"lt": "now-30d"}}}
