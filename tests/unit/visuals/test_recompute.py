"""What the page shows for a filter, recomputed from cells: the same as the store gives for it anew."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from counted_findings import EXPECTED, UPDATES

from guardduty_lens.lens import Lens
from guardduty_lens.record import Record
from guardduty_lens.samples import generate_payloads
from guardduty_lens.visuals.fields import fields_of
from guardduty_lens.visuals.load import load_dashboards
from guardduty_lens.visuals.model import Dashboard, Panel
from guardduty_lens.visuals.report.answers import panel_rows
from guardduty_lens.visuals.report.cells import CellCounter
from guardduty_lens.visuals.report.data import Combination
from guardduty_lens.visuals.report.recompute import Recomputed, allowed
from guardduty_lens.visuals.report.scopes import Scopes
from guardduty_lens.visuals.report.store import Store
from guardduty_lens.visuals.rows import Row
from guardduty_lens.visuals.sql import Queries, Sql

FIELDS = fields_of(Lens(extractors=()).plan)
DASHBOARDS = {dashboard.id: dashboard for dashboard in load_dashboards(FIELDS)}
PANELS = [
    pytest.param(dashboard, panel, id=f"{dashboard.id}/{panel.id}")
    for dashboard in DASHBOARDS.values()
    for panel in dashboard.panels
    if panel.columns is None and dashboard.index_of(panel) in ("log", "state")
]
NOW = datetime(2026, 2, 14, tzinfo=UTC)


class Report:
    """A loaded store, and a way to ask it for what a filter leaves."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.scopes = Scopes(store)
        self.queries = Queries(FIELDS, NOW)
        self.counter = CellCounter(store, self.queries, FIELDS, self.scopes)

    def recomputed(self, dashboard: Dashboard, panel: Panel, wanted: set[int]) -> list[Row]:
        counted = self.counter.count(dashboard, panel)
        scopes = self.scopes.all()
        passing = allowed(scopes, lambda each: self._numbers[each] in wanted)
        return Recomputed(**msgspec.structs.asdict(counted)).rows(passing)

    @property
    def _numbers(self) -> dict[Combination, int]:
        return {each: number for number, each in enumerate(self.scopes.combinations)}


def _store(folder: Path, payloads: Iterator[bytes]) -> Store:
    lens = Lens(extractors=())
    with (folder / "records.jsonl").open("wb") as file:
        for payload in payloads:
            for record in lens.process(payload):
                assert isinstance(record, Record)
                file.write(record.to_json() + b"\n")
    store = Store(folder, FIELDS, list(DASHBOARDS.values()))
    store.load(folder / "records.jsonl")
    return store


@pytest.fixture(scope="module")
def sampled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Report]:
    with _store(tmp_path_factory.mktemp("sampled"), generate_payloads(1500, 7, "finding")) as store:
        yield Report(store)


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Report]:
    with _store(tmp_path_factory.mktemp("counted"), map(msgspec.json.encode, UPDATES)) as store:
        yield Report(store)


@pytest.mark.parametrize("panel", EXPECTED)
def test_without_a_filter_cells_give_the_numbers_counted_by_hand(counted: Report, panel: str) -> None:
    overview = DASHBOARDS["overview"]
    [wanted] = [each for each in overview.panels if each.id == panel]
    everything = set(range(len(counted.scopes.combinations)))
    assert counted.recomputed(overview, wanted, everything) == EXPECTED[panel]


def test_a_finding_that_rose_is_counted_once_whichever_severities_pass(counted: Report) -> None:
    """f4 was Medium, then High; f2, f7 and f8 are Medium, f1, f3 and f6 High."""
    overview = DASHBOARDS["overview"]
    [total] = [each for each in overview.panels if each.id == "findings"]
    labels = counted.scopes.severities
    for severities, number in ({"High"}, 4), ({"Medium"}, 4), ({"High", "Medium"}, 7):
        wanted = {
            place
            for place, each in enumerate(counted.scopes.combinations)
            if labels[each.severity] in severities
        }
        assert counted.recomputed(overview, total, wanted) == [Row((), (number,))]


@pytest.mark.parametrize(("dashboard", "panel"), PANELS)
def test_any_filter_gives_what_the_store_gives_for_it(
    sampled: Report, dashboard: Dashboard, panel: Panel
) -> None:
    chance = random.Random(f"{dashboard.id}/{panel.id}")
    numbers = range(len(sampled.scopes.combinations))
    for share in (1.0, 0.5, 0.1):
        wanted = {number for number in numbers if chance.random() <= share}
        sampled.store.execute("BEGIN TRANSACTION")
        recomputed = sampled.recomputed(dashboard, panel, wanted)
        sampled.store.fetch(Sql("DELETE FROM log WHERE NOT list_contains(?, combination)", (list(wanted),)))
        asked = panel_rows(sampled.store, sampled.queries, dashboard, panel)
        sampled.store.execute("ROLLBACK")
        assert _close(recomputed) == _close(asked)


def _close(rows: list[Row]) -> list[Row]:
    """Round what was added up in another order."""
    return [
        Row(row.keys, tuple(round(each, 6) if isinstance(each, float) else each for each in row.values))
        for row in rows
    ]


def test_dates_are_in_utc_whatever_their_offset(tmp_path: Path) -> None:
    update = UPDATES[0] | {"detail": UPDATES[0]["detail"] | {"updatedAt": "2025-03-01T23:30:00-02:00"}}
    with _store(tmp_path, iter([msgspec.json.encode(update)])) as store:
        assert store.fetch(Sql("SELECT updated_at FROM log")) == [(datetime(2025, 3, 2, 1, 30),)]
