"""Saved objects, held to what a real OpenSearch Dashboards exported (tests/data/SOURCES.md)."""

import json
import subprocess
import sys
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import msgspec
import pytest

from guardduty_lens.lens import Lens
from guardduty_lens.opensearch.names import Names
from guardduty_lens.visuals.fields import fields_of
from guardduty_lens.visuals.load import load_dashboards
from guardduty_lens.visuals.model import GRID_COLUMNS
from guardduty_lens.visuals.saved_objects import files_of, saved_objects
from guardduty_lens.visuals.saved_objects.stamp import stamp_of

ROOT = Path(__file__).parents[3]
FIELDS = fields_of(Lens(extractors=()).plan)
DASHBOARDS = load_dashboards(FIELDS)
Object = dict[str, Any]


def _made(names: Names = Names(), **options: Any) -> list[Object]:  # noqa: B008 - immutable
    return [
        json.loads(msgspec.json.encode(each)) for each in saved_objects(DASHBOARDS, FIELDS, names, **options)
    ]


def _exported() -> dict[tuple[str, str], Object]:
    """Give what was exported, by type and, of visualizations, their own type."""
    lines = (ROOT / "tests/data/osd-export-2.19.4.ndjson").read_text().splitlines()
    found = [json.loads(line) for line in lines[:-1]]  # the last is a summary
    return {(each["type"], _vis_type(each)): each for each in found}


def _vis_type(saved: Object) -> str:
    return json.loads(saved["attributes"]["visState"])["type"] if saved["type"] == "visualization" else ""


MADE = _made()
EXPORTED = _exported()


def _of_type(kind: str) -> Iterator[Object]:
    yield from (each for each in MADE if each["type"] == kind)


def test_what_is_checked_in_is_up_to_date() -> None:
    for tool in ("make_saved_objects.py", "make_dashboard_docs.py"):
        line = [sys.executable, f"tools/{tool}", "--check"]
        done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


def test_ids_are_unique_and_titles_too() -> None:
    assert len({(each["type"], each["id"]) for each in MADE}) == len(MADE)
    titles = [(each["type"], each["attributes"]["title"]) for each in MADE]
    assert len(set(titles)) == len(titles)


@pytest.mark.parametrize("kind", ["index-pattern", "visualization", "dashboard"])
def test_types_and_versions_are_those_of_a_real_export(kind: str) -> None:
    exported = next(each for (of, _), each in EXPORTED.items() if of == kind)
    for each in _of_type(kind):
        assert each["migrationVersion"] == exported["migrationVersion"]
        assert each.keys() <= exported.keys()
        extra = each["attributes"].keys() - exported["attributes"].keys()
        assert extra <= {"fieldFormatMap", "guarddutyLens"}, extra


def test_a_pie_a_time_series_and_a_map_have_every_parameter_of_the_exported() -> None:
    for vis_type in ("pie", "metrics", "region_map"):
        exported = json.loads(EXPORTED["visualization", vis_type]["attributes"]["visState"])
        made = [
            json.loads(each["attributes"]["visState"])
            for each in _of_type("visualization")
            if _vis_type(each) == vis_type
        ]
        assert made
        for each in made:
            assert exported.keys() <= each.keys()
            assert exported["params"].keys() <= each["params"].keys()
            for series, wanted in zip(
                each["params"].get("series", []), exported["params"].get("series", []), strict=True
            ):
                split = {"terms_field", "terms_size", "split_color_mode"}
                assert wanted.keys() - split <= series.keys()


def test_nested_json_parses_and_references_are_named_as_inside() -> None:
    for each in MADE:
        source = each["attributes"].get("kibanaSavedObjectMeta", {}).get("searchSourceJSON")
        names = [reference["name"] for reference in each["references"]]
        if source is not None and "indexRefName" in json.loads(source):
            assert names == ["kibanaSavedObjectMeta.searchSourceJSON.index"]
        if each["type"] == "dashboard":
            panels = json.loads(each["attributes"]["panelsJSON"])
            assert [panel["panelRefName"] for panel in panels] == names
        if _vis_type(each) == "input_control_vis":
            controls = json.loads(each["attributes"]["visState"])["params"]["controls"]
            assert [control["indexPatternRefName"] for control in controls] == names
        for key in ("visState", "uiStateJSON", "panelsJSON", "optionsJSON", "fieldFormatMap"):
            if key in each["attributes"]:
                json.loads(each["attributes"][key])


def test_nothing_dangles_in_any_file() -> None:
    for name, text in files_of(saved_objects(DASHBOARDS, FIELDS, Names())).items():
        there = set()
        for line in text.splitlines():
            each = json.loads(line)
            for reference in each["references"]:
                assert (reference["type"], reference["id"]) in there, (name, each["id"])
            there.add((each["type"], each["id"]))


