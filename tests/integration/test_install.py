"""The installer against a real cluster: what it puts there, finds again, leaves alone and takes away."""

import json
import subprocess
import urllib.error
import urllib.request
from typing import Any

import pytest
from cluster_proxy import cluster_proxy
from command_line import COMMAND, Result

PREFIX = "installer-"
NAME = f"{PREFIX}guardduty-lens"
FOLDERS = {
    "component_template": "_component_template",
    "index_template": "_index_template",
    "ingest_pipeline": "_ingest/pipeline",
}


def run(command: str, url: str, *options: str) -> Result:
    done = subprocess.run(
        [*COMMAND, command, "--url", url, "--index-prefix", PREFIX, *options],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=120,
    )
    return Result(done.returncode, done.stdout, done.stderr)


def ask(url: str, method: str, path: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(
        f"{url}/{path}", data, {"content-type": "application/json"}, method=method
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def listed(url: str, folder: str) -> Any:
    """A cluster without any pipeline says so with 404 and {}."""
    try:
        return ask(url, "GET", folder)
    except urllib.error.HTTPError as error:
        if error.code != 404:
            raise
        return json.load(error)


def everything(url: str) -> dict[str, Any]:
    """Every template and pipeline of the cluster, whoever's they are, and the indices under our prefix."""
    kept = {folder: listed(url, folder) for folder in FOLDERS.values()}
    indices = ask(url, "GET", f"_cat/indices/{PREFIX}*?format=json&h=index")
    return json.loads(json.dumps(kept | {"indices": indices}, sort_keys=True))


def without_others(state: dict[str, Any]) -> dict[str, Any]:
    """Leave out what others put under another prefix: several may work on one cluster."""

    def ours(item: Any) -> bool:
        return (item.get("name", item.get("index", "")) if isinstance(item, dict) else item).startswith(
            PREFIX
        )

    return {
        "components": [x for x in state["_component_template"]["component_templates"] if ours(x)],
        "templates": [x for x in state["_index_template"]["index_templates"] if ours(x)],
        "pipelines": {name: body for name, body in state["_ingest/pipeline"].items() if ours(name)},
        "indices": [x for x in state["indices"] if ours(x)],
    }


def plan(url: str, *options: str) -> dict[str, str]:
    """What `plan` would do, by kind and name without the prefix."""
    done = run("plan", url, "--json", *options)
    assert done.code == 0, done.err
    changes = json.loads(done.out)["changes"]
    return {f"{x['kind']} {x['name'].removeprefix(PREFIX)}": x["action"] for x in changes}


@pytest.fixture
def url(opensearch_url):
    """A cluster without anything under our prefix, before and after."""

    def clean() -> None:
        # Nothing of ours is asked here: what a faulty uninstall leaves must not reach the next test.
        for index in ask(opensearch_url, "GET", f"_cat/indices/{PREFIX}*?format=json&h=index"):
            ask(opensearch_url, "DELETE", index["index"])
        for folder in ("_index_template", "_component_template", "_ingest/pipeline"):
            try:
                ask(opensearch_url, "DELETE", f"{folder}/{PREFIX}*")
            except urllib.error.HTTPError as error:
                error.close()
                if error.code != 404:
                    raise

    clean()
    yield opensearch_url
    clean()


def test_a_second_install_changes_nothing_and_uninstall_leaves_the_cluster_as_it_was(url):
    before = without_others(everything(url))
    assert set(plan(url).values()) == {"create"}
    first = run("install", url)
    assert (first.code, first.err) == (0, "")
    installed = without_others(everything(url))
    assert f"{NAME}" in installed["pipelines"]
    assert {x["name"] for x in installed["templates"]} >= {f"{NAME}-log", f"{NAME}-state"}

    assert set(plan(url).values()) == {"unchanged"}
    second = run("install", url)
    assert second.code == 0
    assert "nothing to change" in second.out
    assert without_others(everything(url)) == installed
    status = run("status", url, "--check", "--json")
    assert status.code == 0, status.out
    assert json.loads(status.out)["clean"] is True

    gone = run("uninstall", url, "--yes")
    assert gone.code == 0, gone.err
    assert without_others(everything(url)) == before
    assert "nothing of ours" in run("uninstall", url, "--yes").out


def test_every_object_says_that_it_is_ours_and_of_which_version(url):
    assert run("install", url).code == 0
    state = without_others(everything(url))
    for kind, inner in (("components", "component_template"), ("templates", "index_template")):
        for each in state[kind]:
            meta = each[inner]["_meta"]["guardduty_lens"]
            assert (meta["version"], meta["prefix"]) == ("0.1.0", PREFIX)
    assert f"version=0.1.0 prefix={PREFIX}" in state["pipelines"][NAME]["description"]


def test_other_options_are_shown_place_by_place_and_applied(url):
    assert run("install", url).code == 0
    shown = run("plan", url, "--shards", "3", "--replicas", "0").out
    assert "index.number_of_shards" in shown
    assert "index.number_of_replicas" in shown
    said = run("status", url, "--shards", "3").out
    assert "differs: put by another version, or with other options; give those that `install` had" in said
    assert run("install", url, "--shards", "3", "--replicas", "0").code == 0
    assert set(plan(url, "--shards", "3", "--replicas", "0").values()) == {"unchanged"}
    simulated = ask(url, "POST", f"_index_template/_simulate_index/{PREFIX}guarddutylogs-2025.03")
    index = simulated["template"]["settings"]["index"]
    assert (index["number_of_shards"], index["number_of_replicas"]) == ("3", "0")


def test_a_change_by_hand_is_told_and_mended(url):
    assert run("install", url).code == 0
    [there] = ask(url, "GET", f"_index_template/{NAME}-log")["index_templates"]
    by_hand = there["index_template"] | {"priority": 7}
    ask(url, "PUT", f"_index_template/{NAME}-log", by_hand)

    status = run("status", url, "--check")
    assert status.code == 3
    assert "changed by hand" in status.out
    assert "/priority" in status.out
    assert run("status", url).code == 0
    assert run("install", url).code == 0
    assert run("status", url, "--check").code == 0


def test_what_is_not_ours_is_left_alone_unless_forced(url):
    foreign = {"description": "someone else's", "processors": []}
    ask(url, "PUT", f"_ingest/pipeline/{NAME}", foreign)
    assert plan(url)["ingest_pipeline guardduty-lens"] == "foreign"

    refused = run("install", url)
    assert refused.code == 2
    assert f"ingest_pipeline {NAME}" in refused.err
    assert "--force" in refused.err
    state = without_others(everything(url))
    assert (state["pipelines"], state["components"]) == ({NAME: foreign}, [])
    assert run("uninstall", url, "--yes").code == 0
    assert ask(url, "GET", f"_ingest/pipeline/{NAME}") == {NAME: foreign}

    assert run("install", url, "--force").code == 0
    assert set(plan(url).values()) == {"unchanged"}


def test_what_nothing_wants_any_more_is_removed(url):
    left_over = {"template": {}, "_meta": {"guardduty_lens": {"version": "0.0.1", "prefix": PREFIX}}}
    ask(url, "PUT", f"_component_template/{NAME}-old", left_over)
    assert plan(url)["component_template guardduty-lens-old"] == "remove"
    assert run("install", url).code == 0
    assert f"{NAME}-old" not in {x["name"] for x in without_others(everything(url))["components"]}


def test_an_install_that_fails_half_way_is_finished_by_the_next(url):
    with cluster_proxy(url, fail_put=3) as (through, proxy):
        failed = run("install", through)
        assert failed.code == 3
        assert "process_cluster_event_timeout_exception: failed to process" in failed.err
        assert proxy.puts[2].split("?")[0].rpartition("/")[2] in failed.err
        assert len(proxy.puts) == 3
        actions = plan(url)
        assert sorted(actions.values()).count("unchanged") == 2
        again = run("install", through)
        assert again.code == 0, again.err
        # One a change, and one more that says that the shapes of countries are all there.
        assert len(proxy.puts) == 3 + len(actions) - 2 + 1
    assert run("status", url, "--check").code == 0


def test_shapes_of_countries_are_loaded_once_and_again_after_a_failure(url):
    index = f"{PREFIX}guardduty-countries-map"
    with cluster_proxy(url, fail_put=11) as (through, proxy):
        assert run("install", through).code == 3  # the last request, which says that all are there
        assert proxy.puts[10].endswith(f"/{index}/_mapping")
    assert plan(url)["shapes_index guardduty-countries-map"] == "change"
    assert run("install", url).code == 0
    assert plan(url)["shapes_index guardduty-countries-map"] == "unchanged"
    france = ask(url, "GET", f"{index}/_doc/FR")["_source"]
    assert (france["name"], france["iso3"], france["location"]["type"]) == ("France", "FRA", "MultiPolygon")
    assert ask(url, "GET", f"{index}/_count")["count"] == 236
    assert run("uninstall", url, "--yes").code == 0
    assert ask(url, "GET", f"_cat/indices/{PREFIX}*?format=json") == []


def test_what_the_server_refuses_is_told_in_its_words(url):
    rival = {"index_patterns": [f"{PREFIX}guardduty-findings"], "priority": priority_of_state(url)}
    ask(url, "PUT", f"_index_template/{PREFIX}rival", rival)
    refused = run("install", url)
    assert refused.code == 3
    assert f"index_template {NAME}-state: 400 illegal_argument_exception: " in refused.err
    assert f"{PREFIX}rival" in refused.err


def priority_of_state(url: str) -> int:
    """Install and uninstall, to see the priority of the state's template."""
    assert run("install", url).code == 0
    [there] = ask(url, "GET", f"_index_template/{NAME}-state")["index_templates"]
    assert run("uninstall", url, "--yes").code == 0
    return there["index_template"]["priority"]


def test_retention_where_the_cluster_can(url):
    with cluster_proxy(url, with_ism=True) as (through, proxy):
        assert run("install", through, "--retention-days", "400").code == 0
        assert sorted(proxy.ism.policies) == [f"{NAME}-{what}" for what in ("cloudtrail", "log", "stats")]
        policy = proxy.ism.policies[f"{NAME}-log"]["policy"]
        assert policy["ism_template"][0]["index_patterns"] == [f"{PREFIX}guarddutylogs-2*"]
        assert policy["states"][0]["transitions"][0]["conditions"] == {"min_index_age": "400d"}
        assert "nothing to change" in run("install", through, "--retention-days", "400").out

        assert run("install", through, "--retention-days", "30").code == 0
        policy = proxy.ism.policies[f"{NAME}-log"]["policy"]
        assert policy["states"][0]["transitions"][0]["conditions"] == {"min_index_age": "30d"}

        ask(url, "PUT", f"{PREFIX}guarddutylogs-2025.03")
        assert run("uninstall", through, "--yes").code == 0
        assert proxy.ism.policies == {}
        assert ("POST", f"/_plugins/_ism/remove/{PREFIX}guarddutylogs-2025.03") in proxy.ism.requests


def test_retention_where_the_cluster_cannot_is_skipped_in_one_line(url):
    done = run("install", url, "--retention-days", "400")
    assert done.code == 0
    assert done.out.count("no Index State Management") == 1


def test_data_goes_only_when_asked_for_and_only_ours(url):
    assert run("install", url).code == 0
    ours = [
        f"{PREFIX}guardduty-findings",
        f"{PREFIX}guarddutylogs-2025.03",
        f"{PREFIX}guardduty-stats-2025.03",
    ]
    for index in [*ours, f"{PREFIX}guarddutylogs-2-mine"]:
        ask(url, "PUT", index)
    assert json.loads(run("status", url, "--json").out)["indices"] == sorted(ours)
    assert run("uninstall", url, "--yes").code == 0
    assert len(without_others(everything(url))["indices"]) == 4
    shown = run("uninstall", url, "--with-data")
    assert shown.code == 2
    assert "--yes" in shown.err
    assert run("uninstall", url, "--with-data", "--yes").code == 0
    assert without_others(everything(url))["indices"] == [{"index": f"{PREFIX}guarddutylogs-2-mine"}]


def test_a_users_field_is_in_the_template_and_found_by_query(url, tmp_path):
    (tmp_path / "mine.yml").write_text(
        """
group: mine
fields:
  - field: cost_centre
    type: label
    description: Who pays.
    from:
      - detail.region
    examples:
      - given: {detail: {region: us-east-1}}
        gives: us-east-1
"""
    )
    state = f"{PREFIX}guardduty-findings"
    assert run("install", url, "--replicas", "0").code == 0
    ask(url, "PUT", f"{state}/_doc/before", {"cost_centre": "blue"})
    mine = ("--replicas", "0", "--fields", str(tmp_path))
    assert "/template/mappings/properties/cost_centre" in run("plan", url, *mine).out
    installed = run("install", url, *mine)
    assert installed.code == 0
    assert f"--update-indices gives them new fields): {state}\n" in installed.out
    assert run("status", url, "--check", *mine).code == 0
    assert run("install", url, "--update-indices", *mine).code == 0

    for index in (state, f"{PREFIX}guarddutylogs-2025.03"):
        ask(url, "PUT", f"{index}/_doc/1?refresh=true", {"cost_centre": "red"})
        assert ask(url, "GET", f"{index}/_count?q=cost_centre:red")["count"] == 1


def test_prune_counts_first_and_deletes_closed_findings_when_told(url):
    assert run("install", url, "--replicas", "0").code == 0
    state = f"{PREFIX}guardduty-findings"
    findings = {
        "old-open": {"is_archived": False, "updated_at": "2020-01-01T00:00:00.000Z"},
        "new-archived": {"is_archived": True, "updated_at": "2999-01-01T00:00:00.000Z"},
        "new-open": {"is_archived": False, "updated_at": "2999-01-01T00:00:00.000Z"},
        "undated-open": {"is_archived": False},
    }
    for name, body in findings.items():
        ask(url, "PUT", f"{state}/_doc/{name}?refresh=true", body)
    assert run("prune", url).out == "2 closed findings would be deleted (say --yes)\n"
    assert ask(url, "GET", f"{state}/_count")["count"] == 4
    assert run("prune", url, "--yes").out == "2 closed findings deleted\n"
    left = ask(url, "GET", f"{state}/_search")["hits"]["hits"]
    assert sorted(hit["_id"] for hit in left) == ["new-open", "undated-open"]


def test_wrong_use_and_no_cluster_have_their_own_exit_codes(url):
    assert run("plan", url, "--flavor", "elasticsearch").code == 2
    assert run("plan", url, "--severity-scheme", "nothing").code == 2
    assert run("prune", url).code == 2
    nobody = run("plan", "http://127.0.0.1:1")
    assert nobody.code == 3
    assert "127.0.0.1" in nobody.err or "refused" in nobody.err
