"""Every panel of every dashboard, asked of the real server and of the report's store: the same numbers."""

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

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
from guardduty_lens.visuals.report.answers import panel_rows
from guardduty_lens.visuals.report.store import Store
from guardduty_lens.visuals.rows import Row
from guardduty_lens.visuals.sql import Queries

FIELDS = fields_of(Lens(extractors=()).plan)
DASHBOARDS = {dashboard.id: dashboard for dashboard in load_dashboards(FIELDS)}
PANELS = [
    pytest.param(dashboard, panel, id=f"{dashboard.id}/{panel.id}")
    for dashboard in DASHBOARDS.values()
    for panel in dashboard.panels
    if panel.chart != "markdown"
]
DROPPED = "finding_id=left-out"
AFTER_THE_SAMPLES = "2026-03-01T00:00:00Z"
CORPUS = Path(__file__).parents[1] / "corpus"


class Cluster:
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


class Stored:
    """The same records in the report's store."""

    def __init__(self, store: Store, now: str) -> None:
        self._store = store
        self._queries = Queries(FIELDS, datetime.fromisoformat(now))

    def rows(self, dashboard: Dashboard, panel: Panel) -> list[Row]:
        return panel_rows(self._store, self._queries, dashboard, panel)


class Engines(NamedTuple):
    cluster: Cluster
    stored: Stored


def _load(
    url: str, names: Names, now: str, folder: Path, *paths: Path, rejects: bool = False
) -> Iterator[Engines]:
    to = ["--url", url, "--index-prefix", names.prefix]
    _run("install", *to)
    common = ["filter", *map(str, paths), "--dead-letters", str(folder / "dead"), "--drop-if", DROPPED]
    _run(*common, "--to", "opensearch", *to, exit_code=int(rejects))
    _run(*common, "-o", str(folder / "records.jsonl"), exit_code=int(rejects))
    client = OpenSearch(url)
    client.indices.refresh(index=f"{names.prefix}*")
    with Store(folder, FIELDS, list(DASHBOARDS.values())) as store:
        store.load(folder / "records.jsonl")
        yield Engines(Cluster(client, names, now), Stored(store, now))
    _run("uninstall", "--yes", "--with-data", *to)
    client.close()


def _run(*arguments: str, exit_code: int = 0) -> None:
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == exit_code, result.output


@pytest.fixture(scope="module")
def counted(opensearch_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engines]:
    folder = tmp_path_factory.mktemp("counted")
    source = folder / "in.jsonl"
    source.write_text("".join(json.dumps(each) + "\n" for each in UPDATES))
    yield from _load(opensearch_url, Names("counted-"), "2025-03-05T00:00:00Z", folder, source)


@pytest.fixture(scope="module")
def many(opensearch_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engines]:
    """The corpus, and samples of every active type; one line is no JSON, one finding odd, one dropped.

    So few that no bucket has more findings than are counted exactly (`precision.MANY_VALUES`).
    """
    folder = tmp_path_factory.mktemp("many")
    samples, odd = folder / "samples.jsonl", folder / "odd.jsonl"
    _run("sample", "-n", "700", "--shape", "mixed", "-o", str(samples))
    odd.write_bytes(b"{\n" + compact(event({"type": "Odd"})) + b"\n" + compact(event({"id": "left-out"})))
    names, now = Names("many-"), AFTER_THE_SAMPLES
    yield from _load(opensearch_url, names, now, folder, CORPUS, samples, odd, rejects=True)


@pytest.mark.parametrize("engine", Engines._fields)
@pytest.mark.parametrize("panel", EXPECTED)
def test_numbers_counted_by_hand(counted: Engines, panel: str, engine: str) -> None:
    overview = DASHBOARDS["overview"]
    [wanted] = [each for each in overview.panels if each.id == panel]
    assert getattr(counted, engine).rows(overview, wanted) == EXPECTED[panel]


@pytest.mark.parametrize("engine", Engines._fields)
def test_the_list_of_findings_says_their_type(counted: Engines, engine: str) -> None:
    """The first seed's table of documents, with the type as a column."""
    overview = DASHBOARDS["overview"]
    [panel] = [each for each in overview.panels if each.chart == "search"]
    at = [column.label for column in panel.columns or ()].index("type")
    types = {update["detail"]["id"]: update["detail"]["type"] for update in UPDATES}
    rows = getattr(counted, engine).rows(overview, panel)
    assert [row.values[at] for row in rows] == [types[each] for each in NEWEST_FIRST]


@pytest.mark.parametrize(("dashboard", "panel"), PANELS)
def test_no_panel_is_empty_and_the_report_gives_the_same(
    many: Engines, dashboard: Dashboard, panel: Panel
) -> None:
    rows = many.cluster.rows(dashboard, panel)
    assert any(any(row.values) for row in rows)
    if dashboard.id != "pipeline":  # what happened on the way into a cluster is known to it alone
        assert many.stored.rows(dashboard, panel) == rows
