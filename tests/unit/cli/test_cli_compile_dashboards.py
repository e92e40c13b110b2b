"""`compile dashboards`: a user's own fields and panels, and what is said of wrong ones."""

import json

FIELD = """
fields:
  - field: team
    type: label
    description: Who owns the resource.
    from: [detail.title]
    examples: [{given: {detail: {title: shop}}, gives: shop}]
"""
DASHBOARD = """
id: teams
title: Teams
question: Whose is it?
panels:
  - {id: by-team, title: Findings by team, chart: bar, by: team}
"""


def _write(tmp_path, dashboard=DASHBOARD):
    for folder, text in (("fields", FIELD), ("boards", dashboard)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "own.yml").write_text(text)


def test_a_field_of_one_s_own_charts_as_any_other(command, tmp_path):
    _write(tmp_path)
    result = command(
        *("compile", "dashboards", "-o", "out", "--fields", "fields", "--dashboards", "boards"),
        *("--field-prefix", "gd_", "--index-prefix", "acme-"),
    )
    assert result.code == 0, result.err
    lines = (tmp_path / "out" / "acme-guardduty-lens-teams.ndjson").read_text().splitlines()
    state = next(
        json.loads(each["attributes"]["visState"])
        for each in map(json.loads, lines)
        if each["id"] == "acme-guardduty-lens-teams-by-team"
    )
    fields = [each["params"].get("field") for each in state["aggs"]]
    assert fields == ["gd_finding_id.keyword", "gd_team.keyword"]
    assert (tmp_path / "out" / "all.ndjson").stat().st_size > 100_000


def test_wrong_ones_are_all_told_with_their_places(command, tmp_path):
    more = "  - {id: pink, title: Pink, chart: metric, colour: Pink}\n"
    _write(tmp_path, DASHBOARD.replace("by: team}", "by: tema}") + more)
    result = command("compile", "dashboards", "-o", "out", "--fields", "fields", "--dashboards", "boards")
    assert result.code == 2
    column = DASHBOARD.splitlines()[5].index("by: team") + 5
    assert f"boards/own.yml:6:{column}: the log has no field 'tema'; did you mean 'team'?" in result.err
    assert f"boards/own.yml:7:{more.index('Pink}') + 1}: 'colour' cannot be 'Pink'" in result.err
    assert not (tmp_path / "out").exists()


def test_a_folder_without_files(command, tmp_path):
    (tmp_path / "empty").mkdir()
    result = command("compile", "dashboards", "-o", "out", "--dashboards", "empty")
    assert result.code == 2
    assert "no *.yml file" in result.err
