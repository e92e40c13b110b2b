"""Alert files without a server: what AWS calls its API's calls, the page of docs, and what is compiled."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from guardduty_lens import Lens
from guardduty_lens.alerts.load import BUILTIN, load_alerts, with_parameters
from guardduty_lens.alerts.model import minutes
from guardduty_lens.alerts.monitors import monitors
from guardduty_lens.opensearch.names import Names
from guardduty_lens.visuals.fields import fields_of_lens

ROOT = Path(__file__).parents[2]
FIELDS = fields_of_lens(Lens(extractors=()))
ALERTS = {alert.id: alert for alert in load_alerts(FIELDS)}


def test_the_shipped_files_are_those_that_are_loaded() -> None:
    assert sorted(BUILTIN) == sorted(path.stem for path in (ROOT / "alerts").glob("*.yml"))
    assert list(ALERTS) == list(BUILTIN)


def test_the_seven_of_the_article_are_there_with_its_thresholds() -> None:
    seeds = {alert.id: alert.fires for alert in ALERTS.values() if alert.seed}
    assert len(seeds) == 7
    assert (ALERTS["no-logs"].window, seeds["no-logs"].below) == ("10m", 1)
    assert (ALERTS["backdoor-ratio"].window, seeds["backdoor-ratio"].share.above) == ("30m", 0.1)
    assert seeds["more-high-than-usual"].usual.above == 10


def test_every_call_that_is_watched_is_one_of_guarddutys_api() -> None:
    session = pytest.importorskip("botocore.session").get_session()
    operations = set(session.get_service_model("guardduty").operation_names)
    [tests] = ALERTS["collection-altered"].where
    named = set(tests["eventName"].is_)
    newer = {name for name in named if "CustomDetectionRule" in name}  # than the oldest botocore that will do
    assert named - newer <= operations


def test_the_page_of_alerts_is_fresh() -> None:
    line = [sys.executable, "tools/make_alert_docs.py", "--check"]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_a_prefix_and_a_users_fields_reach_every_search() -> None:
    fields = fields_of_lens(Lens(field_prefix="gd_", extractors=()))
    made, notes = monitors(list(ALERTS.values()), fields, Names("acme-"), channel="c1")
    assert notes == ["skipped: alert log-bucket-altered: give --guardduty-bucket"]
    for resource in made:
        assert resource.name.startswith("acme-GuardDuty: ")
        [given] = resource.body["inputs"]
        assert all(index.startswith("acme-") for index in given["search"]["indices"])
        text = json.dumps(given)
        assert '"ingested_at"' not in text.replace("gd_ingested_at", "") or "eventName" in text
        [trigger] = (each for kinds in resource.body["triggers"] for each in kinds.values())
        [action] = trigger["actions"]
        assert action["destination_id"] == "c1"
        assert action["throttle"]["unit"] == "MINUTES"


def test_no_text_of_a_file_is_in_a_condition() -> None:
    made, _ = monitors(
        list(ALERTS.values()), FIELDS, Names(""), parameters={"guardduty_buckets": ["a'; return true; //"]}
    )
    for resource in made:
        [trigger] = (each for kinds in resource.body["triggers"] for each in kinds.values())
        source = trigger["condition"]["script"]["source"]
        assert "'" not in source
        assert '"' not in source


def test_parameters_stand_in_the_place_of_their_names() -> None:
    alert = ALERTS["log-bucket-altered"]
    assert with_parameters(alert, {}) is None
    filled = with_parameters(alert, {"guardduty_buckets": ["one", "two"]})
    assert filled.where[0]["requestParameters.bucketName"].is_ == ["one", "two"]
    assert with_parameters(ALERTS["critical"], {}) is ALERTS["critical"]


@pytest.mark.parametrize("alert", ALERTS.values(), ids=ALERTS)
def test_a_window_is_no_shorter_than_the_pause_between_two_looks(alert) -> None:
    assert alert.window is None or minutes(alert.window) >= minutes(alert.every)
    assert len(alert.cases) >= 3
