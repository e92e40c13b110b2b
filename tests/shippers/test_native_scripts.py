"""What runs inside Fluent Bit and Logstash, by real LuaJIT and Ruby: the oracle's fields, index and id."""

import json
import subprocess
import sys

import pytest
import yaml
from event_forms import CALL, FORMS, PLACES, SCAN, TESTS, documents_of, identity, of_corpus, of_samples
from finding_events import EVENT, event
from fuzzed import fuzzed
from lscl.parser import parse_lscl
from native_scripts import FluentBitScript, LogstashScript, ScriptError
from programs import program

from guardduty_lens import Lens
from guardduty_lens.catalogue.examples import example_event, same_json
from guardduty_lens.engine.oracle import Oracle
from guardduty_lens.opensearch.dates import iso
from guardduty_lens.opensearch.names import Names

SCRIPTS = {"fluent-bit": FluentBitScript, "logstash": LogstashScript}
PIPELINES = TESTS.parent / "pipelines"
CATALOGUES = TESTS / "unit/engine/catalogues"
TIMES = ("@timestamp", "ingested_at", "ingest_lag_seconds")


@pytest.fixture(scope="module")
def plan():
    return Lens(extractors=()).plan


@pytest.fixture(scope="module", params=SCRIPTS)
def script(request, plan, tmp_path_factory):
    return SCRIPTS[request.param](tmp_path_factory.mktemp(request.param), plan)


def differences(plan, pairs, outcomes, prefix=""):
    """List where a script does not give the event with the oracle's fields, and the fields met."""
    oracle = Oracle(plan)
    keys = set(plan.keys)
    outside = keys | {f"{prefix}{key}" for key in TIMES} | {"@timestamp"}
    found, met = [], set()
    for (layout, document), outcome in zip(pairs, outcomes, strict=True):
        cleared = {key: value for key, value in layout.items() if key not in outside}
        expected = oracle.added(oracle.fields(cleared))
        added = {key: value for key, value in outcome.record.items() if key in keys}
        rest = {key: value for key, value in outcome.record.items() if key not in outside}
        met |= added.keys()
        bare = {key.removeprefix(prefix): value for key, value in expected.items()}
        if not same_json(added, expected):
            odd = {k for k in added.keys() | expected.keys() if not same_json(added.get(k), expected.get(k))}
            found.append((document, {key: (added.get(key), expected.get(key)) for key in odd}))
        elif not same_json(rest, cleared):
            found.append((document, rest))
        elif outcome.id != identity(layout, bare):
            found.append((document, outcome.id))
    return found, met


@pytest.fixture(scope="module")
def cases():
    corpus, samples = of_corpus(), of_samples()
    every_form = {
        name: [pair for shift in range(FORMS) for pair in documents_of(events, shift)]
        for name, events in {"corpus": corpus, "samples": samples}.items()
    }
    odd = fuzzed([*corpus, *samples[:300]], 4_000, seed=11)
    return every_form | {"fuzzed": list(documents_of(list(odd)))}


@pytest.mark.parametrize(("case", "least"), [("corpus", 6 * 120), ("samples", 6 * 2_000), ("fuzzed", 4_000)])
def test_a_script_adds_what_the_oracle_adds(case, least, cases, plan, script):
    pairs = cases[case]
    assert len(pairs) >= least
    found, met = differences(plan, pairs, script.outcomes([document for _, document in pairs]))
    assert not found, f"{len(found)} of {len(pairs)} differ: {found[0]!r:.3000}"
    assert len(met) > len(plan.keys) / 2


CLUSTERS = (
    "pay-prod",
    "pay-test-12",
    "Pay-prod",
    "a" * 1_020 + "-dev",
    "a" * 1_021 + "-dev",
    "\u00e4" * 1_020 + "-dev",
    "\U0001f600",
    "",
)
OWN = {"odd", "company", "ours"}


