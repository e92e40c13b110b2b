"""Python extractors: what they may add, what their failures become, and the worked example, installed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import COMMAND, json_lines
from finding_events import EVENT, compact, event

from guardduty_lens import Extractor, ExtractorField, Lens
from guardduty_lens.extractors import ENTRY_POINT_GROUP, ExtractorError, check_names

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples/owner_extractor"
EVENT_JSON = compact(EVENT)


def extractor_of(extract, name="mine", **types):
    fields = tuple(
        ExtractorField(
            name=field, type=kind.split()[0], cardinality=kind.split()[1], description="For a test."
        )
        for field, kind in types.items()
    )
    return Extractor(name=name, fields=fields, extract=extract)


def enriched(*extractors, value=EVENT, **options):
    lens = Lens(extractors=extractors, **options)
    [record] = lens.process(compact(value))
    assert lens.counters.warnings == dict.fromkeys(record.fields.get("lens_warnings", ()), 1)
    return record


# --- what they add -------------------------------------------------------------------------------------


def test_fields_are_added_to_the_record():
    mine = extractor_of(
        lambda event, fields: {"a": fields["title"], "b": [1, 2, 1]}, a="label one", b="long many"
    )
    record = enriched(mine)
    assert record.fields["a"] == "prod-shop"
    assert record.added()["b"] == [1, 2]
    assert json.loads(record.to_json())["a"] == "prod-shop"
    assert "lens_warnings" not in record.fields
    assert record.to_dict()["detail"] == EVENT["detail"]


def test_they_see_the_event_and_the_fields_before():
    seen = {}
    first = extractor_of(
        lambda event, fields: seen.update(event=dict(event)) or {"a": "x"}, name="a", a="label one"
    )
    second = extractor_of(lambda event, fields: {"b": fields["a"] + "y"}, name="b", b="label one")
    assert enriched(first, second).fields["b"] == "xy"
    assert seen["event"] == EVENT


def test_they_run_on_findings_alone_and_their_keys_are_ours_everywhere():
    mine = extractor_of(lambda event, fields: {"a": "x"}, a="label one")
    assert enriched(mine, value={"a": "before"}).to_dict() == {"record_kind": "other"}


def test_a_second_pass_changes_nothing():
    mine = extractor_of(lambda event, fields: {"a": "x"}, a="label one")
    once = enriched(mine).to_json()
    [twice] = Lens(extractors=[mine]).process(once)
    assert twice.to_json() == once


def test_prefix():
    mine = extractor_of(lambda event, fields: {"a": fields["title"]}, a="label one")
    record = enriched(mine, field_prefix="gd_")
    assert record.added()["gd_a"] == "prod-shop"
    assert record.fields["a"] == "prod-shop"


def test_nothing_empty_is_added_and_nothing_is_said_of_it():
    empty = {"a": None, "b": [], "c": ""}
    mine = extractor_of(lambda event, fields: empty, a="label one", b="label many", c="text one")
    record = enriched(mine)
    assert record.fields.keys() & empty.keys() == set()
    assert "lens_warnings" not in record.fields


# --- what goes wrong -----------------------------------------------------------------------------------


def raises(event, fields):
    raise KeyError("owner")


@pytest.mark.parametrize(
    "extract",
    [
        raises,
        lambda event, fields: None,
        lambda event, fields: 7,
        lambda event, fields: {"a": 7},
        lambda event, fields: {"a": ["x"]},
        lambda event, fields: {"a": {"x": 1}},
        lambda event, fields: {"a": b"x"},
        lambda event, fields: {"a": "\ud800"},
        lambda event, fields: {"unknown": "x"},
    ],
)
def test_a_failure_is_a_warning_and_the_record_comes_out(extract):
    record = enriched(extractor_of(extract, a="label one"))
    assert "a" not in record.fields
    assert record.fields["lens_warnings"] == ["extractor_failed:mine"]
    assert record.fields["threat_name"] == "SSHBruteForce"
    json.loads(record.to_json())


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("label one", "x", 1),
        ("boolean one", True, 1),
        ("byte one", 127, 128),
        ("integer one", 5, 2**31),
        ("long one", 8.0, 8.5),
        ("double one", 1.5, float("inf")),
        ("geo_point one", {"lat": 1, "lon": 2}, {"lat": 91, "lon": 2}),
        ("ip many", ["198.51.100.1"], "198.51.100.1"),
    ],
)
def test_types_are_checked(kind, good, bad):
    assert enriched(extractor_of(lambda event, fields: {"a": good}, a=kind)).fields["a"] == good
    record = enriched(extractor_of(lambda event, fields: {"a": bad}, a=kind))
    assert "a" not in record.fields
    assert record.fields["lens_warnings"] == ["extractor_failed:mine"]


def test_the_good_ones_of_many_values_stay():
    record = enriched(extractor_of(lambda event, fields: {"a": ["x", 7, "x", "y"]}, a="label many"))
    assert record.fields["a"] == ["x", "y"]


def test_one_failing_extractor_leaves_the_others_alone():
    good = extractor_of(lambda event, fields: {"b": "x"}, name="good", b="label one")
    record = enriched(extractor_of(raises, a="label one"), good, value=event({"severity": "?"}))
    assert record.fields["b"] == "x"
    assert record.fields["lens_warnings"] == ["severity_unusable", "extractor_failed:mine"]


@pytest.mark.parametrize("taken", ["threat_name", "detail", "source", "id", "lens_warnings"])
def test_names_that_are_taken(taken):
    mine = extractor_of(lambda event, fields: {}, **{taken: "label one"})
    with pytest.raises(ExtractorError, match=f"extractor mine: the field name '{taken}' is taken"):
        Lens(extractors=[mine])


def test_names_that_two_extractors_want():
    both = [extractor_of(lambda event, fields: {}, name=name, a="label one") for name in ("one", "two")]
    with pytest.raises(ExtractorError, match="extractor two: the field name 'a' is taken"):
        check_names(both)


# --- installed -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Install the worked example, into a folder of its own and without a network."""
    target = tmp_path_factory.mktemp("installed")
    source = tmp_path_factory.mktemp("source") / "owner_extractor"
    source.mkdir()
    for file in EXAMPLE.iterdir():
        if file.is_file():  # not what a build left behind
            (source / file.name).write_bytes(file.read_bytes())
    line = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index"]
    line += ["--no-deps", "--no-build-isolation", "--target", str(target), str(source)]
    subprocess.run(line, check=True, capture_output=True, timeout=120)
    return target


