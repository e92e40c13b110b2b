import json
from pathlib import Path

import pytest
import yaml

from guardduty_lens import lens
from guardduty_lens.extractors import Extractor, ExtractorField

EXAMPLES = Path(__file__).parents[3] / "examples/fields"


@pytest.fixture(autouse=True)
def no_extractors(monkeypatch):
    monkeypatch.setattr(lens, "installed_extractors", tuple)


def test_writes_templates_and_pipeline_and_says_where(command):
    result = command("compile", "opensearch", "-o", "made", "--index-prefix", "acme-")
    assert result.code == 0, result.err
    assert result.err == ""
    written = result.out.splitlines()
    assert sorted(written) == sorted(str(path) for path in Path("made").glob("*/*.json"))
    assert "made/index_template/acme-guardduty-lens-log.json" in written
    assert written[-1] == "made/ingest_pipeline/acme-guardduty-lens.json"
    body = json.loads(Path(written[-1]).read_text())
    assert [list(processor) for processor in body["processors"]] == [["script"]]


def test_options_reach_the_pipeline(command):
    result = command(
        "compile",
        "opensearch",
        *("-o", "made", "--fields", EXAMPLES, "--field-prefix", "gd_", "--severity-scheme", "seed-2020"),
    )
    assert result.code == 0, result.err
    text = Path("made/ingest_pipeline/guardduty-lens.json").read_text()
    assert '"gd_business_unit"' in text
    assert '"label": "Reserved"' in text


def test_fields_that_only_python_can_add_are_named(command, monkeypatch):
    field = ExtractorField(name="owner", type="label", description="Who owns it.")
    owners = Extractor(name="owners", fields=(field,), extract=lambda event, fields: {})
    monkeypatch.setattr(lens, "installed_extractors", lambda: (owners,))
    result = command("compile", "opensearch", "-o", "made")
    assert result.code == 0
    assert result.err == "not in the pipeline, since only Python can run the extractor owners: owner\n"


@pytest.mark.parametrize(
    ("shipper", "files"),
    [
        ("fluent-bit", ["lens.lua", "guardduty-plan.json", "fluent-bit.yaml"]),
        ("logstash", ["guardduty-lens.rb", "guardduty-plan.json", "guardduty.conf"]),
    ],
)
def test_writes_what_runs_inside_a_shipper(shipper, files, command, monkeypatch):
    field = ExtractorField(name="owner", type="label", description="Who owns it.")
    owners = Extractor(name="owners", fields=(field,), extract=lambda event, fields: {})
    monkeypatch.setattr(lens, "installed_extractors", lambda: (owners,))
    result = command("compile", shipper, "-o", "made", "--fields", EXAMPLES, "--index-prefix", "acme-")
    assert result.code == 0, result.err
    assert result.out.splitlines() == [f"made/{name}" for name in files]
    assert "not in the script, since only Python can run the extractor owners: owner\n" in result.err
    plan = json.loads(Path("made/guardduty-plan.json").read_text())
    assert plan["identity"]["log"] == "acme-guarddutylogs"
    assert "business_unit" in plan["ours"]


def test_regexes_become_parsers_of_fluent_bits_own(command):
    command("compile", "fluent-bit", "-o", "made", "--fields", EXAMPLES)
    config = yaml.safe_load(Path("made/fluent-bit.yaml").read_text())
    [parser] = config["parsers"]
    assert parser["regex"] == (
        r"\A(?:(?<lensregex1group1>[a-z]+)-(?<lensregex1group2>dev|test|prod)(?:-[0-9]+)?)\z"
    )
    steps = [(step["name"], step.get("call", step.get("key_name"))) for step in config["pipeline"]["filters"]]
    assert steps == [("lua", "lay_out"), ("parser", "lensregex1input"), ("lua", "add_fields")]
    assert config["pipeline"]["outputs"][0]["index"] == "$lens_index"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--index-prefix", "Acme"], "index prefix 'Acme'"),
        (["--severity-scheme", "mine"], "'mine' is neither a scheme"),
        ([], "Missing option '-o'"),
    ],
)
def test_wrong_use(options, said, command):
    output = ["-o", "made"] if options else []
    result = command("compile", "opensearch", *output, *options)
    assert result.code == 2
    assert said in result.err
    assert not Path("made").exists()


def test_writes_monitors_and_says_what_is_left_out(command):
    result = command("compile", "alerts", "-o", "made", "--index-prefix", "acme-")
    assert result.code == 0, result.err
    assert result.err == "skipped: alert log-bucket-altered: give --guardduty-bucket\n"
    assert len(result.out.splitlines()) == 14
    body = json.loads(Path("made/phishing-attempt.json").read_text())
    assert (body["name"], body["monitor_type"]) == ("acme-GuardDuty: Phishing attempt", "query_level_monitor")
    result = command("compile", "alerts", "-o", "made", "--guardduty-bucket", "logs")
    assert (result.err, len(result.out.splitlines())) == ("", 15)
