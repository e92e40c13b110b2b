"""What the linter says of dashboard files: every fault, with its place."""

import pytest

from guardduty_lens.lens import Lens
from guardduty_lens.visuals.fields import fields_of
from guardduty_lens.visuals.lint import lint_dashboards
from guardduty_lens.visuals.load import builtin_files
from guardduty_lens.visuals.model import FINDINGS, UPDATES, Column, Measure, Split, Test

FIELDS = fields_of(Lens(extractors=()).plan)
HEAD = "id: own\ntitle: Own\nquestion: What?\npanels:\n"


def _faults(panel: str) -> list[str]:
    """Give the faults of a file with one panel, without the file's name; the panel begins in line 5."""
    _, problems = lint_dashboards({"own.yml": HEAD + panel}, FIELDS)
    return [str(problem).removeprefix("own.yml:") for problem in problems]


def test_the_shipped_files_have_no_fault() -> None:
    dashboards, problems = lint_dashboards(builtin_files(), FIELDS)
    assert problems == []
    assert len(dashboards) == 9


def test_shorthand_is_written_out() -> None:
    panel = """
  - id: a
    title: A
    chart: table
    by: [finding_type, {groups: {Mine: {account_id: ["1", "2"]}}}]
    where: {is_sample: false, severity_score: {from: 7}}
    measures: [findings, updates, {max: eventLastSeen, label: last}]
  - {id: b, title: B, chart: search, columns: [title, {field: finding_type, label: type}], sort: -created_at}
"""
    [dashboard], problems = lint_dashboards({"own.yml": HEAD + panel}, FIELDS)
    assert problems == []
    table, search = dashboard.panels
    assert table.by == [
        Split(field="finding_type"),
        Split(groups={"Mine": [{"account_id": Test(is_=["1", "2"])}]}),
    ]
    assert table.where == [{"is_sample": Test(is_=[False]), "severity_score": Test(from_=7)}]
    last = Measure(of="max", field="eventLastSeen", label="last")
    assert table.measures == [FINDINGS, UPDATES, last]
    assert search.columns == [Column(field="title"), Column(field="finding_type", label="type")]


@pytest.mark.parametrize(
    ("panel", "message"),
    [
        ("chart: >pi, by: title", "'chart' cannot be 'pi'; did you mean 'pie'?"),
        ("chart: pie, by: >tittle", "the log has no field 'tittle'; did you mean 'title'?"),
        (
            "chart: pie, by: title, >sizes: 3",
            "unknown key 'sizes'; known: id, title, chart, index, measures, by, "
            "where, width, height, note, link, seed, colour, columns, sort, rows, text",
        ),
        (">chart: pie", "a pie is split by 1 to 2, not by 0"),
        ("chart: metric, >by: title", "a metric is split by 0, not by 1"),
        ("chart: line, >by: title", "the last split of a line is a time"),
        ("chart: pie, by: {time: >title}", "title is a text, not a date"),
        (
            "chart: table, by: [{time: >created_at}, title]",
            "a split by time is the last one: others are series of it",
        ),
        ("chart: pie, by: >{size: 3}", "a split has exactly one of field, time and groups, found none"),
        (
            "chart: region_map, by: >title",
            "a region_map is split by remote_country_codes: shapes are joined on ISO codes",
        ),
        (
            "chart: pie, by: title, where: {severity_score: >High}",
            "severity_score is a double, and 'High' is none",
        ),
        ("chart: pie, by: title, where: {is_sample: >yes}", "is_sample is a boolean, and 'yes' is none"),
        (
            "chart: pie, by: title, where: {created_at: >{from: now-1month}}",
            "created_at is a date, and 'now-1month' is none",
        ),
        (
            "chart: pie, by: title, where: {title: >{from: a}}",
            "from and below are for numbers and dates, and title is a text",
        ),
        (
            "chart: pie, by: title, where: {title: >{}}",
            "what of title? One of is, not, exists, from and below",
        ),
        (
            "chart: pie, by: title, measures: {max: >title}",
            "max needs a number or a date, and title is a text",
        ),
        (
            "chart: pie, by: title, >measures: [findings, updates]",
            "a pie has one measure; several are for a table",
        ),
        (
            "chart: metric, index: stats, measures: >findings",
            "there are no findings in stats; count updates",
        ),
        (">chart: search, columns: [title]", "a search panel needs 'sort'"),
        (
            "chart: search, columns: [>titel], sort: title",
            "the log has no field 'titel'; did you mean 'title'?",
        ),
        (">chart: markdown", "a markdown panel needs 'text'"),
        ("chart: pie, by: title, >text: x", "'text' is for a markdown panel, not for a pie"),
        ("chart: pie, by: title, link: >owm", "there is no dashboard 'owm'; did you mean 'own'?"),
        ("chart: pie, by: title, width: >60", "'width' should be at most 48, not 60"),
    ],
)
def test_a_fault_and_its_place(panel: str, message: str) -> None:
    """The mark is where the fault is; that of a panel as a whole is where the panel begins."""
    before = "  - {id: a, title: A, "
    column = 5 if panel.startswith(">") else len(before) + panel.index(">") + 1
    assert _faults(before + panel.replace(">", "", 1) + "}\n") == [f"5:{column}: {message}"]


def test_ids_that_are_there_already() -> None:
    panel = "  - {id: a, title: A, chart: metric}\n"
    assert _faults(panel + panel) == ["6:10: the panel 'a' is there already; ids are unique in a dashboard"]
    _, [problem] = lint_dashboards({"one.yml": HEAD + panel, "two.yml": HEAD + panel}, FIELDS)
    assert str(problem) == "two.yml:1:5: the dashboard 'own' is already in one.yml"
