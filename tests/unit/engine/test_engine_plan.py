from pathlib import Path

import msgspec
import pytest
from engines import Engines
from finding_events import EVENT, compact, event

from guardduty_lens.catalogue.load import builtin_catalogue, load_catalogue
from guardduty_lens.catalogue.model import ENVELOPE_KEYS
from guardduty_lens.engine.engine import Engine
from guardduty_lens.engine.oracle import Oracle, added_fields
from guardduty_lens.engine.plan import SEVERITY_RANKS_TABLE, compile_plan
from guardduty_lens.extractors import Extractor, ExtractorField
from guardduty_lens.findings.severity import AWS, SEED_2020


def plan_of(tmp_path, text, **options):
    file = tmp_path / "mine.yml"
    file.write_text(text)
    catalogue = load_catalogue(file)
    return compile_plan(catalogue.entries, catalogue.tables, options.pop("scheme", AWS), **options)


@pytest.fixture(scope="module")
def builtin():
    catalogue = builtin_catalogue()
    return compile_plan(catalogue.entries, catalogue.tables, AWS)


# --- the plan ------------------------------------------------------------------------------------------


def test_kind_runs_first_and_warnings_last(builtin):
    names = [entry.field for entry in builtin.entries]
    assert names[0] == "record_kind"
    assert names[-1] == "lens_warnings"


def test_no_key_is_an_envelopes(builtin):
    assert not ENVELOPE_KEYS & set(builtin.keys)
    assert len(set(builtin.keys)) == len(builtin.keys)


def test_hidden_entries_are_no_keys(tmp_path):
    plan = plan_of(
        tmp_path,
        """
fields:
  - field: step
    type: label
    description: A step.
    hidden: true
    from: [detail.title]
    examples: [{given: {}, gives_nothing: true}]
  - field: shout
    type: label
    description: Reads it.
    from: [step]
    operation: {case: {to: upper}}
    examples: [{given: {detail: {title: ab}}, gives: AB}]
""",
    )
    assert "step" not in plan.keys
    record = Engine(plan).splice(compact(EVENT))
    assert "step" not in record.added()
    assert "step" not in record.fields
    assert record.added()["shout"] == "PROD-SHOP"


def test_prefix_goes_before_every_key(builtin):
    catalogue = builtin_catalogue()
    plan = compile_plan(catalogue.entries, catalogue.tables, AWS, "gd_")
    assert plan.keys == tuple(f"gd_{key}" for key in builtin.keys)
    assert Engine(plan).splice(compact(EVENT)).fields["severity_label"] == "High"


def test_the_schemes_bands_and_ranks_are_in_the_plan():
    catalogue = builtin_catalogue()
    plan = compile_plan(catalogue.entries, catalogue.tables, SEED_2020)
    assert plan.tables[SEVERITY_RANKS_TABLE] == SEED_2020.ranks()
    raw = compact(event({"severity": 8.95}))
    assert Engine(plan).splice(raw).fields["severity_label"] == "Reserved"
    assert Engine(plan).splice(raw).fields["severity_rank"] == 0


def test_a_plan_is_plain_data(builtin):
    assert msgspec.json.decode(msgspec.json.encode(builtin))["tables"]


# --- rules of the catalogue ------------------------------------------------------------------------------


def fields_of(builtin, value):
    return added_fields(builtin, Oracle(builtin).fields(value))


@pytest.mark.parametrize(
    ("event_", "kind", "others"),
    [
        ({"message": "hello"}, "other", set()),
        ({"source": "aws.s3", "detail-type": "x", "account": "1"}, "other_aws", set()),
        (
            {
                "source": "aws.guardduty",
                "detail-type": "GuardDuty Malware Protection Object Scan Result",
                "account": "111122223333",
                "region": "eu-west-1",
                "detail": {"severity": 8, "title": "x", "type": "y"},
            },
            "malware_scan",
            {"account_id", "finding_region"},
        ),
    ],
)
def test_other_events_get_their_kind_and_little_else(builtin, event_, kind, others):
    fields = fields_of(builtin, event_)
    assert fields.pop("record_kind") == kind
    assert fields.keys() == others


