import csv
import json
from pathlib import Path
from typing import Any

import pytest
from transports import OF_ENVELOPES, OF_FINDINGS, SINGLE, THRICE

from guardduty_lens import Lens, Record
from guardduty_lens.findings.type_grammar import canonical_spelling

CORPUS = Path(__file__).parents[1] / "corpus"


def read_index() -> list[dict[str, str]]:
    with (CORPUS / "index.csv").open(newline="") as file:
        return list(csv.DictReader(file))


INDEX = read_index()


def name_of(row: dict[str, str]) -> str:
    return row["file"].replace("__", "-").removesuffix(".json")


def records_of(payload: Any) -> list[Record]:
    """Give the records of a payload, holding that nothing is rejected and all is accounted for."""
    lens = fresh_lens()
    found = list(lens.process(payload))
    assert all(isinstance(item, Record) for item in found), found
    for record in found:
        assert b"\n" not in record.to_json()
        assert json.loads(record.to_json()) == record.to_dict()
    assert lens.counters.events == len(found)
    assert sum(lens.counters.records.values()) == len(found)
    assert not lens.counters.rejected
    assert not lens.counters.control
    assert not lens.counters.filtered
    return found


def fresh_lens() -> Lens:
    lens = _LENS[0]
    lens.counters = type(lens.counters)()
    return lens


_LENS = [Lens(extractors=())]


# --- each file --------------------------------------------------------------------------------------


def test_the_index_names_every_file():
    files = {str(path.relative_to(CORPUS)) for path in CORPUS.glob("*/*")}
    assert {row["file"] for row in INDEX} == files
    assert all(row["licence"] and row["repo"] for row in INDEX)


@pytest.mark.parametrize("row", INDEX, ids=name_of)
def test_findings_and_types_of_a_file(row):
    found = records_of((CORPUS / row["file"]).read_bytes())
    findings = [record for record in found if record.kind == "finding"]
    types = row["finding_type"].split(";") if row["n_findings"] != "0" else []
    assert len(findings) == int(row["n_findings"])
    assert [record.to_dict()["detail"]["type"] for record in findings] == types
    assert [record.fields["finding_type"] for record in findings] == [canonical_spelling(t) for t in types]
    assert len(found) == max(1, len(findings))


@pytest.mark.parametrize("row", INDEX, ids=name_of)
def test_a_file_in_small_blocks_gives_the_same(row):
    data = (CORPUS / row["file"]).read_bytes()
    blocks = [data[start : start + 1000] for start in range(0, len(data), 1000)]
    streamed = list(fresh_lens().stream(blocks))
    assert [record.to_dict() for record in streamed] == [record.to_dict() for record in records_of(data)]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("malware_object_scan_result_sns", "malware_scan"),
        ("cloudtrail_createsamplefindings", "api_call"),
        ("guard_duty_all_empty_detail", "other_aws"),
    ],
)
def test_kinds_of_the_negatives(name, kind):
    [path] = (CORPUS / "negative").glob(f"*__{name}.json")
    assert [record.kind for record in records_of(path.read_bytes())] == [kind]


@pytest.mark.parametrize("row", INDEX, ids=name_of)
def test_a_second_pass_changes_nothing(row):
    for record in records_of((CORPUS / row["file"]).read_bytes()):
        [again] = records_of(record.to_json())
        assert again.to_dict() == record.to_dict()


# --- each finding, in every transport ---------------------------------------------------------------


def plain_values() -> list[tuple[str, Any]]:
    """Give every finding of the corpus once: as its file has it, without a transport."""
    values = []
    for row in INDEX:
        if row["shape"] in {"derived_dev", "negative"}:
            continue
        content = json.loads((CORPUS / row["file"]).read_bytes())
        if row["shape"] == "sns":
            content = json.loads(content["Records"][0]["Sns"]["Message"])
        found = content["Findings"] if row["shape"] == "api_getfindings" else [content]
        values += [(name_of(row), value) for value in found]
    return values


VALUES = plain_values()


@pytest.mark.parametrize("transport", SINGLE)
def test_every_transport_gives_the_record_of_the_plain_form(transport, plain_records):
    for (name, value), plain in zip(VALUES, plain_records, strict=True):
        found = records_of(SINGLE[transport](value))
        assert [record.to_dict() for record in found] == [plain], name


@pytest.mark.parametrize("transport", THRICE)
def test_transports_of_three_give_three(transport, plain_records):
    for (name, value), plain in zip(VALUES, plain_records, strict=True):
        found = records_of(THRICE[transport](value))
        assert [record.to_dict() for record in found] == [plain] * 3, name


@pytest.fixture(scope="session")
def plain_records():
    return [the_record(value) for _, value in VALUES]


def the_record(value: Any) -> dict[str, Any]:
    [record] = records_of(json.dumps(value))
    return record.to_dict()


@pytest.mark.parametrize("transport", OF_FINDINGS)
def test_transports_of_bare_findings(transport):
    for name, value in VALUES:
        finding = value.get("detail", value)
        found = records_of(OF_FINDINGS[transport](finding))
        assert [record.to_dict() for record in found] == [the_record(finding)], name


@pytest.mark.parametrize("transport", OF_ENVELOPES)
def test_transports_of_envelopes(transport):
    enveloped = [(name, value) for name, value in VALUES if "detail" in value]
    assert len(enveloped) > 30
    for name, event in enveloped:
        found = records_of(OF_ENVELOPES[transport](event))
        assert [record.to_dict() for record in found] == [the_record(event)], name


def test_the_whole_envelope_is_what_a_bare_finding_is_wrapped_in():
    for name, value in VALUES:
        if "detail" in value:
            continue
        keys = (
            ("AccountId", "Region", "UpdatedAt") if "Type" in value else ("accountId", "region", "updatedAt")
        )
        places = zip(("account", "region", "time"), keys, strict=True)
        envelope = {
            "version": "0",
            "detail-type": "GuardDuty Finding",
            "source": "aws.guardduty",
            "resources": [],
            "detail": value,
        } | {key: value[origin] for key, origin in places if isinstance(value.get(origin), str)}
        assert the_record(envelope) == the_record(value), name


def test_decoded_payloads_give_the_same_as_bytes(plain_records):
    for (name, value), plain in zip(VALUES, plain_records, strict=True):
        assert [record.to_dict() for record in records_of(value)] == [plain], name
        assert [record.to_dict() for record in records_of([value, value])] == [plain, plain], name


def test_all_of_the_corpus_in_one_stream(plain_records):
    data = b"".join(json.dumps(value).encode() + b"\n" for _, value in VALUES)
    assert [record.to_dict() for record in records_of(data)] == plain_records
    lens = fresh_lens()
    list(lens.process(data))
    assert lens.counters.payloads == len(VALUES)
    assert lens.counters.records == {"finding": len(VALUES)}
    assert sum(lens.counters.findings.values()) == len(VALUES)


def test_the_event_is_only_added_to():
    for name, value in VALUES:
        if "detail" in value and "type" not in value["detail"]:
            continue  # PascalCase below the envelope is translated
        record = the_record(value)
        if "Type" in value:
            continue
        event = value if "detail" in value else {"detail": value}
        assert {key: record[key] for key in event} == event, name