@pytest.mark.parametrize("dashboard", list(_of_type("dashboard")), ids=lambda each: each["id"])
def test_panels_are_on_the_grid_and_do_not_overlap(dashboard: Object) -> None:
    places = [panel["gridData"] for panel in json.loads(dashboard["attributes"]["panelsJSON"])]
    assert len({place["i"] for place in places}) == len(places)
    for place in places:
        assert place["x"] >= 0
        assert place["x"] + place["w"] <= GRID_COLUMNS
    for one, other in combinations(places, 2):
        apart = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        assert apart or one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]


def test_every_visualization_that_the_seeds_name_is_in_the_overview_by_that_name() -> None:
    """Names as the two articles have them; where one names two, both are there."""
    overview = next(each for each in MADE if each["id"] == "guardduty-lens-overview")
    ids = {reference["id"] for reference in overview["references"]}
    titles = {each["attributes"]["title"] for each in MADE if each["id"] in ids}
    assert {
        "Attack By Country",
        "Attack types",
        "Count of high severity findings",
        "Count of medium severity findings",
        "Types per purpose",
        "High/Medium affected resource distribution",
        "High/Medium threats by account",
        "High severity purpose distribution",
        "Medium severity purpose distribution",
        "Trend: all findings",
        "Trend: high severity findings",
        "Trend: medium severity findings",
        "High severity by region",
        "Medium severity by region",
        "High/Medium threats by security group",
    } <= titles


def test_the_saved_search_has_the_type_as_a_column() -> None:
    search = next(each for each in MADE if each["id"] == "guardduty-lens-overview-log")
    assert search["attributes"]["columns"][:2] == ["eventLastSeen", "finding_type"]
    assert search["attributes"]["sort"] == [["eventLastSeen", "desc"]]


def test_the_log_s_pattern_has_the_first_seed_s_time_field_and_links_to_the_console() -> None:
    log = next(each for each in MADE if each["id"] == "guardduty-lens-log")["attributes"]
    assert (log["title"], log["timeFieldName"]) == ("guarddutylogs*", "eventLastSeen")
    assert json.loads(log["fieldFormatMap"])["console_url"]["id"] == "url"


def test_severities_have_the_same_colours_in_pies_bars_and_trends() -> None:
    colours = set()
    for each in _of_type("visualization"):
        state = json.loads(each["attributes"]["uiStateJSON"])
        if "vis" in state:
            colours.add(state["vis"]["colors"]["High"])
        for series in json.loads(each["attributes"]["visState"])["params"].get("series", []):
            colours |= {part["color"] for part in series.get("split_filters", []) if part["label"] == "High"}
    assert colours == {"#BC2D2C"}


def test_a_prefix_reaches_ids_patterns_maps_and_links() -> None:
    text = "".join(json.dumps(each) for each in _made(Names("acme-")))
    bare = [part for part in text.split("guardduty-lens-")[:-1] if not part.endswith("acme-")]
    assert bare == []
    for name in ("guarddutylogs", "guardduty-findings", "guardduty-stats", "guardduty-countries-map"):
        assert text.count(name) == text.count(f"acme-{name}") > 0


def test_the_stock_map_is_an_option() -> None:
    [own] = [each for each in MADE if each["id"] == "guardduty-lens-overview-attack-by-country"]
    [stock] = [each for each in _made(stock_map=True) if each["id"] == own["id"]]
    params = [json.loads(each["attributes"]["visState"])["params"] for each in (own, stock)]
    assert params[0]["selectedCustomLayer"]["name"] == "guardduty-countries-map"
    assert params[1]["selectedLayer"]["id"] == "world_countries"
    assert {each["selectedJoinField"]["name"] for each in params} == {"iso2"}


def test_every_object_says_that_it_is_ours_and_what_it_was() -> None:
    stamps = {each["id"]: stamp_of(each["attributes"]) for each in MADE}
    assert all(stamp is not None and stamp.is_of("") for stamp in stamps.values())
    other = {each["id"]: stamp_of(each["attributes"]) for each in _made(stock_map=True)}
    changed = {key for key in stamps if stamps[key] != other[key]}
    assert changed == {"guardduty-lens-overview-attack-by-country", "guardduty-lens-network-map"}


def test_trends_of_findings_are_annotated_with_all_releases() -> None:
    trends = [
        params
        for each in _made(Names("acme-"))
        if each["type"] == "visualization"
        and (params := json.loads(each["attributes"]["visState"])["params"]).get("type") == "timeseries"
    ]
    annotated = [params for params in trends if params["annotations"]]
    assert len(annotated) > 5
    for params in annotated:
        [annotation] = params["annotations"]
        assert annotation["index_pattern"] == "acme-guardduty-tags"
        assert (annotation["fields"], annotation["template"]) == ("label", "{{label}}")
        assert annotation["ignore_global_filters"] == annotation["ignore_panel_filters"] == 1
    ids = [annotation["id"] for params in annotated for annotation in params["annotations"]]
    assert len(set(ids)) == len(ids)