def test_booleans_are_written_on_every_finding(builtin):
    smallest = {"detail": {"type": "Recon:EC2/Portscan", "id": "f1", "severity": 1, "accountId": "1"}}
    fields = fields_of(builtin, smallest)
    assert fields["is_sample"] is False
    assert fields["is_archived"] is False


@pytest.mark.parametrize("value", [None, "", 7, [], {}, ["a"], {"a": 1}, True])
def test_a_value_that_fails_its_check_is_left_out(builtin, value):
    fields = fields_of(builtin, event({"title": None}) | {"detail": EVENT["detail"] | {"title": value}})
    assert "title" not in fields


def test_one_takes_the_first_source_that_passes(builtin):
    changed = event({"accountId": 7})
    assert fields_of(builtin, changed)["account_id"] == "111122223333"


def test_many_are_unique_in_the_order_met(builtin):
    tags = [{"key": "b"}, {"key": "a", "value": "1"}, {"key": "b", "value": ""}, {"key": "a", "value": "1"}]
    changed = event({"resource": {"instanceDetails": {"tags": tags}, "s3BucketDetails": None}})
    assert fields_of(builtin, changed)["resource_tags"] == ["b=", "a=1"]


# --- the written function ---------------------------------------------------------------------------------


def test_no_text_of_a_catalogue_stands_in_the_code_that_is_made(tmp_path, monkeypatch):
    hostile = "x'); import os; ('"
    plan = plan_of(
        tmp_path,
        f"""
fields:
  - field: evil
    type: label
    description: Odd texts everywhere.
    from:
      - path: detail.evil'quote;
        outside_model: a test
    operation: {{lookup: {{entries: {{"{hostile}": "{hostile}"}}}}}}
    when: {{path: detail.title, equals: "{hostile}"}}
    default: "{hostile}"
    examples: [{{given: {{}}, gives_nothing: true}}]
""",
    )
    sources, real = [], compile

    def noting(source, *arguments, **options):
        sources.append(source)
        return real(source, *arguments, **options)

    monkeypatch.setattr("builtins.compile", noting)
    engine = Engine(plan)
    given = event({"title": hostile, "evil'quote;": hostile})
    assert engine.splice(compact(given)).fields["evil"] == hostile
    odd = given | {"region": 7, "detail": given["detail"] | {"arn": 7, "resource": {"instanceDetails": 7}}}
    assert engine.record(odd).fields["evil"] == hostile
    assert sources
    assert not any("import" in source or "evil" in source for source in sources)


def test_a_key_that_no_struct_can_have(tmp_path):
    # msgspec renames no member to a name with a quote, a backslash or a control character.
    plan = plan_of(
        tmp_path,
        """
fields:
  - field: quoted
    type: label
    description: An odd key.
    from:
      - path: 'detail.a"b'
        outside_model: a test
    examples: [{given: {detail: {'a"b': x}}, gives: x}]
""",
    )
    assert Engine(plan).record(event({'a"b': "x"})).fields["quoted"] == "x"


def test_what_cannot_be_written_runs_in_the_interpreter():
    interpreted = Engines(Path(__file__).parent / "catalogues/interpreted.yml")
    fields = interpreted.check(
        compact(event(account="1") | {"detail": EVENT["detail"] | {"accountId": "2"}})
    ).fields
    assert fields["joined"] == "same"
    assert fields["where_first"] == {"lat": -12.04, "lon": -77.03}


def test_extractors_fields_come_after_ours_and_warnings_last():
    def extract(event, fields):
        assert fields["severity_label"] == "High"
        return {"team": event["detail"]["title"], "wrong": 5}

    fields = tuple(ExtractorField(name=name, type="label", description="x") for name in ("team", "wrong"))
    extractor = Extractor(name="owner", fields=fields, extract=extract)
    catalogue = builtin_catalogue()
    plan = compile_plan(catalogue.entries, catalogue.tables, AWS, "p_")
    engine = Engine(plan, (extractor,))
    for record in (engine.splice(compact(EVENT)), engine.record(EVENT)):
        added = record.added()
        assert list(added)[-2:] == ["p_team", "p_lens_warnings"]
        assert added["p_team"] == "prod-shop"
        assert added["p_lens_warnings"] == ["extractor_failed:owner"]
        assert record.fields["team"] == "prod-shop"
