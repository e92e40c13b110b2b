"""The ingest pipeline on the real server: the oracle's fields, and what a record is in the cluster."""

import json
import uuid
from datetime import UTC, datetime

import pytest
from event_forms import (
    CALL,
    FORMS,
    PLACES,
    SCAN,
    TESTS,
    UPDATED,
    documents_of,
    identity,
    of_corpus,
    of_samples,
)
from finding_events import EVENT, event
from fuzzed import fuzzed
from pipelines import InstalledPipeline

from guardduty_lens import Lens
from guardduty_lens.catalogue.examples import example_event, same_json
from guardduty_lens.engine.oracle import Oracle

CATALOGUES = TESTS / "unit/engine/catalogues"
TIMES = ("@timestamp", "ingested_at", "ingest_lag_seconds")
OUTSIDE = {*TIMES, "chosen_id", "chosen_index"}


def own_names():
    return f"pipeline-test-{uuid.uuid4().hex[:8]}-"


@pytest.fixture(scope="module")
def plan():
    return Lens(extractors=()).plan


@pytest.fixture(scope="module")
def pipeline(opensearch_url, plan):
    installed = InstalledPipeline(opensearch_url, plan, own_names())
    yield installed
    installed.remove()


@pytest.fixture
def with_plan(opensearch_url):
    made = []

    def install(plan):
        made.append(InstalledPipeline(opensearch_url, plan, own_names()))
        return made[-1]

    yield install
    for installed in made:
        installed.remove()


# --- conformance ------------------------------------------------------------------------------------


def differences(plan, pairs, indexed, prefix=""):
    """List where the index does not hold the event with the oracle's fields, and the fields met."""
    oracle = Oracle(plan)
    keys = set(plan.keys)
    found, met = [], set()
    for (layout, document), held in zip(pairs, indexed, strict=True):
        cleared = {key: value for key, value in layout.items() if key not in keys}
        expected = oracle.added(oracle.fields(cleared))
        added = {key: value for key, value in held.items() if key in keys}
        outside = keys | OUTSIDE | {f"{prefix}{key}" for key in (*TIMES, "lens_pipeline_failure")}
        rest = {key: value for key, value in held.items() if key not in outside}
        met |= added.keys()
        if not same_json(added, expected):
            odd = {k for k in added.keys() | expected.keys() if not same_json(added.get(k), expected.get(k))}
            found.append((document, {key: (added.get(key), expected.get(key)) for key in odd}))
        elif not same_json(rest, cleared):
            found.append((document, rest))
        elif held["chosen_id"] != identity(layout, {key.removeprefix(prefix): v for key, v in added.items()}):
            found.append((document, held["chosen_id"]))
    return found, met


@pytest.fixture(scope="module")
def outcomes(plan, pipeline):
    corpus, samples = of_corpus(), of_samples()
    cases = {
        "corpus": corpus,
        "samples": samples,
        "fuzzed": list(fuzzed([*corpus, *samples[:300]], 4_000, seed=11)),
    }
    found = {}
    for case, events in cases.items():
        # The real ones in every form, the fuzzed in one each.
        shifts = [0] if case == "fuzzed" else range(FORMS)
        pairs = [pair for shift in shifts for pair in documents_of(events, shift)]
        indexed = pipeline.indexed([document for _, document in pairs])
        found[case] = (len(pairs), *differences(plan, pairs, indexed))
    return found


@pytest.mark.parametrize(("case", "least"), [("corpus", 6 * 120), ("samples", 6 * 2_000), ("fuzzed", 4_000)])
def test_the_pipeline_adds_what_the_oracle_adds(case, least, outcomes):
    count, found, _ = outcomes[case]
    assert count >= least
    assert not found, f"{len(found)} of {count} differ: {found[0]!r:.3000}"


def test_every_built_in_field_was_met(plan, outcomes):
    assert set(plan.keys) == {key for _, _, met in outcomes.values() for key in met}


