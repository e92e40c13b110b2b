"""`filter`: what its options mean. Rules, shapes and fields have tests of their own."""

import json

import pytest
from finding_events import EVENT, compact, event

from guardduty_lens.catalogue.load import builtin_catalogue
from guardduty_lens.outputs.forms import flatten


@pytest.fixture
def filtered(command, tmp_path):
    """Filter events with options, and give the records."""

    def run(*options, events=(EVENT,), code=0):
        result = command("filter", "-q", *options, stdin=b"\n".join(map(compact, events)))
        assert (result.code, result.err) == (code, "")
        return result.records

    return run


@pytest.fixture
def refused(command):
    """Give the message of a use that is refused with exit code 2, before anything is written."""

    def run(*options):
        result = command("filter", *options, stdin=compact(EVENT))
        assert result.code == 2
        assert result.out == ""
        assert "Traceback" not in result.err
        return result.err

    return run


# --- what comes out -------------------------------------------------------------------------------


def test_records_on_standard_output(filtered):
    [record] = filtered()
    assert record["detail"] == EVENT["detail"]
    assert record["threat_name"] == "SSHBruteForce"


@pytest.mark.parametrize("option", ["-o", "--output"])
def test_output_to_a_file(command, tmp_path, option):
    (tmp_path / "out.jsonl").write_text("what was there before\n")
    result = command("filter", option, "out.jsonl", stdin=compact(EVENT))
    assert (result.code, result.out) == (0, "")
    [line] = (tmp_path / "out.jsonl").read_text().splitlines()
    assert json.loads(line)["threat_name"] == "SSHBruteForce"


def test_output_dash_is_standard_output(filtered):
    assert filtered("-o", "-") == filtered()


def test_add_only(filtered):
    [record] = filtered("--add-only")
    assert record.keys() & EVENT.keys() == set()
    assert record["severity_label"] == "High"


def test_add_only_of_foreign_events(filtered):
    assert filtered("--add-only", events=[{"a": 1}]) == [{"record_kind": "other"}]


def test_flatten(filtered):
    [record] = filtered("--flatten")
    [added] = filtered("--add-only")
    assert record == flatten(EVENT["detail"]) | added
    assert record["resource.s3BucketDetails.0.tags.1.key"] == "c"


def test_flatten_and_add_only_exclude_each_other(refused):
    assert "--flatten and --add-only exclude each other" in refused("--flatten", "--add-only")


def test_field_prefix(filtered):
    [plain] = filtered("--add-only")
    [prefixed] = filtered("--add-only", "--field-prefix", "gd_")
    assert prefixed == {f"gd_{key}": value for key, value in plain.items()}


# --- rules ----------------------------------------------------------------------------------------

FOREIGN = {"source": "aws.s3", "detail-type": "x", "detail": {}}
SCAN = {
    "source": "aws.guardduty",
    "detail-type": "GuardDuty Malware Protection Object Scan Result",
    "account": "111122223333",
    "detail": {},
}


def severities(records):
    return [record.get("severity_score") for record in records]


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        (["finding"], ["finding"]),
        (["malware_scan", "other_aws"], ["other_aws", "malware_scan"]),
        (["health"], []),
    ],
)
def test_only(filtered, kinds, expected):
    options = [option for kind in kinds for option in ("--only", kind)]
    assert [record["record_kind"] for record in filtered(*options, events=[EVENT, FOREIGN, SCAN])] == expected


def test_only_knows_its_kinds(refused):
    assert "'findings' is not one of" in refused("--only", "findings")


@pytest.mark.parametrize(
    ("least", "expected"),
    [
        ("High", [7, 9.5, None]),
        ("high", [7, 9.5, None]),
        ("Critical", [9.5, None]),
        ("2", [2, 5, 7, 9.5, None]),
        ("6.9", [7, 9.5, None]),
        ("Unknown", [1, 2, 5, 7, 9.5, None]),
    ],
)
def test_min_severity(filtered, least, expected):
    events = [event({"severity": severity}) for severity in (1, 2, 5, 7, 9.5, None)]
    assert severities(filtered("--min-severity", least, events=events)) == expected


def test_min_severity_names_the_labels(refused):
    message = refused("--min-severity", "Hihg")
    assert "'Hihg' is no number" in message
    assert "Critical" in message


def test_exclude_samples_and_archived(filtered):
    real = event({"service": {"additionalInfo": {"value": None}, "archived": False}})
    archived = event({"service": {"additionalInfo": {"value": None}}})
    sample = event({"service": {"archived": False}})
    everything = [real, archived, sample, FOREIGN]
    assert len(filtered(events=everything)) == 4
    flags = [
        (record.get("is_sample"), record.get("is_archived"))
        for record in filtered("--exclude-samples", events=everything)
    ]
    assert flags == [(False, False), (False, True), (None, None)]
    assert len(filtered("--exclude-archived", events=everything)) == 3
    assert len(filtered("--exclude-archived", "--exclude-samples", events=everything)) == 2


def test_drop_if_and_keep_if(filtered, command):
    events = [event({"severity": severity}) for severity in (2, 5, 8)]
    assert severities(filtered("--drop-if", "severity_score < 3", events=events)) == [5, 8]
    assert severities(filtered("--keep-if", "severity_label = Medium", events=events)) == [5]
    both = ("--drop-if", "severity_score < 3", "--drop-if", "loud: severity_label = High")
    assert severities(filtered(*both, events=events)) == [5]
    result = command("filter", *both, stdin=b"\n".join(map(compact, events)))
    assert "filtered  loud 1, severity_score < 3 1" in result.err


