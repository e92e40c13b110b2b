"""The report's page in a real browser: it draws, filters, loads nothing, runs nothing that findings bring."""

import json
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from counted_findings import UPDATES, A, B
from playwright.sync_api import Browser, Page, expect

from guardduty_lens.cli.main import main

TABS = [
    "Overview",
    "Triage",
    "Network",
    "Identity",
    "Workloads",
    "Data",
    "Attack sequences",
    "ATT&CK",
    "Pipeline",
    "Findings",
]
EVIL = "</script><script>window.bad = 1</script><img src=x onerror='window.bad = 2'>\u2028{{data}}"


def _report(folder: Path, findings: list[dict[str, Any]], *options: str) -> Path:
    source = folder / "in.jsonl"
    source.write_text("".join(json.dumps(each) + "\n" for each in findings))
    path = folder / "report.html"
    arguments = ["report", str(source), "-o", str(path), "--dead-letters", str(folder / "dead"), *options]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    return path


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _report(tmp_path_factory.mktemp("counted"), UPDATES)


@pytest.fixture(scope="module")
def sampled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sampled")
    result = CliRunner().invoke(main, ["sample", "-n", "2500", "-o", str(folder / "in.jsonl")])
    assert result.exit_code == 0
    findings = [json.loads(line) for line in (folder / "in.jsonl").read_text().splitlines()]
    odd = deepcopy(UPDATES[0])
    odd["detail"] |= {"id": "odd", "type": "Odd"}
    return _report(folder, [*findings, odd])


class Opened:
    """A page, and what it did besides."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))

    def open(self, path: Path) -> Page:
        self.page.goto(path.as_uri())
        return self.page


@pytest.fixture
def opened(browser: Browser) -> Iterator[Opened]:
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    opened = Opened(page)
    yield opened
    assert opened.complaints == []
    assert [url for url in opened.requests if not url.startswith("file:")] == []
    assert len(opened.requests) == 1  # the page itself
    page.close()


def _figure(page: Page, panel: str) -> str:
    return page.locator(f"#panel-{panel} .figure").inner_text()


def _numbers(page: Page, panel: str) -> list[list[str]]:
    """Give the rows of a chart's table, which its button shows."""
    root = page.locator(f"#panel-{panel}")
    button = root.get_by_role("button", name="Table", exact=True)
    if button.count():
        button.click()
    rows = root.locator("tbody tr").all()
    return [[cell.inner_text() for cell in row.locator("td").all()] for row in rows]


def test_every_panel_of_every_tab_draws(opened: Opened, sampled: Path) -> None:
    page = opened.open(sampled)
    tabs = page.get_by_role("tab")
    assert tabs.all_inner_texts() == TABS
    for tab in tabs.all():
        tab.click()
        board = page.locator(".board:not([hidden])")
        expect(board).to_have_count(1)
        assert board.locator(".empty").count() == 0, board.locator(".panel:has(.empty) h3").all_inner_texts()
        for canvas in board.locator(".canvas").all():
            assert canvas.locator("svg path").count() > 0
        for panel in board.locator(".panel").all():
            assert panel.locator(".body, .findings").first.inner_text() or panel.locator("svg").count()


def test_severities_and_accounts_filter_and_findings_are_counted_once(opened: Opened, counted: Path) -> None:
    """The numbers are those of `counted_findings`: f4 is Medium, then High."""
    page = opened.open(counted)
    assert _figure(page, "findings") == "10"
    page.get_by_role("button", name="High", exact=True).click()
    assert _figure(page, "findings") == "4"
    assert _figure(page, "medium") == "0"
    expect(page.get_by_role("status").first).to_have_text("4 of 10 findings pass the filters.")
    page.get_by_role("button", name="Medium", exact=True).click()
    assert _figure(page, "findings") == "7"
    page.locator("summary").click()
    page.get_by_role("checkbox", name=A).check()
    assert _figure(page, "findings") == "3"
    assert _numbers(page, "threats-by-account") == [[A, "High", "2"], [A, "Medium", "1"]]
    page.locator("summary").click()
    page.get_by_role("checkbox", name=B).check()
    assert _figure(page, "findings") == "5"
    page.get_by_role("button", name="Reset").click()
    assert _figure(page, "findings") == "10"


