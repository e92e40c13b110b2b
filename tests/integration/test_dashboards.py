"""Every panel of every dashboard, asked of the real server."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from counted_findings import EXPECTED, NEWEST_FIRST, UPDATES
from finding_events import compact, event
from opensearchpy import OpenSearch

from guardduty_lens.cli.main import main
from guardduty_lens.lens import Lens
from guardduty_lens.opensearch.names import Names
from guardduty_lens.visuals.dsl import Search
from guardduty_lens.visuals.fields import fields_of
from guardduty_lens.visuals.load import load_dashboards
from guardduty_lens.visuals.model import Dashboard, Panel
from guardduty_lens.visuals.rows import Row

FIELDS = fields_of(Lens(extractors=()).plan)
DASHBOARDS = {dashboard.id: dashboard for dashboard in load_dashboards(FIELDS)}
PANELS = [
    pytest.param(dashboard, panel, id=f"{dashboard.id}/{panel.id}")
    for dashboard in DASHBOARDS.values()
    for panel in dashboard.panels
    if panel.chart != "markdown"
]
COUNTED, MANY = Names("counted-"), Names("many-")
AFTER_THE_SAMPLES = "2026-03-01T00:00:00Z"
CORPUS = Path(__file__).parents[1] / "corpus"


class Loaded:
    """What was sent to a cluster, under a prefix, and how a panel is asked there."""

    def __init__(self, client: OpenSearch, names: Names, now: str) -> None:
        self._client = client
        self._search = Search(FIELDS, now=now)
        self._indices = {
            "log": f"{names.log}*",
            "state": names.state_index,
            "stats": f"{names.stats}-*",
        }

    def rows(self, dashboard: Dashboard, panel: Panel) -> list[Row]:
        body = self._search.body(dashboard, panel)
        answer = self._client.search(index=self._indices[dashboard.index_of(panel)], body=body)
        assert not answer["timed_out"]
        assert answer["_shards"]["failed"] == 0
        return self._search.rows(dashboard, panel, answer)


def _load(url: str, names: Names, folder: Path, *paths: Path, rejects: bool = False) -> Iterator[OpenSearch]:
    to = ["--url", url, "--index-prefix", names.prefix]
    _run("install", *to)
    sending = ["filter", *map(str, paths), "--to", "opensearch", *to, "--dead-letters", str(folder / "dead")]
    _run(*sending, "--drop-if", "finding_id=left-out", exit_code=1 if rejects else 0)
    client = OpenSearch(url)
    client.indices.refresh(index=f"{names.prefix}*")
    yield client
    _run("uninstall", "--yes", "--with-data", *to)
    client.close()


def _run(*arguments: str, exit_code: int = 0) -> None:
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == exit_code, result.output


@pytest.fixture(scope="module")
def counted(opensearch_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    folder = tmp_path_factory.mktemp("counted")
    source = folder / "in.jsonl"
    source.write_text("".join(json.dumps(each) + "\n" for each in UPDATES))
    for client in _load(opensearch_url, COUNTED, folder, source):
        yield Loaded(client, COUNTED, "2025-03-05T00:00:00Z")


@pytest.mark.parametrize("panel", EXPECTED)
def test_numbers_counted_by_hand(counted: Loaded, panel: str) -> None:
    overview = DASHBOARDS["overview"]
    [wanted] = [each for each in overview.panels if each.id == panel]
    assert counted.rows(overview, wanted) == EXPECTED[panel]


def test_the_list_of_findings_says_their_type(counted: Loaded) -> None:
    """The first seed's table of documents, with the type as a column."""
    overview = DASHBOARDS["overview"]
    [panel] = [each for each in overview.panels if each.chart == "search"]
    at = [column.label for column in panel.columns or ()].index("type")
    types = {update["detail"]["id"]: update["detail"]["type"] for update in UPDATES}
    assert [row.values[at] for row in counted.rows(overview, panel)] == [types[each] for each in NEWEST_FIRST]


@pytest.fixture(scope="module")
def many(opensearch_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    """The corpus, and samples of every active type; one line is no JSON, one finding odd, one dropped."""
    folder = tmp_path_factory.mktemp("many")
    samples, odd = folder / "samples.jsonl", folder / "odd.jsonl"
    _run("sample", "-n", "3000", "--shape", "mixed", "-o", str(samples))
    odd.write_bytes(b"{\n" + compact(event({"type": "Odd"})) + b"\n" + compact(event({"id": "left-out"})))
    for client in _load(opensearch_url, MANY, folder, CORPUS, samples, odd, rejects=True):
        yield Loaded(client, MANY, AFTER_THE_SAMPLES)


@pytest.mark.parametrize(("dashboard", "panel"), PANELS)
def test_no_panel_is_empty(many: Loaded, dashboard: Dashboard, panel: Panel) -> None:
    rows = many.rows(dashboard, panel)
    assert any(any(row.values) for row in rows)