@pytest.mark.parametrize("shipper", SCRIPTS)
@pytest.mark.parametrize(
    ("fields", "prefix"),
    [
        (CATALOGUES, ""),
        (CATALOGUES, "gd_"),
        (TESTS / "catalogue/valid/every_operation.yml", ""),
        (TESTS.parent / "examples/fields", "acme_"),
    ],
)
def test_a_catalogue_of_ones_own(fields, prefix, shipper, tmp_path):
    lens = Lens(fields=fields, field_prefix=prefix, extractors=())
    of_user = [entry for entry in lens.catalogue.entries if lens.catalogue.groups[entry.field] in OWN]
    names = [event({"resource": {"eksClusterDetails": {"name": name}}}) for name in CLUSTERS]
    examples = [example_event(example) for entry in of_user for example in entry.examples]
    pairs = list(documents_of([*names, *examples, *fuzzed([EVENT, *names, *examples], 600, seed=3)]))
    outcomes = SCRIPTS[shipper](tmp_path, lens.plan).outcomes([document for _, document in pairs])
    found, met = differences(lens.plan, pairs, outcomes, prefix)
    assert not found, f"{len(found)} differ: {found[0]!r:.3000}"
    written = {f"{prefix}{entry.field}" for entry in of_user if not entry.hidden}
    assert written
    assert written <= met
    assert not [key for outcome in outcomes for key in outcome.record if key.startswith("lensregex")]


# --- what a record is in the cluster ----------------------------------------------------------------

LONG = [
    ({"id": "\u00e4" * 240, "updatedAt": None}, {}, "guarddutylogs-2025.03", "\u00e4" * 240 + "__3_true"),
    ({"id": "\u00e4" * 253, "updatedAt": None}, {}, "guarddutylogs-2025.03", None),
]


@pytest.mark.parametrize(("change", "envelope", "index", "identifier"), [*PLACES, *LONG])
def test_index_and_id_of_a_finding(change, envelope, index, identifier, script):
    [outcome] = script.outcomes([event(change, **envelope)])
    assert (outcome.index, outcome.id) == (index, identifier)


@pytest.mark.parametrize("form", [lambda value: value, lambda value: {"message": json.dumps(value)}])
def test_other_events_of_guardduty(form, script):
    scan, call = script.outcomes([form(SCAN), form(CALL)])
    assert (scan.index, scan.id, scan.record["record_kind"]) == (
        "guarddutylogs-2024.05",
        "e7",
        "malware_scan",
    )
    assert (call.index, call.id) == ("guardduty-cloudtrail-2024.02", "c9")


@pytest.mark.parametrize(
    "document",
    [
        {"message": "hello", "log": "{"},
        {"message": '{"level": "info"}'},
        {"message": '{"a":' * 3_000 + "1" + "}" * 3_000},
        {"message": json.dumps(EVENT) + " and more"},
        {"message": "// a comment\n" + json.dumps(EVENT)},
        {"message": json.dumps(EVENT).replace("true", "tru")},
        {"message": json.dumps(EVENT).replace(" 8", " 08")},
        {"message": json.dumps(EVENT).replace("f1", "f\t1")},
    ],
)
def test_what_is_no_event_stays_as_it_is(document, script):
    [outcome] = script.outcomes([document])
    assert (outcome.index, outcome.id) == (None, None)
    assert {key: value for key, value in outcome.record.items() if key not in TIMES} == {
        **document,
        "record_kind": "other",
    }


def test_the_scripts_own_tests_pass(plan, tmp_path):
    outcomes = LogstashScript(tmp_path, plan).own_tests()
    assert len(outcomes) == 3
    assert [outcome for outcome in outcomes if not outcome.startswith("passed: ")] == []


def test_keys_that_no_field_reference_can_say_stay_in_the_text(plan, tmp_path):
    text = json.dumps({**EVENT, "odd[key]": 1})
    [outcome] = LogstashScript(tmp_path, plan).outcomes([{"message": text}])
    assert outcome.record["message"] == text
    assert outcome.record["detail"] == EVENT["detail"]


