"""What is asked of a cluster, and what follows for what it lacks; a cluster that answers literally."""

import pytest
from recordings import exchange, refusal

from guardduty_lens.opensearch.capabilities import Capabilities, UnsuitableError, ask, processor_types
from guardduty_lens.opensearch.cluster import ClusterError, words_of
from guardduty_lens.opensearch.resources import Resource

NO_HANDLER = ClusterError("400 no handler found for uri [/x] and method [GET]", 400)


class Literal:
    """Stands for a cluster: answers by path, raising what is an exception."""

    def __init__(self, answers):
        self.answers = answers

    def request(self, method, path, body=None, params=None):
        answer = self.answers[path]
        if callable(answer):
            answer = answer(method, path, body)
        if isinstance(answer, Exception):
            raise answer
        return answer


def node(version, *processors, **more):
    return {"version": version, "ingest": {"processors": [{"type": each} for each in processors]}, **more}


def cluster(*nodes, policies=None, monitors=None):
    nodes = nodes or (node("3.8.0"),)
    policies = policies or {}
    return Literal(
        {
            "/_nodes/ingest": {"nodes": {str(number): each for number, each in enumerate(nodes)}},
            "/_plugins/_ism/policies": policies,
            "/_ilm/policy": policies,
            "/_plugins/_alerting/monitors/_search": monitors or {},
        }
    )


def test_the_oldest_node_counts_and_processors_that_every_node_has():
    asked = ask(cluster(node("3.10.0", "script", "grok", "set"), node("3.9.1", "script", "set")))
    assert asked == Capabilities("opensearch", "3.9.1", True, frozenset({"script", "set"}), True)


@pytest.mark.parametrize(
    ("answer", "there"),
    [
        (NO_HANDLER, False),
        (ClusterError("404 index_not_found_exception: none", 404), True),
    ],
)
def test_index_state_management_is_there_unless_no_handler_is(answer, there):
    assert ask(cluster(policies=answer)).lifecycle is there
    assert ask(cluster(monitors=answer)).alerting is there


def test_alerting_is_asked_by_a_search_with_a_body_as_recorded():
    asked = []

    def recorded(method, path, body):
        asked.append((method, path, body))
        return exchange("distribution-3.8.0", method, path, body)

    assert ask(cluster(monitors=recorded)).alerting
    assert asked == [("POST", "/_plugins/_alerting/monitors/_search", {"size": 0})]


def test_a_plugin_that_is_missing_answers_as_recorded():
    missing = refusal("alerting-3.8.0", 23)
    assert "no handler found" in str(missing)
    asked = ask(cluster(monitors=missing))
    assert (asked.alerting, asked.unanswered) == (False, {})


@pytest.mark.parametrize(
    "unexpected",
    [
        refusal("alerting-3.8.0", 1),  # without a body
        ClusterError("403 security_exception: no permissions", 403),
        ClusterError("500 null_pointer_exception: x", 500),
        ClusterError("timed out"),
    ],
)
def test_an_unexpected_answer_costs_its_feature_and_one_line(unexpected):
    asked = ask(cluster(policies=unexpected, monitors=unexpected))
    assert (asked.lifecycle, asked.alerting) == (False, False)
    assert asked.not_seen() == [
        f"retention policies: left alone, since the cluster answered: {unexpected}",
        f"alerts: left alone, since the cluster answered: {unexpected}",
    ]
    assert asked.missing(Resource("monitor", "m", {})) == asked.not_seen()[1]


@pytest.mark.parametrize(
    ("old", "says"),
    [
        (node("2.6.0"), "opensearch 2.6.0; 2.7 is"),
        (node("7.17.28", build_flavor="default"), "elasticsearch 7.17.28; 8.0 is"),
    ],
)
def test_what_is_too_old_is_refused(old, says):
    with pytest.raises(UnsuitableError, match=says):
        ask(cluster(old))


def test_another_flavor_than_the_user_said_is_refused():
    with pytest.raises(UnsuitableError, match=r"this is opensearch 3\.8\.0, not elasticsearch"):
        ask(cluster(), "elasticsearch")


def test_processors_within_processors_count():
    body = {
        "processors": [{"foreach": {"processor": {"grok": {}}, "on_failure": [{"set": {}}]}}],
        "on_failure": [{"script": {}}],
    }
    assert sorted(processor_types(body)) == ["foreach", "grok", "script", "set"]


def test_a_pipeline_is_skipped_where_a_processor_is_missing_and_on_elasticsearch():
    pipeline = Resource("ingest_pipeline", "p", {"processors": [{"grok": {}}]})
    have = Capabilities("opensearch", "3.8.0", True, frozenset({"grok"}))
    assert have.missing(pipeline) is None
    lacks = Capabilities("opensearch", "3.8.0", True, frozenset())
    assert lacks.missing(pipeline) == "ingest pipeline: the cluster has no processor grok"
    elastic = Capabilities("elasticsearch", "9.1.0", True, frozenset({"grok"}))
    assert elastic.missing(pipeline) == (
        "ingest pipeline: written for OpenSearch, and never run on Elasticsearch"
    )


class RefusalError(Exception):
    """What opensearch-py raises, as far as it is looked at."""

    status_code = 400

    def __init__(self, info):
        self.info = info


def test_the_causes_of_a_refusal_are_told_within_bounds():
    cause = {"type": "b", "reason": "x" * 1000}
    told = words_of(RefusalError({"error": {"type": "a", "reason": "first", "caused_by": cause}}))
    assert told.startswith("400 a: first; b: xxx")
    assert len(told) == 500
    assert words_of(RefusalError({"error": "no handler"})) == "400 no handler"
    half_way = {"total": 1, "failures": [{"cause": {"type": "c", "reason": "full"}, "status": 400}]}
    assert words_of(RefusalError(half_way)) == "400 c: full"
