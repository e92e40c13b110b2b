import json
from pathlib import Path

import pytest

from guardduty_lens.catalogue.load import builtin_catalogue
from guardduty_lens.catalogue.schema import catalogue_schema

TESTS = Path(__file__).parents[2]
ROOT = TESTS.parent
SEVEN = TESTS / "catalogue/invalid/seven.yml"
VALID = sorted((TESTS / "catalogue/valid").glob("*.yml"))
SHOWN = [entry.field for entry in builtin_catalogue().entries if not entry.hidden]


# --- list ----------------------------------------------------------------------------------------------


def test_list(command):
    lines = command("fields", "list").out.splitlines()
    assert [line.split()[0] for line in lines] == SHOWN
    assert lines[SHOWN.index("remote_locations")].split()[:4] == [
        "remote_locations",
        "geo_point",
        "many",
        "network",
    ]


def test_list_as_json(command):
    rows = command("fields", "list", "--json").records
    assert [row["field"] for row in rows] == SHOWN
    assert all(row.keys() == {"field", "type", "cardinality", "group", "description"} for row in rows)


def test_list_with_the_users_own(command):
    rows = command(
        "fields", "list", "--fields", TESTS / "catalogue/valid/every_operation.yml", "--json"
    ).records
    mine = [row["field"] for row in rows if row["group"] == "ours"]
    assert "urgency" in mine
    assert "purpose_upper" not in mine  # hidden


# --- lint ----------------------------------------------------------------------------------------------


def test_lint_of_the_built_in_catalogue(command):
    result = command("fields", "lint")
    assert (result.code, result.out, result.err) == (0, "", "no problems\n")


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.stem)
def test_lint_of_good_files(command, path):
    result = command("fields", "lint", path)
    if path.stem == "shipped":  # a file of the built-in catalogue's own rights
        return
    assert (result.code, result.out) == (0, "")


def test_lint_reports_seven_faults_with_their_places(command):
    result = command("fields", "lint", SEVEN)
    assert result.code == 1
    lines = result.out.splitlines()
    assert len(lines) == 7
    assert result.err == "7 problems\n"
    expected = (TESTS / "catalogue/invalid/seven.txt").read_text().splitlines()
    assert [line.removeprefix(f"{SEVEN.parent}/") for line in lines] == [
        line.removeprefix(f"{SEVEN.parent}/") for line in expected
    ]


def test_lint_of_several_files_and_folders(command, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/a.yml").write_text("fields: 7\n")
    (tmp_path / "mine/b.yaml").write_text("fields: 8\n")
    (tmp_path / "c.yml").write_text("fields: 9\n")
    lines = command("fields", "lint", "mine", "c.yml").out.splitlines()
    assert [line.split(":")[0] for line in lines] == ["c.yml", "mine/a.yml", "mine/b.yaml"]


def test_lint_runs_the_examples(command, tmp_path):
    (tmp_path / "a.yml").write_text(
        "fields:\n"
        "  - field: who\n"
        "    type: label\n"
        "    description: Somebody.\n"
        "    from: [detail.accountId]\n"
        "    examples:\n"
        "      - given: {}\n"
        "        gives: nobody\n"
    )
    result = command("fields", "lint", "a.yml")
    assert result.code == 1
    assert result.out == "a.yml:7:9: the example gives '111122223333', not 'nobody'\n"


def test_lint_of_what_is_no_text(command, tmp_path):
    (tmp_path / "a.yml").write_bytes(b"fields: \xff\n")
    result = command("fields", "lint", "a.yml")
    assert result.code in {1, 2}
    assert "UTF-8" in result.out + result.err
    assert command("fields", "lint", "nowhere").code == 2


# --- test ----------------------------------------------------------------------------------------------


def test_test_runs_every_example(command):
    result = command("fields", "test")
    assert (result.code, result.out) == (0, "")
    entries = builtin_catalogue().entries
    examples = sum(len(entry.examples) for entry in entries)
    assert result.err == f"{examples} examples of {len(entries)} entries: 0 failed\n"


def test_test_with_the_users_own(command):
    result = command("fields", "test", "--fields", TESTS / "catalogue/valid/every_operation.yml")
    assert result.code == 0


# --- docs and schema --------------------------------------------------------------------------------------


def test_docs_name_every_field(command, tmp_path):
    assert command("fields", "docs", "-o", "page.md").code == 0
    page = (tmp_path / "page.md").read_text()
    titles = [line.removeprefix("### ") for line in page.splitlines() if line.startswith("### ")]
    assert titles == SHOWN
    assert command("fields", "docs").out == page


def test_docs_with_the_users_own(command):
    page = command("fields", "docs", "--fields", TESTS / "catalogue/valid/every_operation.yml").out
    assert "\n## ours\n" in page
    assert "\n### urgency\n" in page


@pytest.mark.parametrize(
    ("arguments", "page"),
    [(("fields", "docs"), "docs/fields.md"), (("fields", "schema"), "docs/catalogue.schema.json")],
)
def test_checked_in_pages_are_not_stale(command, arguments, page):
    assert (ROOT / page).is_file(), "make docs writes it"
    assert command(*arguments).out == (ROOT / page).read_text(encoding="utf-8"), (
        f"stale: make docs writes {page}"
    )


def test_schema(command):
    assert json.loads(command("fields", "schema").out) == json.loads(json.dumps(catalogue_schema()))


def test_usage(command):
    for line in (
        ("fields", "lnt"),
        ("fields", "list", "--jason"),
        ("fields", "docs", "-o", "no/where"),
    ):
        result = command(*line)
        assert result.code == 2
        assert "Traceback" not in result.err