def test_rules_speak_of_fields_without_their_prefix(filtered):
    events = [event({"severity": severity}) for severity in (2, 8)]
    rules = ("--field-prefix", "gd_", "--drop-if", "severity_score < 3")
    assert [record["gd_severity_score"] for record in filtered(*rules, events=events)] == [8]


@pytest.mark.parametrize("option", ["--drop-if", "--keep-if"])
@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("severity_scor < 3", "did you mean 'severity_score'?"),
        ("severity_score < low", "'low' is no number"),
        ("title < 3", "needs a number"),
        ("", "expected a field at character 1"),
        ("title = a or title = b", "expected 'and'"),
    ],
)
def test_rules_that_cannot_be_read(refused, option, rule, message):
    assert message in refused(option, rule)


# --- severity schemes -----------------------------------------------------------------------------


def labels(records):
    return [record["severity_label"] for record in records]


EDGES = [event({"severity": severity}) for severity in (0, 0.5, 3.95, 6.95, 8.95, 9)]


def test_severity_schemes(filtered):
    assert labels(filtered(events=EDGES)) == ["Unknown", "Unknown", "Low", "Medium", "High", "Critical"]
    seed = ["Reserved", "Low", "Medium", "High", "Reserved", "Reserved"]
    assert labels(filtered("--severity-scheme", "seed-2020", events=EDGES)) == seed


def test_a_scheme_of_the_users_own(filtered, tmp_path):
    (tmp_path / "ours.yml").write_text(
        "name: ours\n"
        "default: Nothing\n"
        "bands:\n"
        "  - {label: Later, below: 7, at_least: 1, rank: 1}\n"
        "  - {label: Now, at_least: 7, rank: 9}\n"
    )
    scheme = ("--severity-scheme", "ours.yml")
    records = filtered(*scheme, events=EDGES)
    assert labels(records) == ["Nothing", "Nothing", "Later", "Later", "Now", "Now"]
    assert [record["severity_rank"] for record in records] == [0, 0, 1, 1, 9, 9]
    assert len(filtered(*scheme, "--min-severity", "now", events=EDGES)) == 4


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: x\nbands: []\n", "$.bands"),
        ("name: x\n", "bands"),
        ("bands: [{label: A}]\n", "name"),
        ("name: x\nbands: [{label: A, blow: 3}]\n", "blow"),
        ("name: x\nbands: [{label: A, below: five}]\n", "$.bands[0].below"),
        ("- a\n", ""),
        ("name: [x\n", ":2:1: no YAML"),
        ("name: x\nname: y\nbands: [{label: A}]\n", "name"),
    ],
)
def test_schemes_that_cannot_be_read(refused, tmp_path, text, message):
    (tmp_path / "bad.yml").write_text(text)
    error = refused("--severity-scheme", "bad.yml")
    assert "bad.yml" in error
    assert message in error


def test_a_scheme_that_is_no_utf8(refused, tmp_path):
    (tmp_path / "bad.yml").write_bytes(b"name: \xff\n")
    assert "no UTF-8" in refused("--severity-scheme", "bad.yml")


def test_a_scheme_that_is_not_there(refused):
    assert "'aws2' is neither a scheme (aws, seed-2020) nor a file" in refused("--severity-scheme", "aws2")


# --- the user's catalogue -------------------------------------------------------------------------

GOOD = """
fields:
  - field: owner
    type: label
    description: Who is asked.
    from: [detail.accountId]
    operation: {lookup: {entries: {"111122223333": payments}}}
    examples:
      - given: {detail: {accountId: "111122223333"}}
        gives: payments
"""


def test_fields_of_a_folder_and_of_a_file(filtered, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/owner.yml").write_text(GOOD)
    for path in ("mine", "mine/owner.yml"):
        [record] = filtered("--fields", path, "--keep-if", "owner = payments")
        assert record["owner"] == "payments"


def test_fields_with_problems_are_all_listed(refused, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/a.yml").write_text(GOOD.replace("type: label", "type: lable"))
    (tmp_path / "mine/b.yml").write_text(GOOD.replace("owner", "id").replace("lookup", "lokup"))
    error = refused("--fields", "mine")
    assert "a.yml:4:11: " in error
    assert "b.yml:" in error
    assert error.count(".yml:") >= 2
    assert "did you mean 'label'?" in error


def test_fields_whose_examples_do_not_hold(refused, tmp_path):
    (tmp_path / "a.yml").write_text(GOOD.replace("gives: payments", "gives: shop"))
    assert "gives 'payments', not 'shop'" in refused("--fields", "a.yml")


def test_fields_that_are_not_there(refused, tmp_path):
    assert "does not exist" in refused("--fields", "nowhere")
    (tmp_path / "empty").mkdir()
    assert "no *.yml file" in refused("--fields", "empty")


# --- wrappers -------------------------------------------------------------------------------------


def test_wrapper_keys(filtered):
    wrapped = {"stream": "stdout", "payload_text": json.dumps(EVENT)}
    assert filtered(events=[wrapped])[0]["record_kind"] == "other"
    assert filtered("--wrapper-key", "payload_text", events=[wrapped])[0]["record_kind"] == "finding"
    inner = {"a": {"b": {"body_": EVENT}}}
    keys = ("--wrapper-key", "a", "--wrapper-key", "b", "--wrapper-key", "body_")
    assert filtered(*keys, events=[inner])[0]["finding_id"] == "f1"


# --- the command line -----------------------------------------------------------------------------


def test_unknown_options_and_paths(refused):
    assert "No such option" in refused("--flaten")
    assert "does not exist" in refused("nowhere.json")


def test_every_field_may_stand_in_a_rule(filtered):
    names = [entry.field for entry in builtin_catalogue().entries if not entry.hidden]
    tests = " and ".join(f"!{name}" for name in names)
    assert len(filtered("--drop-if", f"nothing: {tests}")) == 1
