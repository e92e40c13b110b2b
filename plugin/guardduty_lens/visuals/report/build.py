"""Everything that the report's page shows, of the records in a store."""

import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import msgspec

from guardduty_lens.version import __version__
from guardduty_lens.visuals.colours import SERIES, SEVERITY
from guardduty_lens.visuals.fields import NUMBERS, Fields
from guardduty_lens.visuals.labels import label_of
from guardduty_lens.visuals.layout import Placed, layout
from guardduty_lens.visuals.model import Column, Dashboard, Panel
from guardduty_lens.visuals.report.cells import CellCounter
from guardduty_lens.visuals.report.data import (
    Cells,
    ColumnData,
    DashboardData,
    FindingRow,
    Findings,
    PanelData,
    ReportData,
)
from guardduty_lens.visuals.report.notes import Outside, left_out
from guardduty_lens.visuals.report.releases import HOURS, Marker, releases
from guardduty_lens.visuals.report.scopes import Scopes
from guardduty_lens.visuals.report.store import Store
from guardduty_lens.visuals.scope import records_of
from guardduty_lens.visuals.sql import Queries, Sql, quoted

MOST_FINDINGS = 2_000
"""Rows of the table of findings."""

TABLE = tuple(
    Column(field=field)
    for field in (
        "eventLastSeen",
        "severity_label",
        "finding_type",
        "account_id",
        "finding_region",
        "resource_name",
        "title",
        "event_count",
        "console_url",
    )
)
"""Columns of the table of findings."""

_CUTS: Sequence[tuple[timedelta, Literal["hour", "day", "week"]]] = (
    (timedelta(days=3), "hour"),
    (timedelta(days=120), "day"),
    (timedelta(days=730), "week"),
)
"""How times are cut where all there is spans no more than this."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class ReportOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What a user may say: a title, what "now" is (the newest update if not), how many days back."""

    title: str = "GuardDuty findings"
    as_of: datetime | None = None
    days: int | None = None
    outside: Outside | None = None
    """What was left unread for being older than so many days; it counts as what is left out here."""


def build_report(
    store: Store,
    fields: Fields,
    dashboards: Sequence[Dashboard],
    summary: Mapping[str, Any],
    options: ReportOptions,
    markers: Sequence[Marker] = (),
) -> ReportData:
    """Give the report of a store that is loaded.

    `summary` is that of the run which read the records, `markers` are deployments to show beside them.
    """
    as_of = (options.as_of or _newest(store)).astimezone(UTC)
    outside = options.outside or _leave_out(store, as_of, options.days)
    scopes = Scopes(store)
    first, last, updates, findings = store.fetch(
        Sql(
            "SELECT epoch_ms(min(eventLastSeen)), epoch_ms(max(eventLastSeen)), count(*), "
            "count(DISTINCT finding_id) FROM log WHERE record_kind = 'finding'"
        )
    )[0]
    [(records,)] = store.fetch(Sql("SELECT count(*) FROM log"))
    every = _every(first, last)
    maker = _Maker(store, Queries(fields, as_of, every), fields, scopes, summary)
    return ReportData(
        title=options.title,
        version=__version__,
        made_at=time.time_ns() // 1_000_000,
        as_of=int((as_of - _EPOCH).total_seconds() * 1000),
        first=first,
        last=last,
        every=every,
        updates=updates,
        findings=findings,
        rejected=summary["events"]["rejected"],
        duplicates=store.duplicates,
        records=records,
        left_out=left_out(records, store.duplicates, outside),
        accounts=scopes.accounts,
        severities=scopes.severities,
        colours={label: SEVERITY.get(label, SEVERITY["Unknown"]) for label in scopes.severities},
        series=list(SERIES),
        dashboards=[maker.dashboard(each) for each in dashboards],
        total=maker.total(),
        table=maker.table(),
        scopes=scopes.all(),
        releases=releases(store, markers),
        release_hours=HOURS,
    )


def _newest(store: Store) -> datetime:
    # What a finding says may be any year; only these are the same in Python and in the page.
    [(newest,)] = store.fetch(
        Sql(
            "SELECT max(seen) FILTER (year(seen) BETWEEN 1970 AND 9999) FROM "
            "(SELECT coalesce(updated_at, eventLastSeen) AS seen FROM log)"
        )
    )
    return datetime.now(UTC) if newest is None else newest.replace(tzinfo=UTC)


def _leave_out(store: Store, as_of: datetime, days: int | None) -> Outside | None:
    if days is None:
        return None
    before = as_of - timedelta(days=days)
    return Outside(days=days, before=before, records=store.keep_since(before.replace(tzinfo=None)))


def _every(first: int | None, last: int | None) -> Literal["hour", "day", "week", "month"]:
    span = timedelta(milliseconds=(last or 0) - (first or 0))
    return next((every for longest, every in _CUTS if span <= longest), "month")


