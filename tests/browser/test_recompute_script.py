"""The page's own arithmetic, `recompute.js`, against its reference in Python, for every panel."""

import json
import random
from importlib.resources import files
from pathlib import Path

import msgspec
import pytest
from playwright.sync_api import Browser

from guardduty_lens.lens import Lens
from guardduty_lens.samples import generate_payloads
from guardduty_lens.visuals.fields import fields_of
from guardduty_lens.visuals.load import load_dashboards
from guardduty_lens.visuals.report.build import ReportOptions, build_report
from guardduty_lens.visuals.report.data import PanelData, ReportData
from guardduty_lens.visuals.report.recompute import Recomputed
from guardduty_lens.visuals.report.store import Store


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> ReportData:
    lens, folder = Lens(extractors=()), tmp_path_factory.mktemp("store")
    with (folder / "records.jsonl").open("wb") as file:
        for payload in generate_payloads(1500, 11, "finding"):
            file.writelines(record.to_json() + b"\n" for record in lens.process(payload))
    fields = fields_of(lens.plan)
    dashboards = load_dashboards(fields)
    with Store(folder, fields, dashboards) as store:
        store.load(folder / "records.jsonl")
        return build_report(store, fields, dashboards, lens.counters.summary(), ReportOptions())


def _expected(panel: PanelData, passing: list[bool]) -> list[list[list[object]]]:
    cells = Recomputed(panel.splits, panel.measures, panel.above, panel.findings, panel.records)
    return [[list(row.keys), list(row.values)] for row in cells.rows(passing)]


def test_the_script_gives_what_the_reference_gives(browser: Browser, report: ReportData) -> None:
    source = (files("guardduty_lens.visuals.report") / "html" / "recompute.js").read_text()
    page = browser.new_page()
    page.add_script_tag(content=source + "\nwindow.rowsOf = (panel, passing) => recompute(panel, passing);")
    chance = random.Random(5)
    panels = [panel for dashboard in report.dashboards for panel in dashboard.panels if panel.measures]
    assert len(panels) > 100
    for panel in panels:
        data = json.loads(msgspec.json.encode(panel))
        for share in (1.0, 0.4, 0.05):
            passing = [chance.random() <= share for _ in report.scopes]
            given = page.evaluate(
                "([panel, passing]) => rowsOf(panel, passing).map(({ keys, values }) => [keys, values])",
                [data, passing],
            )
            wanted = json.loads(json.dumps(_expected(panel, passing)))
            assert _rounded(given) == _rounded(wanted), panel.id
    page.close()


def _rounded(rows: list[list[list[object]]]) -> list[list[list[object]]]:
    return [
        [keys, [round(each, 6) if isinstance(each, float) else each for each in values]]
        for keys, values in rows
    ]


def test_nothing_of_the_page_is_left_out_of_it() -> None:
    """Every script beside the page is in it, or in its list of vendored ones."""
    from guardduty_lens.visuals.report.page import SCRIPTS

    folder = Path(str(files("guardduty_lens.visuals.report") / "html"))
    assert {path.name for path in folder.glob("*.js")} == {*SCRIPTS, "echarts.js"}
