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
    command("report", findings, "--days", 1, "--as-of", "2025-03-04T14:00:00+02:00")
    assert _data(tmp_path / "report.html") | {"made_at": 0} == data | {"made_at": 0}
    result = command("report", findings, "--as-of", "soon")
    assert result.code == 2
    assert "'soon' is neither a date nor now" in result.err


def test_what_days_leave_out_is_said_on_the_page_and_on_the_console(command, findings, tmp_path):
    result = command("report", findings, findings, "--days", 1, "--as-of", "2025-03-04T12:00:00Z")
    assert result.code == 0
    left_out = [
        "repeated, and counted once: 12 records",
        "not shown, as last seen before 2025-03-03 12:00 UTC (--days 1): 11 of 12 records",
    ]
    size, *notes = result.err.splitlines()[-3:]
    assert re.fullmatch(r"report\.html: \d+\.\d MB, 1 findings in 1 updates", size)
    assert notes == [f"  {note}" for note in left_out]
    data = _data(tmp_path / "report.html")
    assert data["left_out"] == left_out
    # Every record that was read is shown, a repetition, or too old.
    assert data["records"] + data["duplicates"] + 11 == 24


def test_days_in_which_nothing_was_seen(command, findings, tmp_path):
    options = ("--days", 1, "--as-of", "2026-03-04")
    result = command("report", findings, *options)
    left_out = "not shown, as last seen before 2026-03-03 00:00 UTC (--days 1): 12 of 12 records"
    assert (result.code, (tmp_path / "report.html").exists()) == (1, False)
    assert result.err.splitlines()[-2:] == [
        f"  {left_out}",
        "guardduty-lens: nothing to report: no record of the last 1 days came out of what was read, and "
        "report.html was not written; --allow-empty writes an empty page",
    ]
    assert command("report", findings, *options, "--allow-empty").code == 0
    data = _data(tmp_path / "report.html")
    assert (data["findings"], data["records"], data["left_out"]) == (0, 0, [left_out])


def test_days_that_leave_nothing_out_are_not_spoken_of(command, findings, tmp_path):
    result = command("report", findings, "--days", 30)
    assert result.code == 0
    assert result.err.splitlines()[-1].endswith(" MB, 10 findings in 12 updates")
    assert _data(tmp_path / "report.html")["left_out"] == []


def test_a_year_that_no_calendar_has_is_not_now(command, tmp_path):
    odd = json.loads(json.dumps(UPDATES[0]))
    odd["detail"]["id"] = "odd"
    odd["detail"]["updatedAt"] = odd["detail"]["service"]["eventLastSeen"] = "12000-01-01T00:00:00Z"
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(each) + "\n" for each in (odd, UPDATES[1])))
    assert command("report", "in.jsonl", "--days", 1).code == 0
    data = _data(tmp_path / "report.html")
    assert data["as_of"] < 1741082400000 + 600_000
    assert data["findings"] == 2


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