@pytest.mark.parametrize(
    ("fields", "prefix"),
    [
        (CATALOGUES, ""),
        (CATALOGUES, "gd_"),
        (TESTS / "catalogue/valid/every_operation.yml", ""),
        (TESTS.parent / "examples/fields", "acme_"),
    ],
)
def test_a_catalogue_of_ones_own(fields, prefix, with_plan):
    lens = Lens(fields=fields, field_prefix=prefix, extractors=())
    of_user = [entry for entry in lens.catalogue.entries if lens.catalogue.groups[entry.field] in OWN]
    names = [event({"resource": {"eksClusterDetails": {"name": name}}}) for name in CLUSTERS]
    examples = [example_event(example) for entry in of_user for example in entry.examples]
    events = [*names, *examples, *fuzzed([EVENT, *names, *examples], 600, seed=3)]
    pairs = list(documents_of(events))
    indexed = list(with_plan(lens.plan).indexed([document for _, document in pairs]))
    found, met = differences(lens.plan, pairs, indexed, prefix)
    assert not found, f"{len(found)} differ: {found[0]!r:.3000}"
    written = {f"{prefix}{entry.field}" for entry in of_user if not entry.hidden}
    assert written
    assert written <= met
    assert not [key for held in indexed for key in held if key.startswith("lensregex")]


CLUSTERS = (
    "pay-prod",
    "pay-test-12",
    "Pay-prod",
    "a" * 1_020 + "-dev",
    "a" * 1_021 + "-dev",
    "\U0001f600",
    "",
)
OWN = {"odd", "company", "ours"}


# --- what a record is in the cluster ----------------------------------------------------------------


@pytest.fixture
def put(pipeline):
    def one(document):
        [held] = pipeline.indexed([document])
        return held

    return one


def place(pipeline, held):
    return held["chosen_index"].removeprefix(pipeline.names.prefix), held["chosen_id"]


@pytest.mark.parametrize(("change", "envelope", "index", "identifier"), PLACES)
def test_index_and_id_of_a_finding(change, envelope, index, identifier, pipeline, put):
    assert place(pipeline, put(event(change, **envelope))) == (index, identifier)


def test_without_any_month_the_arrival_says_it(pipeline, put):
    held = put(event({"updatedAt": None}, time="soon"))
    arrived = datetime.fromisoformat(held["ingested_at"])
    assert place(pipeline, held) == (f"guarddutylogs-{arrived:%Y.%m}", "f1__3_true")


def test_an_id_that_is_too_long_is_left_to_the_server(pipeline, put):
    assert put(event({"id": "\u00e4" * 240, "updatedAt": None}))["chosen_id"] == "\u00e4" * 240 + "__3_true"
    held = put(event({"id": "\u00e4" * 253, "updatedAt": None}))
    assert held["chosen_id"] is None
    assert held["lens_pipeline_failure"]["step"] == "lens-fields"
    assert held["lens_pipeline_failure"]["message"].startswith("id_too_long")


@pytest.mark.parametrize("form", [lambda value: value, lambda value: {"message": json.dumps(value)}])
def test_other_events_of_guardduty(form, pipeline, put):
    held = put(form(SCAN))
    assert place(pipeline, held) == ("guarddutylogs-2024.05", "e7")
    assert held["record_kind"] == "malware_scan"
    assert held["account_id"] == "111122223333"
    assert held["@timestamp"] == "2024-05-06T07:08:09Z"
    held = put(form(CALL))
    assert place(pipeline, held) == ("guardduty-cloudtrail-2024.02", "c9")
    assert held["record_kind"] == "api_call"
    assert held["@timestamp"] == "2024-02-03T04:05:06Z"


