"""A story: three quiet weeks, a release, and a burst of findings three hours after it.

The alert of more findings than usual keeps silent, and then fires; the marker is in the report's charts, in
its table, and in what Dashboards draws.
"""

import json
import os
import subprocess
import time
import uuid
from pathlib import Path

import pytest
from alert_cases import FINDING, AlertCluster
from click.testing import CliRunner
from command_line import COMMAND
from playwright.sync_api import Browser, expect

from guardduty_lens import Lens
from guardduty_lens.alerts.load import load_alerts
from guardduty_lens.alerts.model import Case, Given
from guardduty_lens.cli.main import main
from guardduty_lens.opensearch.dates import iso
from guardduty_lens.visuals.fields import fields_of_lens

HOUR = 3_600_000


@pytest.fixture
def cluster(opensearch_url):
    prefix = f"story-{uuid.uuid4().hex[:8]}-"
    options = ["--url", opensearch_url, "--index-prefix", prefix]
    done = CliRunner().invoke(main, ["install", *options, "--replicas", "0", "--yes"])
    assert done.exit_code == 0, done.output
    made = AlertCluster(opensearch_url, prefix, time.time_ns() // 1_000_000)
    yield made
    made.close()
    done = CliRunner().invoke(main, ["uninstall", *options, "--with-data", "--yes"])
    assert done.exit_code == 0, done.output


def test_a_burst_after_a_release(cluster: AlertCluster, browser: Browser, tmp_path: Path) -> None:
    alerts = {alert.id: alert for alert in load_alerts(fields_of_lens(Lens(extractors=())))}
    alert = alerts["more-high-than-usual"]
    quiet = [
        Given(ago=f"{24 * day + hour}h", finding={"id": f"quiet-{day}-{hour}"})
        for day in range(1, 22)
        for hour in (0, 9)
    ]
    before = [Given(ago="5h", finding={"id": "before"})]
    cluster.load(Case(name="quiet", given=[*quiet, *before], fires=False))
    assert not cluster.fires(alert)
    release = cluster.now - 4 * HOUR
    options = ["--url", cluster.server.url, "--index-prefix", cluster.names.prefix]
    tagged = ["tag", "release", "--version", "2.0", "--service", "shop", "--at", iso(release), *options]
    done = CliRunner().invoke(main, tagged)
    assert (done.exit_code, done.output) == (0, f"shop release 2.0: in {cluster.names.tags}\n")
    done = CliRunner().invoke(main, tagged)
    assert done.output == f"shop release 2.0: was already in {cluster.names.tags}\n"
    phishing = "Trojan:EC2/PhishingDomainRequest!DNS"
    burst = [Given(ago="1h", copies=15, finding={"id": "burst-{n}", "type": phishing})]
    cluster.load(Case(name="burst", given=[*quiet, *before, *burst], fires=True))
    assert CliRunner().invoke(main, tagged).exit_code == 0  # the case before took it away
    cluster.server.expect("POST", f"{cluster.names.tags}/_refresh")
    assert cluster.fires(alert)

    path = tmp_path / "report.html"
    done = CliRunner().invoke(main, ["report", "--from-opensearch", *options, "-o", str(path)])
    assert done.exit_code == 0, done.output
    page = browser.new_page(viewport={"width": 1440, "height": 1000})
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(path.as_uri())
    section = page.locator("#panel-releases")
    expect(section).to_contain_text("What followed each release")
    cells = [cell.inner_text() for cell in section.locator("tbody td").all()]
    assert cells[0] == "shop release 2.0"
    # In the day before: the one of the hour before, and the quiet ones of a day ago that lie within it.
    assert cells[2:] == ["2", "15", phishing]
    lines = page.locator("svg path[stroke='#b5418b']")
    assert lines.count() >= 2  # the trends of all, and of high severity; none of medium are there
    expect(page.locator("svg text", has_text="shop release 2.0").first).to_be_visible()
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=f"{folder}/releases.png", full_page=True)
    assert complaints == []
    page.close()


def test_markers_from_a_file_and_wrong_ones(browser: Browser, tmp_path: Path) -> None:
    moment = time.time_ns() // 1_000_000 - 2 * HOUR
    times = {"createdAt": iso(moment + HOUR), "updatedAt": iso(moment + HOUR)}
    finding = FINDING | times | {"service": FINDING["service"] | {"eventLastSeen": iso(moment + HOUR)}}
    (tmp_path / "in.jsonl").write_text(json.dumps(finding))
    evil = "<img src=x onerror='window.bad = 1'>"
    (tmp_path / "tags.jsonl").write_text(json.dumps({"name": evil, "at": iso(moment)}) + "\n\n")
    line = ["report", "in.jsonl", "--tags", "tags.jsonl", "-o", "report.html"]
    done = subprocess.run([*COMMAND, *line], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    page = browser.new_page()
    page.goto((tmp_path / "report.html").as_uri())
    expect(page.locator("#panel-releases tbody td").first).to_have_text(evil)
    assert page.evaluate("window.bad") is None
    page.close()
    for wrong, why in {
        "{": "tags.jsonl:1: no JSON",
        "[]": "tags.jsonl:1: a marker is an object",
        '{"name": "a"}': "tags.jsonl:1: a marker has a name, and a date in @timestamp or at",
    }.items():
        (tmp_path / "tags.jsonl").write_text(wrong)
        done = subprocess.run([*COMMAND, *line], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 2
        assert why in done.stderr
