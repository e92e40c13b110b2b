"""`report`: what it writes, and what it says of wrong use."""

import json
import re
import sys

import pytest
from counted_findings import UPDATES


@pytest.fixture
def findings(tmp_path):
    path = tmp_path / "in.jsonl"
    path.write_text("".join(json.dumps(each) + "\n" for each in UPDATES))
    return path


def _data(path):
    text = re.search(r'id="data">(.*?)</script>', path.read_text(), re.DOTALL).group(1)
    return json.loads(text)


def test_a_page_of_findings_and_what_is_said(command, findings, tmp_path):
    result = command("report", findings)
    assert result.code == 0
    assert "12 records" in result.err
    assert re.search(r"report\.html: [0-9.]+ MB", result.err)
    data = _data(tmp_path / "report.html")
    assert (data["findings"], data["updates"], data["rejected"], data["duplicates"]) == (10, 12, 0, 0)
    assert data["every"] == "hour" if data["last"] - data["first"] < 3 * 86_400_000 else "day"
    assert data["as_of"] == 1741082400000 + 600_000  # 2025-03-04T10:10Z, the newest update
    assert [each["id"] for each in data["dashboards"]][:2] == ["overview", "triage"]


def test_records_give_the_same_page_as_findings(command, findings, tmp_path):
    command("filter", findings, "-o", "records.jsonl")
    command("report", "records.jsonl", "-o", "a.html")
    command("report", findings, "-o", "b.html")
    one, other = (_data(tmp_path / name) for name in ("a.html", "b.html"))
    assert one | {"made_at": 0} == other | {"made_at": 0}


def test_what_is_rejected_and_what_comes_twice_is_counted(command, findings, tmp_path):
    (tmp_path / "broken.jsonl").write_text("{\n")
    result = command("report", findings, findings, "broken.jsonl", "--dead-letters", "dead.jsonl")
    assert result.code == 1
    data = _data(tmp_path / "report.html")
    assert (data["updates"], data["rejected"], data["duplicates"]) == (12, 1, 12)
    assert (tmp_path / "dead.jsonl").exists()
    panels = {each["id"]: each for each in data["dashboards"][-1]["panels"]}
    assert panels["rejected"]["from_run"] == 1
    assert panels["duplicates"]["from_run"] == 12
    assert "lag" not in panels  # nothing says when these arrived


def test_days_and_as_of(command, findings, tmp_path):
    command("report", findings, "--days", 1, "--as-of", "2025-03-04T12:00:00Z")
    data = _data(tmp_path / "report.html")
    assert (data["findings"], data["as_of"]) == (1, 1741089600000)
    result = command("report", findings, "--as-of", "soon")
    assert result.code == 2
    assert "'soon' is neither a date nor now" in result.err


def test_nothing_at_all_is_a_page_only_where_that_is_meant(command, tmp_path):
    (tmp_path / "empty.jsonl").write_text("")
    (tmp_path / "report.html").write_text("last month's")
    result = command("report", "empty.jsonl")
    assert (result.code, result.out) == (1, "")
    assert result.err.splitlines()[-1] == (
        "guardduty-lens: nothing to report: no record came out of what was read, and report.html was not "
        "written; --allow-empty writes an empty page"
    )
    assert (tmp_path / "report.html").read_text() == "last month's"
    assert command("report", "empty.jsonl", "--allow-empty").code == 0
    data = _data(tmp_path / "report.html")
    assert (data["findings"], data["first"], data["scopes"]) == (0, None, [])


def test_a_prefix_and_a_field_of_one_s_own(command, findings, tmp_path):
    (tmp_path / "fields").mkdir()
    (tmp_path / "fields" / "own.yml").write_text(
        "fields:\n  - {field: stage, type: label, description: d, from: [detail.accountId], "
        'operation: {lookup: {entries: {"111111111111": prod}, default: test}}, '
        "examples: [{given: {detail: {accountId: '111111111111'}}, gives: prod}]}\n"
    )
    (tmp_path / "boards").mkdir()
    (tmp_path / "boards" / "own.yml").write_text(
        "id: own\ntitle: Own\nquestion: Q?\npanels:\n  - {id: stages, title: Stages, chart: pie, by: stage}\n"
    )
    result = command(
        *("report", findings, "--fields", "fields", "--dashboards", "boards", "--field-prefix", "gd_")
    )
    assert result.code == 0, result.err
    [own] = [each for each in _data(tmp_path / "report.html")["dashboards"] if each["id"] == "own"]
    [panel] = own["panels"]
    assert panel["splits"][0]["keys"] == ["prod", "test"]
    assert sum(panel["findings"]["values"][0]) == 10


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "give PATHs, or --from-opensearch with --url"),
        (("in.jsonl", "--from-opensearch"), "give PATHs, or --from-opensearch with --url"),
        (("in.jsonl", "-o", "-"), "--output is a file"),
        (("in.jsonl", "--dashboards", "in.jsonl"), "in.jsonl:2:1: no YAML"),
    ],
)
def test_wrong_use(command, findings, options, words):
    result = command("report", *options)
    assert result.code == 2
    assert words in result.err
    assert "Traceback" not in result.err


def test_a_page_that_cannot_be_written_leaves_none(command, findings, tmp_path):
    result = command("report", findings, "-o", "nowhere/report.html")
    assert result.code == 2
    assert (
        "cannot write nowhere/report.html: there is no folder nowhere; make it, or name another" in result.err
    )
    assert list(tmp_path.glob("**/*report*")) == []


def test_without_duckdb_it_says_how_to_get_it(command, findings, monkeypatch):
    monkeypatch.setitem(sys.modules, "duckdb", None)
    result = command("report", findings)
    assert result.code == 2
    assert "a report needs duckdb, not installed here." in result.err
    assert "pip install '.[report]'" in result.err
