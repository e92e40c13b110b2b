"""When the cluster's index templates are asked for, and what follows from the answer; no server."""

import json
import logging
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from guardduty_lens.opensearch.bulk import Bulk
from guardduty_lens.opensearch.names import Names
from guardduty_lens.opensearch.template_check import TemplateCheck, TemplatesMissing

URLS = ("https://search.example.org:9200", "https://second.example.org:9200")
MARCH, APRIL = (int(datetime(2025, month, 1, tzinfo=UTC).timestamp() * 1000) for month in (3, 4))


def template(name: str, *patterns: str, priority: int | None = 500, ours: bool = True) -> dict[str, Any]:
    body: dict[str, Any] = {"index_patterns": list(patterns)}
    body |= {} if priority is None else {"priority": priority}
    body |= {"_meta": {"guardduty_lens": {"version": "0.1.0"}}} if ours else {}
    return {"name": name, "index_template": body}


LOG = template("guardduty-lens-log", "guarddutylogs", "guarddutylogs-2*")
STATE = template("guardduty-lens-state", "guardduty-findings")
STATS = template("guardduty-lens-stats", "guardduty-stats-2*")
FLAT = template("guardduty-lens-flat", "guarddutylogs", priority=600)
OURS = [LOG, STATE, STATS]


class Asked:
    """Answers the look as a cluster with these templates."""

    def __init__(self, *templates: dict[str, Any], status: int = 200, text: str | None = None) -> None:
        self.templates, self.status, self.text = list(templates), status, text
        self.times = 0

    def ask(self, path: str, params: dict[str, str], give_up_after: float) -> tuple[int, str]:
        assert (path, list(params)) == ("/_index_template", ["filter_path"])
        self.times += 1
        # With a filter_path, a cluster without any answers `{}`.
        found = {"index_templates": self.templates} if self.templates else {}
        return self.status, json.dumps(found) if self.text is None else self.text

    @property
    def bulk(self) -> Bulk:
        return cast("Bulk", self)


def test_a_process_asks_once_and_again_when_a_month_begins() -> None:
    asked, check = Asked(*OURS), TemplateCheck(Names(), URLS)
    for _ in range(3):
        check.check(asked.bulk, MARCH)
        check.check(asked.bulk, MARCH, ["guarddutylogs-2017.10", "guarddutylogs-2025.03"])
    assert asked.times == 1
    check.check(asked.bulk, APRIL)
    assert asked.times == 2
    asked.templates = [STATE, STATS]
    check.check(asked.bulk, APRIL, ["guarddutylogs-2025.04"])
    assert asked.times == 2


def test_what_was_missing_is_asked_for_each_time() -> None:
    asked, check = Asked(STATE), TemplateCheck(Names(), URLS, send_anyway="a word")
    for times in (1, 2):
        with pytest.raises(TemplatesMissing) as caught:
            check.check(asked.bulk, MARCH)
        assert asked.times == times
    assert str(caught.value) == (
        "no index template of ours is there for guardduty-stats-2025.03, guarddutylogs-2025.03, and the "
        f"cluster would guess types: run `guardduty-lens install --url {URLS[0]}` first, or send all the "
        "same with a word (docs/opensearch.md, Sending before install)"
    )
    asked.templates = OURS
    check.check(asked.bulk, MARCH)
    check.check(asked.bulk, MARCH)
    assert asked.times == 3


@pytest.mark.parametrize(
    ("templates", "options", "indices", "lacking"),
    [
        (OURS, {}, ["guardduty-cloudtrail-2025.03"], "guardduty-cloudtrail-2025.03"),
        ([LOG, STATS], {"state": False}, [], ""),
        ([LOG, STATS], {}, [], "guardduty-findings"),
        ([LOG, STATS], {"flat": True}, [], "guarddutylogs"),
        ([LOG, STATS, FLAT], {"flat": True}, [], ""),
        ([*OURS, template("all", "*", priority=None, ours=False)], {}, [], ""),
        (
            [template("all", "*", priority=501, ours=False)],
            {"state": False},
            [],
            "guardduty-stats-2025.03, guarddutylogs-2025.03 (what matches is not ours: all)",
        ),
        (
            [*OURS, template("all", "*", priority=601, ours=False)],
            {"flat": True},
            [],
            "guarddutylogs (what matches is not ours: all)",
        ),
        ([*OURS, template("a", "guarddutylogs-2025.0*", priority=501)], {}, [], ""),
        ([template(each, f"x-{each}*") for each in ("g", "h")], {"state": False}, ["x-g1"], "guarddut"),
    ],
)
def test_the_template_that_applies_has_to_be_ours(
    templates: list[Any], options: dict[str, bool], indices: list[str], lacking: str
) -> None:
    check = TemplateCheck(Names(), URLS, **options)
    if not lacking:
        check.check(Asked(*templates).bulk, MARCH, indices)
        return
    with pytest.raises(TemplatesMissing) as caught:
        check.check(Asked(*templates).bulk, MARCH, indices)
    assert f"no index template of ours is there for {lacking}" in str(caught.value)


WINS = "index template all (priority 601), which is not ours, wins over ours (500) for "
DO = ": lower its priority below 500, or delete it, or send all the same with --without-templates "


@pytest.mark.parametrize(
    ("ours", "options", "words"),
    [
        (OURS, {}, f"{WINS}guardduty-findings, guardduty-stats-2025.03, guarddutylogs-2025.03{DO}"),
        ([LOG, STATS, FLAT], {"flat": True}, f"{WINS}guardduty-stats-2025.03, guarddutylogs{DO}"),
        ([LOG, STATS], {}, f" first; {WINS}guardduty-stats-2025.03, guarddutylogs-2025.03{DO}"),
    ],
)
def test_a_template_over_ours_is_to_be_lowered(ours: list[Any], options: dict[str, bool], words: str) -> None:
    theirs = template("all", "*", priority=601, ours=False)
    with pytest.raises(TemplatesMissing) as caught:
        TemplateCheck(Names(), URLS, **options).check(Asked(*ours, theirs).bulk, MARCH)
    assert words in str(caught.value)
    assert ("guardduty-lens install" in str(caught.value)) == ("first" in words)


@pytest.mark.parametrize(
    ("status", "text", "why"),
    [
        (403, "{}", "403: the right `indices:admin/index_template/get` is missing; writer.json has it"),
        (401, "{}", "401: it does not accept who we are"),
        (404, '{"error": {"type": "x"}}', "404"),
        (200, "<html>", "200: its answer cannot be read"),
    ],
)
def test_one_warning_where_there_is_nothing_to_see(
    status: int, text: str, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    asked, check = Asked(status=status, text=text), TemplateCheck(Names(), URLS)
    with caplog.at_level(logging.WARNING):
        for now in (MARCH, MARCH, APRIL):
            check.check(asked.bulk, now, ["guardduty-tags"])
    assert asked.times == 2
    assert [each.getMessage() for each in caplog.records] == [
        "guardduty-lens: whether our index templates are there cannot be seen "
        f"(GET /_index_template {why}); records are sent"
    ]