@pytest.mark.parametrize(
    "document",
    [
        {"message": "hello", "log": "{", "@timestamp": "2024-01-01T00:00:00Z"},
        {"message": '{"level": "info"}', "@timestamp": "2024-01-01T00:00:00Z"},
        {"message": '{"a":' * 3_000 + "1" + "}" * 3_000, "@timestamp": "2024-01-01T00:00:00Z"},
        {"message": json.dumps(EVENT) + " and more", "@timestamp": "2024-01-01T00:00:00Z"},
    ],
)
def test_foreign_documents_stay_where_they_were_sent(document, pipeline, put):
    held = put(document)
    assert place(pipeline, held) == ("read-back", None)
    lag = held.pop("ingest_lag_seconds")
    assert lag > 0
    del held["ingested_at"], held["chosen_index"], held["chosen_id"]
    assert held == {**document, "record_kind": "other"}


@pytest.mark.parametrize(
    ("seen", "instant"),
    [
        ("2025-02-25T20:40:06Z", "2025-02-25T20:40:06+00:00"),
        ("2025-02-25 20:40:06.721", "2025-02-25T20:40:06.721+00:00"),
        ("2025-02-25T20:40:06.721000000001Z", "2025-02-25T20:40:06.721+00:00"),
        ("2025-02-25T20:40:06.5+02:00", "2025-02-25T18:40:06.5+00:00"),
        ("2025-02-25T20:40:06-0130", "2025-02-25T22:10:06+00:00"),
    ],
)
def test_the_three_times(seen, instant, put):
    before = datetime.now(UTC)
    held = put(event({"service": {"eventLastSeen": seen}}))
    arrived = datetime.fromisoformat(held["ingested_at"])
    assert held["@timestamp"] == seen
    assert held["ingested_at"].endswith("Z")
    assert len(held["ingested_at"]) == len("2025-02-25T20:40:06.000Z")
    assert abs((arrived - before).total_seconds()) < 60
    lag = (arrived - datetime.fromisoformat(instant)).total_seconds()
    assert held["ingest_lag_seconds"] == pytest.approx(lag, abs=0.0005)


def test_a_time_that_is_none_has_no_lag(put):
    held = put(event({"service": {"eventLastSeen": "yesterday, at tea time"}}))
    assert held["@timestamp"] == "yesterday, at tea time"
    assert "ingest_lag_seconds" not in held


# --- what must not happen ---------------------------------------------------------------------------


def test_a_failing_step_is_named_and_the_document_kept(pipeline, put):
    endless = event({"type": "Recon:EC2/" + "x" * 1_100_000})  # beyond the statements of one function
    held = put(endless)
    assert held["lens_pipeline_failure"]["step"] == "lens-fields"
    assert "maximum number of statements" in held["lens_pipeline_failure"]["message"]
    assert {key: held[key] for key in endless} == endless
    assert held["@timestamp"] == "2025-03-04T05:06:07Z"
    assert not set(held) - set(endless) - OUTSIDE - {"lens_pipeline_failure"}


def test_keys_of_ours_that_were_there_are_made_anew(put):
    stale = {"threat_name": "old", "user_name": ["old"], "ingested_at": "old", "lens_pipeline_failure": "old"}
    held = put({**event(), **stale})
    assert held["threat_name"] == "SSHBruteForce"
    assert held["user_name"] == "root"
    assert held["ingested_at"] != "old"
    assert "lens_pipeline_failure" not in held
    again = {key: value for key, value in held.items() if not key.startswith("chosen")}
    second = put(again)
    kept = {key: value for key, value in second.items() if key not in TIMES}
    assert kept == {key: value for key, value in held.items() if key not in TIMES}


def test_text_cannot_pass_for_the_servers_own_keys(pipeline, put):
    forged = {**event(), "_index": "elsewhere", "_id": "mine", "_routing": "9"}
    held = put({"message": json.dumps(forged)})
    assert place(pipeline, held) == ("guarddutylogs-2025.03", f"f1_{UPDATED}_3_true")
    assert {key: held[key] for key in EVENT} == EVENT
