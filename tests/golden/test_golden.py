"""Findings whose added fields were written by hand before any code ran; see README.md beside this file."""

import json
from decimal import Decimal
from functools import cache
from pathlib import Path

import msgspec
import pytest
from engines import Engines, empty_values, strict_json

from guardduty_lens import Lens, Record
from guardduty_lens.catalogue.examples import same_json
from guardduty_lens.engine.origins import writing_order
from guardduty_lens.samples import generate_payloads

CASES = sorted(path for path in Path(__file__).parent.iterdir() if path.is_dir() and path.name[0] not in "._")
SAMPLES = 3_000

ACTION_TYPES = {
    "AWS_API_CALL",
    "DNS_REQUEST",
    "KUBERNETES_API_CALL",
    "NETWORK_CONNECTION",
    "PORT_PROBE",
    "RDS_LOGIN_ATTEMPT",
}
RESOURCES_AND_FEATURES = {
    "bucket_names",
    "kubernetes_cluster",
    "ecs_cluster",
    "db_engine",
    "volume_arns",
    "malware_names",
    "process_names",
    "sequence_uid",
}


@pytest.fixture(scope="module")
def engines():
    return Engines()


@pytest.fixture(params=CASES, ids=lambda case: case.name)
def case(request):
    return request.param


def expected_of(case):
    return strict_json((case / "expected.json").read_bytes())


@cache
def record_of(case):
    return only_record((case / "input.json").read_bytes())


def only_record(raw):
    [record] = Lens(extractors=()).process(raw)
    assert isinstance(record, Record), record
    return record


def test_case_names_its_source_and_what_it_is_for(case):
    source = (case / "SOURCE.md").read_text()
    assert source.startswith("Source: ")
    assert "\nCovers: " in source


def test_fields_are_those_written_by_hand(case):
    added, expected = record_of(case).added(), expected_of(case)
    different = {key for key in {**added, **expected} if not same_json(added.get(key), expected.get(key))}
    assert {key: (added.get(key), expected.get(key)) for key in sorted(different)} == {}


def test_fields_stand_in_their_order(case, engines):
    order = [field for field in writing_order(engines.plan.entries) if field in expected_of(case)]
    assert list(record_of(case).added()) == order
    assert list(strict_json(record_of(case).to_json()))[-len(order) :] == order


def test_nothing_empty_is_added(case):
    assert empty_values(record_of(case).added()) == []


def test_every_field_is_of_its_type(case, engines):
    from guardduty_lens.catalogue.types import CHECKS

    added = record_of(case).added()
    for entry in engines.plan.entries:
        if entry.key in added:
            value = added[entry.key]
            values = value if entry.cardinality == "many" else [value]
            assert isinstance(values, list)
            assert all(CHECKS[entry.type](item) for item in values), entry.field


def test_the_original_is_unchanged(case, engines):
    [event] = engines.events((case / "input.json").read_bytes().strip())
    record = strict_json(record_of(case).to_json())
    rest = {key: value for key, value in record.items() if key not in record_of(case).added()}
    assert same_json(rest, json.loads(json.dumps(event)))
    assert list(rest) == list(event)


def exact(raw):
    """Decode JSON so that numbers compare digit by digit and members in order."""
    return json.loads(raw, parse_int=Decimal, parse_float=Decimal, object_pairs_hook=tuple)


def test_a_second_pass_changes_nothing(case):
    once = record_of(case).to_json()
    twice = only_record(once).to_json()
    assert exact(twice) == exact(once)
    # Blanks of the original stay at first, and go where a record is enriched anew; then nothing moves.
    assert only_record(twice).to_json() == twice


def test_a_second_pass_over_compact_json_gives_the_same_bytes(case):
    once = only_record(msgspec.json.encode(record_of(case).to_dict())).to_json()
    assert only_record(once).to_json() == once


def test_three_ways_give_the_same(case, engines):
    raw = (case / "input.json").read_bytes().strip()
    assert same_json(engines.check(raw).added(), expected_of(case))
    [event] = engines.events(raw)
    assert same_json(engines.check_event(event).added(), expected_of(case))


def test_the_spliced_way_takes_its_share(engines):
    spliced = [
        case.name for case in CASES if engines.engine.splice((case / "input.json").read_bytes().strip())
    ]
    assert len(spliced) > len(CASES) / 2


def test_cases_cover_what_they_must():
    fields = [expected_of(case) for case in CASES]
    assert sum(each["record_kind"] == "finding" for each in fields) >= 14
    assert {each.get("action_type") for each in fields} >= ACTION_TYPES
    assert {key for each in fields for key in each} >= RESOURCES_AND_FEATURES
    assert any(each.get("resource_type") == "Lambda" for each in fields)


def test_every_field_occurs_in_a_case_or_a_sample(engines):
    seen = {key for case in CASES for key in expected_of(case)}
    for raw in generate_payloads(SAMPLES, 2, "eventbridge"):
        seen |= engines.engine.splice(raw).fields.keys()
    assert set(engines.plan.keys) - seen == set()
