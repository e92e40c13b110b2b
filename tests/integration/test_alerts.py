"""Every alert's cases on the real server: its search, and its condition in the server's own Painless."""

import time
import uuid

import pytest
from alert_cases import AlertCluster
from click.testing import CliRunner

from guardduty_lens import Lens
from guardduty_lens.alerts.load import load_alerts, with_parameters
from guardduty_lens.alerts.model import minutes
from guardduty_lens.alerts.search import AlertSearch
from guardduty_lens.cli.main import main
from guardduty_lens.compilers.coralogix.lucene import lucene
from guardduty_lens.visuals.fields import fields_of_lens

FIELDS = fields_of_lens(Lens(extractors=()))
ALERTS = [
    with_parameters(alert, {"guardduty_buckets": ["our-findings", "our-other-findings"]})
    for alert in load_alerts(FIELDS)
]
CASES = [(alert, case) for alert in ALERTS for case in alert.cases]


@pytest.fixture(scope="module")
def cluster(opensearch_url):
    prefix = f"alerts-{uuid.uuid4().hex[:8]}-"
    options = ["--url", opensearch_url, "--index-prefix", prefix, "--replicas", "0"]
    done = CliRunner().invoke(main, ["install", *options, "--yes"])
    assert done.exit_code == 0, done.output
    made = AlertCluster(opensearch_url, prefix, time.time_ns() // 1_000_000)
    # What is asked of the state is asked of one index, which the output makes with the first finding.
    made.server.expect("PUT", made.names.state_index)
    yield made
    made.close()
    done = CliRunner().invoke(main, ["uninstall", *options[:4], "--with-data", "--yes"])
    assert done.exit_code == 0, done.output


@pytest.mark.parametrize(("alert", "case"), CASES, ids=[f"{a.id}: {c.name}" for a, c in CASES])
def test_the_case_fires_or_not(alert, case, cluster):
    cluster.load(case)
    assert cluster.fires(alert) is case.fires


@pytest.mark.parametrize("alert", [each for each in ALERTS if not each.by], ids=lambda alert: alert.id)
def test_what_failed_or_was_answered_in_part_does_not_fire(alert, cluster):
    cluster.load(next(case for case in alert.cases if case.fires))
    asked = AlertSearch(FIELDS, cluster.names).asked(alert)
    answer = cluster.answer(asked)
    assert cluster.condition(asked.condition, {"results": [answer]})
    assert not cluster.condition(asked.condition, {"results": []})
    assert not cluster.condition(asked.condition, {"results": None})
    assert not cluster.condition(asked.condition, {"results": [answer | {"timed_out": True}]})
    shards = answer["_shards"] | {"failed": 1}
    assert not cluster.condition(asked.condition, {"results": [answer | {"_shards": shards}]})


def test_without_any_index_only_silence_fires(cluster):
    nowhere = AlertCluster(cluster.server.url, "nowhere-", cluster.now)
    try:
        fired = [alert.id for alert in ALERTS if alert.index != "state" and nowhere.fires(alert)]
    finally:
        nowhere.close()
    assert fired == ["no-logs"]


@pytest.mark.parametrize(
    ("alert", "case"),
    [(a, c) for a, c in CASES if a.index in ("log", "cloudtrail") and a.kind in ("above", "below")],
    ids=lambda each: getattr(each, "id", getattr(each, "name", "")),
)
def test_the_query_for_coralogix_finds_the_same(alert, case, cluster):
    """Its Lucene is OpenSearch's; only what it does with the number found is its own."""
    cluster.load(case)
    start = cluster.now - 60_000 * minutes(alert.window)
    query = {
        "bool": {
            "must": {"query_string": {"query": lucene(alert.index, alert.where, FIELDS)}},
            "filter": {"range": {"ingested_at": {"gt": start, "format": "epoch_millis"}}},
        }
    }
    indices = f"{cluster.names.log}*,{cluster.names.cloudtrail}*"
    path = f"{indices}/_count?ignore_unavailable=true"
    found = cluster.server.expect("POST", path, {"query": query})["count"]
    fires = found > 0 if alert.kind == "above" else found < 1
    assert fires is case.fires