def test_a_plan_that_cannot_be_read_is_an_error_with_its_place(plan, tmp_path):
    script = FluentBitScript(tmp_path, plan)
    script.files["guardduty-plan.json"].write_text('{"entries": [}')
    with pytest.raises(ScriptError, match=r"guardduty-plan.json is no plan: no number at byte 14"):
        script.outcomes([EVENT])
    script.files["guardduty-plan.json"].unlink()
    with pytest.raises(ScriptError, match=r"the plan cannot be read: .*No such file"):
        script.outcomes([EVENT])


@pytest.mark.parametrize(
    "command",
    [
        ["ruby", "-wc", "logstash/interpreter.rb"],
        ["luacheck", "--no-color", "--std", "luajit", "--read-globals", "flb_null", "--globals", "enrich",
         "lay_out", "add_fields", "--max-line-length", "130", "--", "fluent_bit/interpreter.lua"],
    ],
    ids=["ruby", "luacheck"],
)  # fmt: skip
def test_the_interpreters_are_lint_free(command):
    folder = TESTS.parent / "plugin/guardduty_lens/compilers"
    name, *options = command
    line = [program(name, {"luacheck": "lua-check"}.get(name, name)), *options]
    done = subprocess.run(line, cwd=folder, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout


def test_the_files_in_pipelines_are_fresh():
    line = [sys.executable, "tools/make_scripts.py", "--check"]
    done = subprocess.run(line, cwd=TESTS.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", sorted(PIPELINES.glob("logstash/**/*.conf")), ids=lambda path: path.name)
def test_logstash_configurations_follow_its_grammar(path):
    names = {block.name for block in parse_lscl(path.read_text("utf-8"))}
    assert names >= {"input", "output"}


@pytest.mark.parametrize("path", sorted(PIPELINES.glob("fluent-bit/**/*.yaml")), ids=str)
def test_fluent_bit_configurations_are_whole(path):
    """It takes a file as it is, however little of it it knows: what each part is called is checked here."""
    config = yaml.safe_load(path.read_text("utf-8"))
    assert set(config) <= {"service", "parsers", "pipeline"}
    pipeline = config["pipeline"]
    assert set(pipeline) <= {"inputs", "filters", "outputs"}
    tags = {each["tag"] for each in pipeline["inputs"]}
    for each in [*pipeline.get("filters", ()), *pipeline["outputs"]]:
        assert each["name"] in {"lua", "parser", "forward", "opensearch", "file"}
        assert each["match"] in tags
        assert "script" not in each or (path.parent / each["script"]).exists()


def test_the_index_prefix_is_in_every_index(plan, tmp_path):
    for name, shipper in SCRIPTS.items():
        found = shipper(tmp_path / name, plan, Names("soc-")).outcomes([event(), CALL])
        assert [outcome.index for outcome in found] == [
            "soc-guarddutylogs-2025.03",
            "soc-guardduty-cloudtrail-2024.02",
        ]


@pytest.mark.parametrize(
    ("seen", "instant"),
    [
        ("2025-02-25T20:40:06Z", 1740516006.0),
        ("2024-02-29 20:40:06.721", 1709239206.721),
        ("2025-02-25T20:40:06.5+02:00", 1740508806.5),
        ("2025-02-25T20:40:06-0130", 1740521406.0),
        ("1970-01-01", 0.0),
        ("2000-03-01T00:00:00Z", 951868800.0),
    ],
)
def test_the_time_of_a_record_is_when_the_finding_was_last_seen(seen, instant, script):
    [outcome] = script.outcomes([event({"service": {"eventLastSeen": seen}})])
    if isinstance(script, FluentBitScript):
        assert outcome.time == pytest.approx(instant, abs=1e-6)
    else:
        assert outcome.time == iso(round(instant * 1000))
    assert outcome.record["ingest_lag_seconds"] > 0


@pytest.mark.parametrize("seen", ["yesterday", "2025-02-30", "2025-02-25T24:00:00Z", "2025-02-25T20:40:06+2"])
def test_what_is_no_date_says_no_time(seen, script):
    [outcome] = script.outcomes([event({"service": {"eventLastSeen": seen}})])
    assert outcome.time in (1.5, "1970-01-01T00:00:01.000Z")
    assert "ingest_lag_seconds" not in outcome.record