def write_extractor(folder, name, body, fields="ExtractorField(name='made', type='label', description='x')"):
    """Write an extractor as an installed distribution has it: a module and its entry point."""
    (folder / f"{name}_module.py").write_text(
        "from guardduty_lens import Extractor, ExtractorField\n\n\n"
        f"def extract(event, fields):\n    {body}\n\n\n"
        f"EXTRACTOR = Extractor(name={name!r}, fields=({fields},), extract=extract)\n"
    )
    metadata = folder / f"{name}-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    entry_points = f"[{ENTRY_POINT_GROUP}]\n{name} = {name}_module:EXTRACTOR\n"
    (metadata / "entry_points.txt").write_text(entry_points)


@pytest.fixture
def run(tmp_path):
    def run_(*arguments, folders=(tmp_path,), stdin=EVENT_JSON, **environment):
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, folders))} | environment
        line = [*COMMAND, *arguments]
        settings = {"cwd": tmp_path, "capture_output": True, "timeout": 60, "check": False}
        return subprocess.run(line, input=stdin, env=environment, **settings)

    return run_


def test_the_example_is_found_and_adds_its_fields(run, installed, tmp_path):
    teams = {
        "accounts": {"111122223333": "payments"},
        "contacts": {"payments": ["p@example.com", "#payments"]},
    }
    (tmp_path / "teams.json").write_text(json.dumps(teams))
    untagged = event({"resource": {"instanceDetails": None}})
    stdin = b"\n".join([compact(EVENT), compact(untagged), b'{"a":1}'])
    result = run("filter", "-q", folders=[installed], stdin=stdin, OWNER_TEAMS="teams.json")
    tagged, by_account, foreign = json_lines(result.stdout)
    assert result.returncode == 0, result.stderr
    assert tagged["owner_team"] == "shop"  # by its tag; nobody knows how to reach them
    assert "owner_contacts" not in tagged
    assert by_account["owner_team"] == "payments"
    assert by_account["owner_contacts"] == ["p@example.com", "#payments"]
    assert foreign == {"a": 1, "record_kind": "other"}
    assert "lens_warnings" not in tagged


