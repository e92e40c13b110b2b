"""What the report's page is given: plain data, in which filters can be applied without asking any engine.

A page can filter by account, severity, sample and archived. So that distinct counts stay right, a cell counts
findings (or records) not of a bucket alone, but of a bucket and a *scope*: the set of all combinations of
account, severity, sample and archived under which records of the finding fall into that bucket. A finding
passes a filter if any combination of its scope does; it is in exactly one cell of each bucket, so that the
cells that pass add up. Records have scopes of one combination.
"""

from typing import Literal

import msgspec

from guardduty_lens.visuals.rows import Key


class Combination(msgspec.Struct, frozen=True, array_like=True):
    """Positions in the data's `accounts` and `severities`, and whether it is a sample, and archived."""

    account: int
    severity: int
    sample: bool
    archived: bool


class Cells(msgspec.Struct, frozen=True):
    """Columns of equal length; a row is a bucket in a scope.

    `keys` has a column for each split: positions in the panel's `keys`; `scope` are positions in `scopes`;
    `values` has a column for each of the panel's measures of this kind (see PanelData), None where there is
    none.
    """

    keys: list[list[int]]
    scope: list[int]
    values: list[list[float | int | None]]


class MeasureData(msgspec.Struct, frozen=True, kw_only=True):
    """A measure, and its place: a column of the `findings` cells, or, of any other, of `records`.

    How cells of one bucket go together: counts and sums are added, the least of min, the most of max. `avg`
    is the sum in `column`, divided by the number of records that have the field, in `count_column`.
    """

    of: Literal["findings", "updates", "min", "max", "avg", "sum"]
    label: str
    column: int
    count_column: int | None = None
    is_date: bool = False


class SplitData(msgspec.Struct, frozen=True, kw_only=True):
    """A split: what kind, what its axis is called, and what is shown of it."""

    kind: Literal["field", "time", "groups"]
    label: str
    size: int = 0
    ascending: bool = False
    is_severity: bool = False
    is_account: bool = False
    keys: list[Key] = []
    """All keys that cells have: values and times (epoch milliseconds) ascending, groups as written."""
    hidden: int = 0
    """How many keys were left out because there are too many; none of those that are shown unfiltered."""


class ColumnData(msgspec.Struct, frozen=True):
    """A column of a search or of the table of findings."""

    label: str
    kind: Literal["text", "number", "date", "severity", "link"]


class PanelData(msgspec.Struct, frozen=True, kw_only=True):
    """A panel: what it is and where it stands (48 columns), and its cells, rows of a search, or text.

    Field splits are shown as in `visuals.rows`: per level, the first `size` keys by the first measure (the
    highest first unless `ascending`), equal ones by key (as UTF-8 bytes).
    """

    id: str
    title: str
    chart: str
    x: int
    y: int
    width: int
    height: int
    unit: str
    """`distinct findings`, `updates`, or nothing: shown with the title."""
    note: str | None = None
    link: str | None = None
    colour: str | None = None
    splits: list[SplitData] = []
    measures: list[MeasureData] = []
    above: list[Cells] = []
    """For each split but the last, cells of the splits down to it: the first measure, by which keys are
    ordered.

    A finding may be in several buckets of the next split, so that those do not add up.
    """
    findings: Cells | None = None
    records: Cells | None = None
    columns: list[ColumnData] = []
    rows: list[list[str | float | int | list[str] | None]] = []
    """Of a search: values by column, dates in epoch milliseconds; already sorted."""
    row_scopes: list[int] = []
    """Of a search: the scope of each row."""
    rows_of: int = 0
    """Of how many records the rows are the first."""
    text: str | None = None
    """Of a markdown panel: Markdown."""
    from_run: float | None = None
    """Of a metric that a cluster would have from its counters: the number of this report's own run."""


class DashboardData(msgspec.Struct, frozen=True, kw_only=True):
    """A dashboard: a tab of the page."""

    id: str
    title: str
    question: str
    panels: list[PanelData]


class FindingRow(msgspec.Struct, frozen=True, array_like=True):
    """A finding of the table: its values by column, its scope, and the whole record as JSON text."""

    values: list[str | float | int | list[str] | None]
    scope: int
    record: str


class Findings(msgspec.Struct, frozen=True):
    """The table of the most severe and newest findings; `total` says of how many it is a selection."""

    columns: list[ColumnData]
    rows: list[FindingRow]
    total: int


class ReleaseData(msgspec.Struct, frozen=True):
    """A release: when, what it is called, and the findings created in the hours before and after it.

    `first_types` are the types of which the first finding was created after it.
    """

    at: int
    label: str
    before: int
    after: int
    first_types: list[str]


class ReportData(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the page shows. Times are epoch milliseconds in UTC."""

    title: str
    version: str
    made_at: int
    as_of: int
    """What "now" means in panels with relative dates: the newest update, unless the user says."""
    first: int | None
    last: int | None
    """`eventLastSeen` of the earliest and of the latest update."""
    every: Literal["hour", "day", "week", "month"]
    """How times are cut."""
    updates: int
    findings: int
    rejected: int
    duplicates: int
    """Records that came more than once; they are counted once."""
    records: int
    """Of every kind: those of findings, `updates`, are among them."""
    left_out: list[str]
    """What else was read and is not shown, or not twice, in words."""
    accounts: list[str]
    """Accounts by number of findings; where there are too many, the last is `other accounts`."""
    severities: list[str]
    """Labels, the most severe first."""
    colours: dict[str, str]
    """Of severities."""
    series: list[str]
    """Colours of what has no meaning."""
    scopes: list[list[Combination]]
    total: Cells
    """All findings, without a split."""
    dashboards: list[DashboardData]
    table: Findings
    releases: list[ReleaseData] = []
    release_hours: int = 0