class _Maker:
    """Makes dashboards and panels."""

    def __init__(
        self, store: Store, queries: Queries, fields: Fields, scopes: Scopes, summary: Mapping[str, Any]
    ) -> None:
        self._store = store
        self._queries = queries
        self._fields = fields
        self._scopes = scopes
        self._summary = summary
        self._counter = CellCounter(store, queries, fields, scopes)

    def dashboard(self, dashboard: Dashboard) -> DashboardData:
        """Give a dashboard with the panels that can be told from the records and the run alone."""
        panels = [panel for panel in dashboard.panels if self._is_known(dashboard, panel)]
        return DashboardData(
            id=dashboard.id,
            title=dashboard.title.removeprefix("GuardDuty "),
            question=dashboard.question,
            panels=[self._panel(dashboard, placed) for placed in layout(panels)],
        )

    def total(self) -> Cells:
        """Give the cells of all findings."""
        panel = Panel(id="total", title="All findings", chart="metric")
        dashboard = Dashboard(id="total", title="All findings", question="How many?", panels=[panel])
        cells = self._counter.count(dashboard, panel).findings
        assert cells is not None
        return cells

    def table(self) -> Findings:
        """Give the most severe and newest findings, each with its whole record."""
        shown = ", ".join(self._queries.shown("state", column.field) for column in TABLE)
        found = self._store.fetch(
            Sql(
                f"SELECT {shown}, combination, line FROM state "
                f"ORDER BY severity_rank DESC NULLS LAST, severity_score DESC NULLS LAST, "
                f"eventLastSeen DESC NULLS LAST, line LIMIT {MOST_FINDINGS:d}"
            )
        )
        lines = self._store.lines([row[-1] for row in found])
        rows = [
            FindingRow(list(values), self._scopes.number([combination]), lines[line].decode())
            for *values, combination, line in found
        ]
        [(total,)] = self._store.fetch(Sql("SELECT count(*) FROM state"))
        return Findings([self._column("state", each) for each in TABLE], rows, total)

    def _is_known(self, dashboard: Dashboard, panel: Panel) -> bool:
        """Tell whether there is what a panel is made of: a cluster's counters and arrivals may not be."""
        index = dashboard.index_of(panel)
        if index == "stats":
            return self._of_run(dashboard, panel) is not None
        if index not in ("log", "state"):
            return False
        entering = [name for name in _arrivals(panel) if self._is_empty(name)]
        return not entering

    def _is_empty(self, field: str) -> bool:
        [(number,)] = self._store.fetch(Sql(f"SELECT count({quoted(field)}) FROM log"))
        return int(number) == 0

    def _of_run(self, dashboard: Dashboard, panel: Panel) -> float | None:
        """Give what this run counted, where a panel asks a cluster for one sum of its counters."""
        [measure, *others] = dashboard.measures_of(panel)
        if panel.by or others or measure.of != "sum" or measure.field is None:
            return None
        if measure.field == "delivered.log_duplicates":
            return self._store.duplicates
        value: Any = self._summary
        for step in measure.field.split("."):
            value = value.get(step) if isinstance(value, Mapping) else None
        return None if value is None else float(value)

    def _panel(self, dashboard: Dashboard, placed: Placed) -> PanelData:
        panel = placed.panel
        bare = PanelData(
            id=panel.id,
            title=panel.title,
            chart=panel.chart,
            x=placed.x,
            y=placed.y,
            width=placed.width,
            height=placed.height,
            unit=_unit(dashboard, panel),
            note=panel.note,
            link=panel.link,
            colour=panel.colour,
        )
        if panel.chart == "markdown":
            return msgspec.structs.replace(bare, text=panel.text)
        if dashboard.index_of(panel) == "stats":
            return msgspec.structs.replace(bare, from_run=self._of_run(dashboard, panel))
        if panel.columns is not None:
            return self._search(dashboard, panel, bare)
        counted = self._counter.count(dashboard, panel)
        return msgspec.structs.replace(bare, **msgspec.structs.asdict(counted))

    def _search(self, dashboard: Dashboard, panel: Panel, bare: PanelData) -> PanelData:
        index = dashboard.index_of(panel)
        found = self._store.fetch(self._queries.hits(dashboard, panel, "combination"))
        where = self._queries.where(index, records_of(dashboard, panel))
        [(number,)] = self._store.fetch(Sql(f"SELECT count(*) FROM {quoted(index)} WHERE ") + where)
        return msgspec.structs.replace(
            bare,
            columns=[self._column(index, each) for each in panel.columns or ()],
            rows=[list(row[:-1]) for row in found],
            row_scopes=[self._scopes.number([row[-1]]) for row in found],
            rows_of=number,
        )

    def _column(
        self, index: Literal["log", "state", "stats", "cloudtrail", "tags"], column: Column
    ) -> ColumnData:
        kind: Literal["text", "number", "date", "severity", "link"] = "text"
        field_type = self._fields.type_of(index, column.field)
        if column.field == "severity_label":
            kind = "severity"
        elif field_type == "url":
            kind = "link"
        elif field_type == "date":
            kind = "date"
        elif field_type in NUMBERS:
            kind = "number"
        return ColumnData(column.label or label_of(column.field), kind)


def _unit(dashboard: Dashboard, panel: Panel) -> str:
    """Say what is counted."""
    if panel.chart in ("markdown", "search"):
        return ""
    of = dashboard.measures_of(panel)[0].of
    return {"findings": "distinct findings", "updates": "updates"}.get(of, "")


def _arrivals(panel: Panel) -> Iterator[str]:
    """Give the fields of entering an index that a panel cannot do without."""
    names = [split.field or split.time for split in panel.by]
    names += [measure.field for measure in (panel.measures or [])[:1]]
    yield from (name for name in names if name in ("ingested_at", "ingest_lag_seconds"))