def test_the_example_without_its_table(run, installed):
    [record] = json_lines(run("filter", folders=[installed]).stdout)
    assert record["owner_team"] == "shop"


def test_the_example_with_a_table_that_is_not_there(run, installed):
    stdin = compact(event({"resource": {"instanceDetails": None}}))
    result = run("filter", folders=[installed], stdin=stdin, OWNER_TEAMS="nowhere.json")
    [record] = json_lines(result.stdout)
    assert record["lens_warnings"] == ["extractor_failed:owner"]
    assert result.returncode == 0


def test_rules_know_an_extractors_fields(run, installed):
    result = run("filter", "--drop-if", "owner_team = shop", folders=[installed])
    assert result.stdout == b""
    assert b"1 filtered" in result.stderr


def test_one_that_raises_is_counted_in_the_summary(run, tmp_path):
    write_extractor(tmp_path, "clumsy", "raise ValueError(event['nothing'])")
    result = run("filter", "--summary", "summary.json", stdin=compact(EVENT) * 3)
    assert result.returncode == 0
    assert [record["lens_warnings"] for record in json_lines(result.stdout)] == [
        ["extractor_failed:clumsy"]
    ] * 3
    summary = json.loads((tmp_path / "summary.json").read_bytes())
    assert summary["warnings"] == {"extractor_failed:clumsy": 3}
    assert b"warnings  extractor_failed:clumsy 3" in result.stderr


def test_one_of_the_wrong_type_is_left_out_and_warned_of(run, tmp_path):
    write_extractor(tmp_path, "wrong", "return {'made': 7}")
    [record] = json_lines(run("filter").stdout)
    assert "made" not in record
    assert record["lens_warnings"] == ["extractor_failed:wrong"]


def test_several_run_in_the_order_of_their_names(run, tmp_path):
    field = "ExtractorField(name='{}', type='label', description='x')"
    write_extractor(tmp_path, "b_second", "return {'second': fields['first'] + '!'}", field.format("second"))
    write_extractor(tmp_path, "a_first", "return {'first': 'x'}", field.format("first"))
    [record] = json_lines(run("filter").stdout)
    assert record["second"] == "x!"


@pytest.mark.parametrize("name", ["severity_label", "detail"])
def test_a_name_that_is_taken_is_wrong_use(run, tmp_path, name):
    write_extractor(
        tmp_path, "taker", "return {}", f"ExtractorField(name={name!r}, type='label', description='x')"
    )
    result = run("filter")
    assert (result.returncode, result.stdout) == (2, b"")
    assert f"extractor taker: the field name '{name}' is taken".encode() in result.stderr
    assert b"Traceback" not in result.stderr


def test_a_name_of_the_users_catalogue_is_taken(run, tmp_path):
    write_extractor(
        tmp_path, "taker", "return {}", "ExtractorField(name='environment', type='label', description='x')"
    )
    result = run("filter", "--fields", str(ROOT / "examples/fields"))
    assert result.returncode == 2
    assert b"'environment' is taken" in result.stderr


def test_one_that_cannot_be_loaded_is_wrong_use(run, tmp_path):
    write_extractor(tmp_path, "broken", "return {}")
    (tmp_path / "broken_module.py").write_text("raise RuntimeError('no licence')\n")
    result = run("filter")
    assert result.returncode == 2
    assert b"extractor broken (broken_module:EXTRACTOR) cannot be loaded: no licence" in result.stderr


def test_what_is_no_extractor_is_wrong_use(run, tmp_path):
    write_extractor(tmp_path, "odd", "return {}")
    (tmp_path / "odd_module.py").write_text("EXTRACTOR = 7\n")
    result = run("filter")
    assert result.returncode == 2
    assert b"is no guardduty_lens.Extractor" in result.stderr