def test_filters_are_carried_from_tab_to_tab_and_shown_by_every_panel(opened: Opened, counted: Path) -> None:
    page = opened.open(counted)
    page.get_by_role("button", name="Low", exact=True).click()
    page.locator("#panel-attack-by-country a.more").click()
    assert page.url.endswith("#network")
    assert _numbers(page, "local-ports") == []
    assert page.locator("#panel-protocols .empty").inner_text() == "Nothing passes the filters."
    page.get_by_role("tab", name="Findings").click()
    rows = page.locator(".findings tbody tr")
    expect(rows).to_have_count(2)
    assert page.locator("#filters").get_by_role("button", name="Low").get_attribute("aria-pressed") == "true"


def test_a_chart_s_severity_or_account_filters_by_it(opened: Opened, counted: Path) -> None:
    page = opened.open(counted)
    reds = page.locator("#panel-threats-by-account svg path[fill='#BC2D2C']")
    widest = reds.evaluate_all("all => all.map(each => each.getBoundingClientRect().width)")
    reds.nth(widest.index(max(widest))).click()  # a bar, not the square in the legend
    expect(page.get_by_role("button", name="High", exact=True)).to_have_attribute("aria-pressed", "true")
    assert _figure(page, "findings") == "4"


def test_tabs_by_keyboard(opened: Opened, counted: Path) -> None:
    page = opened.open(counted)
    page.get_by_role("tab", name="Overview").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Triage")).to_be_focused()
    expect(page.get_by_role("tab", name="Triage")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("End")
    expect(page.get_by_role("tab", name="Findings")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Overview")).to_be_focused()
    assert page.locator(".board:not([hidden]) h2").inner_text().startswith("Overview")


def test_the_table_of_findings_sorts_searches_and_opens(opened: Opened, counted: Path) -> None:
    page = opened.open(counted)
    page.get_by_role("tab", name="Findings").click()
    types = page.locator(".findings tbody tr td:nth-child(4)")
    assert types.first.inner_text() == "AttackSequence:IAM/CompromisedCredentials"
    page.get_by_role("button", name="type", exact=True).click()
    assert types.all_inner_texts() == sorted(types.all_inner_texts())
    page.get_by_role("button", name="type", exact=True).click()
    assert types.first.inner_text().startswith("UnauthorizedAccess")
    page.get_by_label("Search", exact=True).last.fill("phishing eu-west-1")
    expect(types).to_have_count(2)
    row = page.get_by_role("button", name="Show the record").first
    row.focus()
    page.keyboard.press("Enter")
    record = json.loads(page.locator(".record pre").inner_text())
    assert record["detail"]["type"] == "Trojan:EC2/PhishingDomainRequest!DNS"
    assert record["severity_label"] in ("High", "Medium")
    expect(page.get_by_role("button", name="Show the record").first).to_be_focused()


def test_the_table_says_that_it_is_a_selection(opened: Opened, sampled: Path) -> None:
    page = opened.open(sampled)
    page.get_by_role("tab", name="Findings").click()
    hint = page.locator(".whole .hint").inner_text()
    assert hint.startswith("A selection: the 2,000 most severe and newest of 2,1")
    page.get_by_role("button", name="Next").click()
    assert page.locator(".pager span").inner_text() == "Page 2 of 40"


def test_nothing_that_a_finding_brings_is_run_or_drawn_as_markup(opened: Opened, tmp_path: Path) -> None:
    finding = deepcopy(UPDATES[3])
    detail = finding["detail"]
    detail |= {"id": EVIL, "title": EVIL, "type": f"Recon:EC2/{EVIL}", "accountId": EVIL, "region": EVIL}
    detail["service"]["action"]["networkConnectionAction"] = {
        "remoteIpDetails": {
            "ipAddressV4": EVIL,
            "country": {"countryName": EVIL},
            "city": {"cityName": EVIL},
            "organization": {"asnOrg": EVIL},
        }
    }
    detail["resource"]["instanceDetails"] = {
        "instanceId": EVIL,
        "tags": [{"key": EVIL, "value": EVIL}],
        "networkInterfaces": [{"securityGroups": [{"groupName": EVIL}], "vpcId": EVIL}],
    }
    page = opened.open(_report(tmp_path, [finding], "--title", EVIL))
    assert page.title() == EVIL.replace("\u2028", "\u2028")
    for tab in page.get_by_role("tab").all():
        tab.click()
        for chart in page.locator(".board:not([hidden]) .canvas").all():
            chart.hover()
    page.get_by_role("button", name="Show the record").click()
    assert EVIL.split("\u2028")[0] in page.locator(".record pre").inner_text().replace('\\"', '"')
    assert page.evaluate("window.bad") is None
    assert page.locator("img").count() == 0
    assert page.locator("script").count() == 5


def test_only_links_over_https_are_links(opened: Opened, tmp_path: Path) -> None:
    folder = tmp_path / "fields"
    folder.mkdir()
    (folder / "own.yml").write_text(
        "fields:\n"
        "  - {field: console_url, type: url, description: d, from: [detail.title], "
        "examples: [{given: {detail: {title: x}}, gives: x}]}\n"
    )
    bad, good = deepcopy(UPDATES[0]), deepcopy(UPDATES[1])
    bad["detail"]["title"] = "javascript:window.bad=1"
    good["detail"]["title"] = "https://example.org/?a=1&b=2"
    page = opened.open(_report(tmp_path, [bad, good], "--fields", str(folder)))
    page.get_by_role("tab", name="Findings").click()
    links = page.locator(".findings a")
    assert [link.get_attribute("href") for link in links.all()] == ["https://example.org/?a=1&b=2"]


def test_dark_and_light(browser: Browser, counted: Path) -> None:
    page = browser.new_page(color_scheme="dark")
    page.goto(counted.as_uri())
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.get_by_role("button", name="Light colours").click()
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (dark, light) == ("rgb(18, 20, 25)", "rgb(245, 246, 248)")
    page.close()


@pytest.mark.parametrize("width", [390, 820, 1440])
def test_no_tab_is_wider_than_the_screen(browser: Browser, sampled: Path, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 800})
    page.goto(sampled.as_uri())
    for tab in page.get_by_role("tab").all():
        tab.click()
        assert page.evaluate("document.documentElement.scrollWidth") <= width, tab.inner_text()
    page.close()


def test_print_shows_the_chosen_tab_without_what_is_for_the_screen(browser: Browser, counted: Path) -> None:
    page = browser.new_page(color_scheme="dark")
    page.goto(counted.as_uri())
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("#filters").is_hidden()
    assert page.locator("#panel-findings").is_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert len(page.pdf()) > 10_000
    page.close()


def test_the_page_has_a_policy_and_no_address_to_load_from(counted: Path) -> None:
    text = counted.read_text()
    head = text[: text.index("<style>")]
    assert "default-src &#x27;none&#x27;" in head
    assert "unsafe-eval" not in head
    assert "script-src &#x27;sha256-" in head
    assert " src=" not in head
    assert "<link" not in text[: text.index("</head>")]


def test_what_days_leave_out_is_said(opened: Opened, tmp_path: Path) -> None:
    path = _report(tmp_path, UPDATES, "--days", "1", "--as-of", "2025-03-04T12:00:00Z")
    expect(opened.open(path).locator("#about")).to_have_text(
        "1 findings, 1 updates · 2025-03-04 to 2025-03-04 · as of 2025-03-04 12:00 UTC"
        " · not shown, as last seen before 2025-03-03 12:00 UTC (--days 1): 11 of 12 records"
    )
