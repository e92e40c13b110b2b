"""`make demo`: what the console counts is what the pages show."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
COUNTS = re.compile(
    r"([\d,]+) payloads, ([\d,]+) events: ([\d,]+) records, 0 filtered, (\d+) rejected, 0 control"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with what the demo reads of the repository, in which it has run twice."""
    folder = tmp_path_factory.mktemp("demo")
    lay_out(folder)
    run(folder)
    (folder / "console.txt").write_text(run(folder), encoding="utf-8")
    return folder


def lay_out(folder):
    for name in ("examples", "tools"):
        (folder / name).symlink_to(ROOT / name)


def run(folder):
    """Run the demo, and give what it says."""
    done = subprocess.run(
        ["sh", "tools/demo.sh"],
        cwd=folder,
        env={**os.environ, "BIN": str(BIN)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout.decode()
    return done.stdout.decode()


@pytest.fixture
def console(folder):
    return (folder / "console.txt").read_text(encoding="utf-8")


def counts(console):
    """Give payloads, events, records and rejected of the three runs: filter, report, report of samples."""
    return [tuple(int(each.replace(",", "")) for each in found) for found in COUNTS.findall(console)]


def page(folder, name):
    text = (folder / "demo" / name).read_text(encoding="utf-8")
    return json.loads(re.search(r'id="data">(.*?)</script>', text, re.DOTALL).group(1))


def panels(data):
    return {panel["id"]: panel for board in data["dashboards"] for panel in board["panels"]}


def test_the_page_of_the_shipped_findings_shows_what_the_console_counts(folder, console):
    filtered, reported, _ = counts(console)
    assert filtered == reported
    *_, records, rejected = filtered
    data = page(folder, "report.html")
    assert (data["records"], data["rejected"], data["duplicates"]) == (records, rejected, 0)
    assert data["left_out"] == []
    assert panels(data)["rejected"]["from_run"] == rejected == 1
    assert len((folder / "demo/records.jsonl").read_text(encoding="utf-8").splitlines()) == records
    assert f"records.jsonl         {records} records: " in console
    assert len((folder / "demo/dead-letters.jsonl").read_text().splitlines()) == rejected
    summary = json.loads((folder / "demo/summary.json").read_bytes())
    assert summary["events"] == {
        "control": 0,
        "filtered": 0,
        "in": filtered[1],
        "records": records,
        "rejected": 1,
    }


def test_no_shipped_finding_is_too_old_for_the_page(folder):
    lines = (folder / "demo/records.jsonl").read_text(encoding="utf-8").splitlines()
    kept = {json.loads(line)["finding_id"] for line in lines}
    data = page(folder, "report.html")
    assert data["findings"] == data["table"]["total"] == len(kept)
    assert data["first"] < 1_514_764_800_000  # 2018


def test_the_page_of_samples_shows_what_the_console_counts(folder, console):
    *_, (_, _, records, rejected) = counts(console)
    data = page(folder, "sample-report.html")
    assert (data["records"], data["rejected"], data["left_out"]) == (records, rejected, []) == (3000, 0, [])


@pytest.mark.parametrize("name", ["report.html", "sample-report.html"])
def test_the_console_says_what_a_page_holds(folder, console, name):
    data = page(folder, name)
    said = f"{data['findings']:,} findings in {data['updates']:,} updates"
    assert re.search(rf"^demo/{re.escape(name)}: \d+\.\d MB, {said}$", console, re.MULTILINE)


def test_it_ends_with_what_is_where_and_what_to_do_next(folder, console):
    places, next_steps = console.split("\nIn demo:\n")[1].split("\nNext:\n")
    named = re.findall(r"^  (\S+\.\w+)", places, re.MULTILINE)
    assert named == ["report.html", "records.jsonl", "summary.json", "dead-letters.jsonl"]
    assert all((folder / "demo" / name).is_file() for name in named)
    assert next_steps.splitlines()[0] == f"  . {BIN}/activate"
    assert (BIN / "activate").is_file()
    for command in ("filter", "report", "plan", "install"):
        assert f"guardduty-lens {command} " in next_steps


def test_a_failing_step_ends_it(tmp_path):
    lay_out(tmp_path)
    (tmp_path / "guardduty-lens").write_text("#!/bin/sh\nexit 3\n")
    (tmp_path / "guardduty-lens").chmod(0o755)
    done = subprocess.run(
        ["sh", "tools/demo.sh"],
        cwd=tmp_path,
        env={**os.environ, "BIN": str(tmp_path)},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 3
    assert b"Next:" not in done.stdout
