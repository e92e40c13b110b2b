"""`install --dashboards-url`: on the real OpenSearch, with a stand-in of Dashboards' saved-objects API."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from command_line import COMMAND, Result
from counted_findings import UPDATES
from dashboards_server import DashboardsStandIn, dashboards_stand_in

from guardduty_lens.cli.main import main
from guardduty_lens.opensearch.client import Connection, connect
from guardduty_lens.opensearch.cluster import Cluster, ClusterError
from guardduty_lens.saved_objects_api.server import DashboardsServer
from guardduty_lens.visuals.saved_objects.objects import Reference, SavedObject

PREFIX = "boards-"
OVERVIEW = ("dashboard", f"{PREFIX}guardduty-lens-overview")


@pytest.fixture
def server() -> Iterator[DashboardsStandIn]:
    with dashboards_stand_in() as started:
        yield started


@pytest.fixture
def run(opensearch_url: str) -> Iterator[Any]:
    def command(name: str, *options: str, **environment: str) -> Result:
        done = subprocess.run(
            [*COMMAND, name, "--url", opensearch_url, "--index-prefix", PREFIX, *options],
            env=os.environ | environment,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=120,
        )
        return Result(done.returncode, done.stdout, done.stderr)

    yield command
    assert command("uninstall", "--yes").code == 0


def _changes(result: Result) -> dict[str, str]:
    return {
        each["name"]: each["action"]
        for each in json.loads(result.out)["changes"]
        if each["kind"] == "saved_object"
    }


def test_once_again_and_away(run: Any, server: DashboardsStandIn) -> None:
    to = ("--dashboards-url", server.url)
    server.objects[""] = {
        ("dashboard", "of-others"): {"id": "of-others", "type": "dashboard", "attributes": {"title": "x"}}
    }
    planned = _changes(run("plan", "--json", *to))
    assert set(planned.values()) == {"create"}
    assert f"dashboard {OVERVIEW[1]}" in planned
    first = run("install", *to)
    assert (first.code, first.err) == (0, "")
    assert "objects changed, " in first.out
    assert first.out.count("requests in all") == 1
    assert OVERVIEW in server.objects[""]
    assert len(server.objects[""]) == len(planned) + 1
    # One to look, one to import: however many objects there are.
    assert len(server.requests) == 3
    again = run("install", *to)
    assert again.out.splitlines()[1].startswith("nothing to change")
    assert run("status", "--check", *to).code == 0
    gone = run("uninstall", "--yes", *to)
    assert (gone.code, gone.err) == (0, "")
    assert list(server.objects[""]) == [("dashboard", "of-others")]


def test_what_is_put_by_other_options_is_changed_and_what_is_not_wanted_goes(
    run: Any, server: DashboardsStandIn, tmp_path: Path
) -> None:
    to = ("--dashboards-url", server.url)
    (tmp_path / "own.yml").write_text(
        "id: own\ntitle: Own\nquestion: What?\npanels:\n  - {id: all, title: All, chart: metric}\n"
    )
    assert run("install", "--dashboards", str(tmp_path), *to).code == 0
    assert ("dashboard", f"{PREFIX}guardduty-lens-own") in server.objects[""]
    planned = _changes(run("plan", "--json", "--stock-map", *to))
    changed = {name for name, action in planned.items() if action == "change"}
    assert f"visualization {PREFIX}guardduty-lens-overview-attack-by-country" in changed
    removed = {name for name, action in planned.items() if action == "remove"}
    assert removed == {
        f"dashboard {PREFIX}guardduty-lens-own",
        f"visualization {PREFIX}guardduty-lens-own-head",
        f"visualization {PREFIX}guardduty-lens-own-all",
    }
    assert run("install", "--stock-map", *to).code == 0
    assert ("dashboard", f"{PREFIX}guardduty-lens-own") not in server.objects[""]
    assert run("status", "--check", "--stock-map", *to).code == 0


def test_what_is_not_ours_is_left_alone_unless_forced(run: Any, server: DashboardsStandIn) -> None:
    to = ("--dashboards-url", server.url)
    theirs = {
        "id": OVERVIEW[1],
        "type": "dashboard",
        "attributes": {"title": "Mine", "description": "By hand"},
    }
    server.objects[""] = {OVERVIEW: theirs}
    refused = run("install", *to)
    assert refused.code == 2
    assert f"saved_object dashboard {OVERVIEW[1]}" in refused.err
    assert server.objects[""] == {OVERVIEW: theirs}
    assert run("install", "--force", *to).code == 0
    assert server.objects[""][OVERVIEW]["attributes"]["title"] == "GuardDuty Overview"


def test_a_failure_half_way_is_told_by_name_and_finished_by_the_next(
    run: Any, server: DashboardsStandIn
) -> None:
    """An answer of 200 in which one object failed."""
    to = ("--dashboards-url", server.url)
    server.unwilling = {OVERVIEW[1]}
    failed = run("install", *to)
    assert failed.code == 3
    assert f"dashboards: dashboard {OVERVIEW[1]}: unsupported_type" in failed.err
    planned = _changes(run("plan", "--json", *to))
    assert [name for name, action in planned.items() if action != "unchanged"] == [f"dashboard {OVERVIEW[1]}"]
    server.unwilling = set()
    assert run("install", *to).code == 0
    assert run("status", "--check", *to).code == 0


def test_a_wrong_password_a_tenant_and_a_base_path(run: Any) -> None:
    with dashboards_stand_in("/behind/proxy", "s3cret-of-dashboards") as server:
        to = ("--dashboards-url", server.url, "--dashboards-user", "admin", "--tenant", "security")
        wrong = run("install", *to, GUARDDUTY_LENS_DASHBOARDS_PASSWORD="nope")
        assert wrong.code == 3
        assert "dashboards: 401 Unauthorized" in wrong.err
        done = run("install", *to, GUARDDUTY_LENS_DASHBOARDS_PASSWORD="s3cret-of-dashboards")
        assert (done.code, done.err) == (0, "")
        assert "s3cret" not in done.out + wrong.out + wrong.err
        assert OVERVIEW in server.objects["security"]
        assert server.objects.get("", {}) == {}


def test_an_older_server_refuses_newer_objects_as_a_whole(run: Any, server: DashboardsStandIn) -> None:
    server.known["visualization"] = "7.9.0"
    refused = run("install", "--dashboards-url", server.url)
    assert refused.code == 3
    assert "dashboards: 422 Unprocessable Entity: Document" in refused.err
    assert "more recent version of OpenSearch Dashboards [7.10.0]" in refused.err
    assert server.objects[""] == {}


def test_a_url_that_is_not_dashboards(run: Any, opensearch_url: str) -> None:
    wrong = run("install", "--dashboards-url", opensearch_url)
    assert wrong.code == 3
    assert wrong.err.startswith("guardduty-lens: dashboards: ")
    nobody = run("plan", "--dashboards-url", "http://127.0.0.1:9")
    assert nobody.code == 3
    assert "dashboards: " in nobody.err


def test_without_a_server_a_file_to_import_or_a_line_how(run: Any, tmp_path: Path) -> None:
    said = run("install")
    assert "dashboards: give --dashboards-url, or --dashboards-file" in said.out
    path = tmp_path / "all.ndjson"
    said = run("install", "--dashboards-file", str(path))
    assert f"{path}: import it in Dashboards" in said.out
    assert OVERVIEW[1] in {json.loads(line)["id"] for line in path.read_text().splitlines()}


def test_options_of_a_server_that_is_not_named(run: Any) -> None:
    wrong = run("plan", "--tenant", "x")
    assert wrong.code == 2
    assert "--tenant goes with --dashboards-url" in wrong.err


def _client(server: DashboardsStandIn) -> DashboardsServer:
    return DashboardsServer(Cluster(connect(Connection(urls=(server.url,)))))


def _object(name: str, *needs: str) -> SavedObject:
    references = [Reference("x", "index-pattern", need) for need in needs]
    return SavedObject("visualization", name, {"title": name}, references, {"visualization": "7.10.0"})


def test_references_that_are_nowhere_are_told(server: DashboardsStandIn) -> None:
    with pytest.raises(
        ClusterError, match="visualization a: missing_references index-pattern b, index-pattern c"
    ):
        _client(server).put([_object("a", "b", "c"), _object("fine")])
    assert list(server.objects[""]) == [("visualization", "fine")]


def test_all_pages_are_read(server: DashboardsStandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("guardduty_lens.saved_objects_api.server.PAGE", 2)
    client = _client(server)
    client.put([_object(name) for name in "abcde"])
    assert [name for _, name in client.found()] == list("abcde")


def test_changes_need_the_header_against_forged_requests(server: DashboardsStandIn) -> None:
    """The stand-in is as strict as the real one: this is what we would get without it."""
    bare = Cluster(connect(Connection(urls=(server.url,))))
    with pytest.raises(ClusterError, match="400 Bad Request: Request must contain a osd-xsrf header"):
        bare.request("DELETE", "/api/saved_objects/dashboard/x")


def test_a_report_of_what_a_cluster_holds_is_that_of_the_files(
    run: Any, opensearch_url: str, tmp_path: Path
) -> None:
    source = tmp_path / "in.jsonl"
    source.write_text("".join(json.dumps(each) + "\n" for each in UPDATES))
    assert run("install").code == 0
    sent = run("filter", str(source), "--to", "opensearch", "--dead-letters", str(tmp_path / "dead"))
    assert sent.code == 0, sent.err
    connect(Connection(urls=(opensearch_url,))).indices.refresh(index=f"{PREFIX}*")
    made = run("report", "--from-opensearch", "-o", str(tmp_path / "cluster.html"))
    assert made.code == 0, made.err
    assert "12 records" in made.err
    text = (tmp_path / "cluster.html").read_text()
    assert '"findings":10,"rejected":0' in text
    assert '"id":"lag"' in text  # a cluster knows when they arrived
    days = ("--days", "1", "--as-of", "2025-03-04T12:00:00Z")
    recent = run("report", "--from-opensearch", "-o", str(tmp_path / "recent.html"), *days)
    assert recent.code == 0, recent.err
    note = "not shown, as last seen before 2025-03-03 12:00 UTC (--days 1): 11 of 12 records"
    assert ": 1 record, " in recent.err
    assert f"  {note}\n" in recent.err
    assert f'"left_out":["{note}"]' in (tmp_path / "recent.html").read_text()
    old = run("report", "--from-opensearch", "-o", str(tmp_path / "old.html"), "--days", "1")
    assert "UTC (--days 1): 12 of 12 records\n" in old.err
    assert run("uninstall", "--yes", "--with-data").code == 0


def test_a_report_of_a_cluster_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "none.html"
    result = CliRunner().invoke(
        main, ["report", "--from-opensearch", "--url", "http://127.0.0.1:9", "-o", str(path)]
    )
    assert result.exit_code == 3
    assert not path.exists()
