"""What a dashboard file may say: the one model behind the linter, saved objects, searches and the report.

A file is one dashboard. Its panels count distinct findings or updates, of records of an index that pass
`where`, split `by` fields, by time, or by named groups. Shorthand is written out by `normal.py` first.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

Index = Literal["log", "state", "stats", "cloudtrail", "tags"]
"""`log`: every update of a finding; `state`: one document a finding, its last update; the others by name."""

Chart = Literal[
    "metric",
    "pie",
    "bar",
    "stacked_bar",
    "line",
    "area",
    "table",
    "tag_cloud",
    "heat_map",
    "region_map",
    "markdown",
    "search",
]
Every = Literal["auto", "hour", "day", "week", "month"]

Scalar = str | int | float | bool
Text = Annotated[str, Meta(min_length=1)]
Id = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$")]
Values = Annotated[list[Scalar], Meta(min_length=1)]

GRID_COLUMNS = 48
"""Columns of Dashboards' grid; the report uses the same."""


class _Part(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Common settings of everything a file holds."""


class Test(_Part, frozen=True):
    """What has to hold of a field: all that is said. Of many values, one has to pass.

    `from` includes its bound, `below` does not; bounds of dates are ISO 8601 or relative: `now`, `now-7d`.
    `not` and `exists: false` hold where no value passes, or where there is none.
    """

    __test__ = False  # no test case of pytest

    is_: Values | None = msgspec.field(default=None, name="is")
    not_: Values | None = msgspec.field(default=None, name="not")
    exists: bool | None = None
    from_: Scalar | None = msgspec.field(default=None, name="from")
    below: Scalar | None = None


Where = dict[str, Test]
"""Tests by field; all have to hold."""

AnyOf = Annotated[list[Where], Meta(min_length=1)]
"""Alternatives, of which one has to hold."""


class Split(_Part, frozen=True):
    """How records are told apart: by the values of `field`, by `time`, or by named `groups`. One of them.

    Values are ordered by the panel's first measure (the highest first unless `ascending`), equal ones by
    value; the first `size` are shown. Times are cut in UTC. A record may be in several groups.
    """

    field: str | None = None
    size: Annotated[int, Meta(ge=1, le=1000)] = 10
    ascending: bool = False
    time: str | None = None
    every: Every = "auto"
    groups: dict[str, AnyOf] | None = None
    label: Text | None = None


class Measure(_Part, frozen=True):
    """What is shown of records: distinct `findings`, `updates` (records), or a figure of a field."""

    of: Literal["findings", "updates", "min", "max", "avg", "sum"]
    field: str | None = None
    label: Text | None = None


class Column(_Part, frozen=True):
    """A column of a search: a field, and what it is called."""

    field: str
    label: Text | None = None


class Panel(_Part, frozen=True):
    """One chart, table or text.

    `seed` is the visualization of the seeds that it is; `link` the dashboard that says more; `colour` that of
    a severity for what has one meaning. `columns`, `sort` (a field, `-` before it for the last first) and
    `rows` are a search's, `text` (Markdown) is a markdown panel's.
    """

    id: Id
    title: Text
    chart: Chart
    index: Index | None = None
    measures: Annotated[list[Measure], Meta(min_length=1)] | None = None
    by: list[Split] = []
    where: AnyOf | None = None
    width: Annotated[int, Meta(ge=4, le=GRID_COLUMNS)] | None = None
    height: Annotated[int, Meta(ge=3, le=60)] | None = None
    note: Text | None = None
    link: Id | None = None
    seed: Text | None = None
    colour: Literal["Critical", "High", "Medium", "Low", "Unknown"] | None = None
    columns: Annotated[list[Column], Meta(min_length=1)] | None = None
    sort: Text | None = None
    rows: Annotated[int, Meta(ge=1, le=500)] = 50
    text: Text | None = None


class Dashboard(_Part, frozen=True):
    """One dashboard: the question it answers, and its panels in the order they are laid out.

    `index` is that of panels that name none; `days` what is shown at first; `controls` are fields that a
    reader may filter by.
    """

    id: Id
    title: Text
    question: Text
    panels: Annotated[list[Panel], Meta(min_length=1)]
    index: Index = "log"
    days: Annotated[int, Meta(ge=1, le=3650)] = 90
    controls: list[str] = []

    def index_of(self, panel: Panel) -> Index:
        """Give the index that a panel reads."""
        return panel.index or self.index

    def measures_of(self, panel: Panel) -> list[Measure]:
        """Give what a panel shows: distinct findings unless it says otherwise, or the index has none."""
        if panel.measures is not None:
            return panel.measures
        return [FINDINGS if self.index_of(panel) in ("log", "state") else UPDATES]


FINDINGS = Measure(of="findings")
UPDATES = Measure(of="updates")
