"""What is written for Coralogix: held to its provider's documented schema, and to how we read types."""

import csv
import json
import re
from pathlib import Path

import pytest

from guardduty_lens import Lens
from guardduty_lens.alerts.load import load_alerts
from guardduty_lens.compilers.coralogix import SEED_SPELLING, coralogix_file, type_pattern
from guardduty_lens.findings.type_grammar import parse_finding_type
from guardduty_lens.visuals.fields import fields_of_lens

ROOT = Path(__file__).parents[3]
FIELDS = fields_of_lens(Lens(extractors=()))
ALERTS = load_alerts(FIELDS)
BUCKETS = {"guardduty_buckets": ["our-findings", 'odd "bucket" ${x}']}

WINDOWS = {
    *("5_MINUTES", "10_MINUTES", "15_MINUTES", "30_MINUTES", "1_HOUR", "2_HOURS", "4_HOURS", "6_HOURS"),
    *("12_HOURS", "24_HOURS", "36_HOURS"),
}


def written(**options):
    text, notes = coralogix_file(ALERTS, FIELDS, **options)
    return json.loads(text)["resource"], notes


def filter_of(given):
    assert given.keys() == {"simple_filter"}
    assert given["simple_filter"].keys() == {"lucene_query"}
    return given["simple_filter"]["lucene_query"]


def test_every_alert_has_the_documented_form():
    resources, notes = written(parameters=BUCKETS)
    alerts = resources["coralogix_alert"]
    assert len(alerts) + len(notes) == len(ALERTS)
    assert {alert.id.replace("-", "_") for alert in ALERTS if alert.seed} <= alerts.keys()
    for alert in alerts.values():
        assert alert.keys() == {
            *("name", "description", "priority", "labels", "incidents_settings", "type_definition")
        }
        assert re.fullmatch("P[1-5]", alert["priority"])
        settings = alert["incidents_settings"]
        assert settings["notify_on"] in ("Triggered Only", "Triggered and Resolved")
        assert isinstance(settings["retriggering_period"]["minutes"], int)
        [(kind, given)] = alert["type_definition"].items()
        assert filter_of(given["denominator" if kind == "logs_ratio_threshold" else "logs_filter"])
        if kind == "logs_immediate":
            assert given.keys() == {"logs_filter"}
            continue
        [rule] = given["rules"]
        assert rule["condition"]["time_window"] in WINDOWS
        wanted = {
            "logs_threshold": {"threshold", "time_window", "condition_type"},
            "logs_ratio_threshold": {"threshold", "time_window", "condition_type"},
            "logs_anomaly": {"minimum_threshold", "time_window"},
        }
        assert rule["condition"].keys() == wanted[kind]


def test_the_seven_say_what_the_article_says():
    resources, _ = written(parameters=BUCKETS)
    kinds = {
        name: next(iter(alert["type_definition"])) for name, alert in resources["coralogix_alert"].items()
    }
    definitions = {
        name: alert["type_definition"][kinds[name]] for name, alert in resources["coralogix_alert"].items()
    }
    assert kinds["collection_altered"] == kinds["log_bucket_altered"] == "logs_immediate"
    assert kinds["phishing"] == kinds["actor"] == "logs_immediate"
    [rule] = definitions["no_logs"]["rules"]
    assert rule["condition"] == {"threshold": 1, "time_window": "10_MINUTES", "condition_type": "LESS_THAN"}
    assert filter_of(definitions["no_logs"]["logs_filter"]) == 'source:"aws.guardduty"'
    [rule] = definitions["backdoor_ratio"]["rules"]
    assert rule["condition"] == {"threshold": 0.1, "time_window": "30_MINUTES", "condition_type": "MORE_THAN"}
    assert 'threat_purpose:("Backdoor")' in filter_of(definitions["backdoor_ratio"]["numerator"])
    [rule] = definitions["more_high_than_usual"]["rules"]
    assert rule["condition"]["minimum_threshold"] == 10


def test_what_cannot_be_is_told_with_its_reason():
    _, notes = written()
    assert "skipped: alert log-bucket-altered: give --guardduty-bucket" in notes
    assert "skipped: alert open-too-long: it asks the state, which is an index of OpenSearch" in notes
    assert "skipped: alert surging: it compares records of one bucket with each other" in notes


def test_no_text_can_become_a_template_or_end_a_query():
    text, _ = coralogix_file(ALERTS, FIELDS, parameters=BUCKETS)
    assert "${x}" not in text.replace("$${x}", "")
    resources = json.loads(text)["resource"]
    query = filter_of(
        resources["coralogix_alert"]["log_bucket_altered"]["type_definition"]["logs_immediate"]["logs_filter"]
    )
    assert r'"odd \"bucket\" $${x}"' in query


@pytest.mark.parametrize("spelling", ["threat_resource_affected", SEED_SPELLING])
def test_the_rule_reads_every_type_as_we_do(spelling):
    resources, _ = written(seed_spelling=spelling == SEED_SPELLING)
    [group] = resources["coralogix_parsing_rules"]["guardduty"]["rule_subgroups"]
    [rule] = group["rules"]
    assert rule["extract"].keys() == {"name", "description", "source_field", "regular_expression"}
    assert rule["extract"]["source_field"] == rule["extract"]["source_field"].lower()
    pattern = re.compile(rule["extract"]["regular_expression"], re.ASCII)
    assert rule["extract"]["regular_expression"] == type_pattern(spelling)
    types = known_types()
    assert len(types) > 200
    for name in types:
        parts, found = parse_finding_type(name), pattern.match(name)
        assert found is not None, name
        joined = f"{parts.family}.{parts.variant}" if parts.variant else parts.family
        assert found.groupdict() == {
            "threat_purpose": parts.purpose,
            spelling: parts.resource,
            "threat_name": joined,
            "threat_artifact": parts.artifact,
        }


def known_types():
    path = ROOT / "tests/data/finding_types.csv"
    with path.open(newline="") as file:
        return [row[0] for row in csv.reader(file) if ":" in row[0]]
