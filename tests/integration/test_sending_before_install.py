"""Records are not sent where types would be guessed; and an index with guessed types is found and mended."""

import json
import re
import subprocess
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from command_line import COMMAND, Result, json_lines
from faulty_cluster import faulty_cluster
from finding_events import event
from http_json import Server
from installed_cluster import Cluster

from guardduty_lens.lens import Lens
from guardduty_lens.opensearch.bulk import Bulk
from guardduty_lens.opensearch.client import Connection, connect
from guardduty_lens.opensearch.documents import Documents
from guardduty_lens.opensearch.template_check import TemplateCheck
from guardduty_lens.outputs.opensearch import OpenSearchOutput, Undelivered
from guardduty_lens.samples import generate_payloads

DOCS = Path(__file__).parents[2] / "docs" / "opensearch.md"


@pytest.fixture(params=["opensearch", "elasticsearch"])
def either(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    yield from _cluster(request.getfixturevalue(f"{request.param}_url"), request.param)


@pytest.fixture
def cluster(opensearch_url: str) -> Iterator[Cluster]:
    yield from _cluster(opensearch_url, "opensearch")


def _cluster(url: str, flavor: Any) -> Iterator[Cluster]:
    """Nothing is installed under its prefix, and nothing is left."""
    made = Cluster(url, f"before-{uuid.uuid4().hex[:8]}-", flavor)
    yield made
    server = Server(url)
    for name in indices(made):
        server.expect("DELETE", name)
    for folder in ("_index_template", "_component_template", "_ingest/pipeline"):
        server.request("DELETE", f"{folder}/{made.names.prefix}*")


def indices(cluster: Cluster) -> list[str]:
    found = cluster.request("GET", f"_cat/indices/{cluster.names.prefix}*?format=json&h=index")
    return sorted(each["index"] for each in found)


def run(cluster: Cluster, command: str, *options: str) -> Result:
    where = ("--url", cluster.url, "--index-prefix", cluster.names.prefix)
    done = subprocess.run(
        [*COMMAND, command, *options, *where],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=120,
    )
    return Result(done.returncode, done.stdout, done.stderr)


def send(cluster: Cluster, folder: Path, *options: str, command: str = "filter") -> Result:
    """Send what is in `in.jsonl` of a folder, with dead letters and summary beside it."""
    beside = ("--dead-letters", str(folder / "dead.jsonl"), "--summary", str(folder / "summary.json"))
    return run(cluster, command, str(folder / "in.jsonl"), "--to", "opensearch", *beside, "-q", *options)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in.jsonl").write_bytes(b"".join(each + b"\n" for each in samples(40)))
    return tmp_path


def samples(number: int) -> list[bytes]:
    return list(generate_payloads(number, seed=3, shape="eventbridge"))


def month() -> str:
    return f"{datetime.now(UTC):%Y.%m}"


def refusal(cluster: Cluster, lacking: list[str], options: str = "") -> str:
    prefix = cluster.names.prefix
    named = ", ".join(sorted(f"{prefix}{name}" for name in lacking))
    return (
        f"guardduty-lens: could not deliver: no index template of ours is there for {named}, and the "
        f"cluster would guess types: run `guardduty-lens install --url {cluster.url} --index-prefix {prefix}"
        f"{options}` first, or send all the same with --without-templates "
        "(docs/opensearch.md, Sending before install)\n"
    )


@pytest.mark.parametrize("command", ["filter", "replay"])
def test_absent_templates_refuse_everything(either: Cluster, folder: Path, command: str) -> None:
    result = send(either, folder, command=command)
    lacking = [f"guarddutylogs-{month()}", "guardduty-findings", f"guardduty-stats-{month()}"]
    assert (result.code, result.out, result.err) == (3, "", refusal(either, lacking))
    assert indices(either) == []
    assert not (folder / "dead.jsonl").exists()
    assert json.loads((folder / "summary.json").read_bytes())["payloads"] == 0


def test_without_templates_sends_all_the_same(cluster: Cluster, folder: Path) -> None:
    send(cluster, folder, "--without-templates", "--no-state")
    assert f"{cluster.names.prefix}guardduty-stats-{month()}" in indices(cluster)
    assert len(cluster.log) > 0


def test_without_templates_is_an_option_of_a_cluster(cluster: Cluster, folder: Path) -> None:
    done = subprocess.run(
        [*COMMAND, "filter", str(folder / "in.jsonl"), "--without-templates"], capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "--without-templates goes with --to opensearch" in done.stderr


def test_somebody_elses_template_over_ours_refuses(cluster: Cluster, folder: Path) -> None:
    theirs = {"index_patterns": [f"{cluster.names.log}-*"], "priority": 501}
    name = f"{cluster.names.prefix}theirs"
    cluster.request("PUT", f"_index_template/{name}", theirs)
    told = (
        f"index template {name} (priority 501), which is not ours, wins over ours (500) for "
        f"{cluster.names.log}-{month()}: lower its priority below 500, or delete it"
    )
    way_out = "(docs/opensearch.md, Sending before install)"
    anyway = "or send all the same with --without-templates"
    for command, code in {("plan",): 0, ("install",): 0, ("status", "--check"): 3}.items():
        shown = run(cluster, *command)
        assert (shown.code, shown.out.splitlines().count(f"{told} {way_out}")) == (code, 1), shown.err
    assert shown.out.splitlines()[-1] == "not clean"
    result = send(cluster, folder)
    assert result.code == 3
    assert result.err == f"guardduty-lens: could not deliver: {told}, {anyway} {way_out}\n"
    cluster.request("PUT", f"_index_template/{name}", theirs | {"priority": 499})
    assert run(cluster, "status", "--check").code == 0
    assert send(cluster, folder).code == 0


def test_the_seeds_own_form_requires_its_own_template(cluster: Cluster, folder: Path) -> None:
    assert run(cluster, "install").code == 0
    result = send(cluster, folder, "--flat")
    assert (result.code, result.err) == (3, refusal(cluster, ["guarddutylogs"], options=" --flat"))
    assert run(cluster, "install", "--flat").code == 0
    assert send(cluster, folder, "--flat").code == 0
    shown = run(cluster, "status")
    assert f"log: {cluster.names.log}" in shown.out.splitlines()
    assert "guessed" not in shown.out
    assert "guessed" not in run(cluster, "install").out  # which takes the template away
    shown = run(cluster, "status", "--check")
    assert (shown.code, "guessed" in shown.out) == (0, False), shown.out
    assert "guessed" not in run(cluster, "status", "--flat").out


def test_a_tag_is_not_put_into_a_guessed_index_either(cluster: Cluster) -> None:
    refused = run(cluster, "tag", "release")
    assert refused.code == 3
    assert "the tag was not confirmed: no index template of ours is there for" in refused.err
    assert f"{cluster.names.prefix}guardduty-tags" in refused.err
    assert indices(cluster) == []
    assert run(cluster, "tag", "release", "--without-templates").code == 0
    assert indices(cluster) == [f"{cluster.names.prefix}guardduty-tags"]


def test_a_new_month_is_looked_at_again_and_costs_one_request(cluster: Cluster) -> None:
    cluster.install()
    now = [_milliseconds(2025, 3, 31)]
    lost: list[Any] = []
    lens = Lens(extractors=())

    def records(minute: int, number: int) -> list[Any]:
        changed = {"updatedAt": f"2025-0{3 + (minute > 0)}-01T05:{minute:02}:00.000Z"}
        return [
            record
            for each in range(number)
            for record in lens.process(event(detail=changed | {"id": f"f{each}"}, id=f"e{minute}-{each}"))
        ]

    with faulty_cluster(behind=cluster.url) as between:
        check = TemplateCheck(cluster.names, (between.url,))
        output = OpenSearchOutput(
            Bulk(connect(Connection(urls=(between.url,))), give_up_after=5),
            Documents(cluster.names),
            {},
            refuse=lambda _, rejected: pytest.fail(rejected.message),
            lose=lost.append,
            templates=check,
            clock=lambda: now[0],
        )
        with output:
            for record in records(0, 3):
                output.write(record)
                output.flush()
            assert between.looks == 1
            cluster.request("DELETE", f"_index_template/{cluster.names.template('log')}")
            for record in records(0, 1):
                output.write(record)
            output.flush()
            now[0] = _milliseconds(2025, 4, 1)
            for record in records(1, 2):
                output.write(record)
            with pytest.raises(
                Undelivered, match=r"^2 records were not confirmed: no index template of ours"
            ):
                output.flush()
            assert (between.looks, len(lost)) == (2, 2)
    assert indices(cluster) == [f"{cluster.names.state_index}", f"{cluster.names.log}-2025.03"]


def _milliseconds(year: int, month: int, day: int) -> int:
    return int(datetime(year, month, day, tzinfo=UTC).timestamp() * 1000)


@pytest.fixture
def guessed(cluster: Cluster, folder: Path) -> Cluster:
    """A cluster that was sent to before anything was installed."""
    send(cluster, folder, "--without-templates")
    assert run(cluster, "install", "--replicas", "0").code == 0
    return cluster


def told(cluster: Cluster) -> dict[str, Any]:
    done = run(cluster, "status", "--replicas", "0", "--json")
    assert done.code == 0, done.err
    answer: dict[str, Any] = json.loads(done.out)
    return answer


def test_status_and_install_tell_of_guessed_types(guessed: Cluster) -> None:
    names = guessed.names
    shown = run(guessed, "status", "--replicas", "0", "--check")
    assert (shown.code, shown.out.splitlines()[-1]) == (3, "not clean")
    line = next(line for line in shown.out.splitlines() if line.startswith(f"{names.state_index}: "))
    assert line.startswith(
        f"{names.state_index}: its types are not our template's (made before `install`, they are guessed): "
        "dynamic is true, not false, "
    )
    assert line.endswith("; how to mend it: docs/opensearch.md, An index whose types were guessed")
    answer = told(guessed)
    by_index = {each["index"]: each["others"] for each in answer["mappings"]}
    assert sorted(by_index) == answer["indices"] == indices_of_records(guessed)
    assert "remote_ips is text, not ip" in by_index[names.state_index]
    assert "source is text, not text (guardduty_label)" in by_index[names.state_index]
    assert by_index[names.stats_index(month())] == ["run_id is text, not keyword"]
    again = run(guessed, "install", "--replicas", "0", "--update-indices")
    assert (again.code, again.err) == (0, "")
    assert line in again.out.splitlines()
    assert "has the fields of its template" not in again.out


def indices_of_records(cluster: Cluster) -> list[str]:
    return [name for name in indices(cluster) if not name.endswith("countries-map")]


def test_what_an_index_of_ours_lacks_is_told_apart_and_is_clean(cluster: Cluster) -> None:
    assert run(cluster, "install", "--replicas", "0").code == 0
    name = cluster.names.state_index
    template = cluster.request("POST", f"_index_template/_simulate_index/{name}")["template"]
    for field in ("severity_label", "remote_ips"):
        del template["mappings"]["properties"][field]
    template["mappings"]["properties"]["a_users_own"] = {"type": "long"}
    assert run(cluster, "uninstall", "--yes").code == 0
    cluster.request("PUT", name, {"mappings": template["mappings"], "settings": template["settings"]})
    assert run(cluster, "install", "--replicas", "0").code == 0
    shown = run(cluster, "status", "--replicas", "0", "--check")
    line = (
        f"{name}: lacks 2 fields that its template has by now: severity_label, remote_ips; "
        "install --update-indices adds them"
    )
    assert line in shown.out.splitlines()
    assert (shown.code, shown.out.splitlines()[-1]) == (0, "clean")
    assert run(cluster, "install", "--replicas", "0", "--update-indices").code == 0
    assert told(cluster)["mappings"] == []


def test_an_ordinary_run_is_clean(cluster: Cluster, folder: Path) -> None:
    assert run(cluster, "install", "--replicas", "0").code == 0
    corpus = Path(__file__).parents[1] / "corpus"
    assert send(cluster, folder, str(corpus)).code == 0
    assert run(cluster, "tag", "release").code == 0
    answer = told(cluster)
    assert (answer["clean"], answer["mappings"]) == (True, [])
    assert len(answer["indices"]) > 10


def recipe() -> list[tuple[str, str, Any]]:
    """The requests of the recipe in docs/opensearch.md: method, path and body, as curl would send them."""
    section = DOCS.read_text("utf-8").split("### An index whose types were guessed")[1].split("\n### ")[0]
    [script] = re.findall(r"```sh\n(set -eu\n.*?)```", section, re.DOTALL)
    found = re.findall(
        r'^curl -fsS -X (\w+) "\$OPENSEARCH_URL/(\S+)"(?: \$JSON -d "(.*)")?$', script, re.MULTILINE
    )
    assert len(found) == script.count("\ncurl ") == 7
    # What is not refreshed yet would not be copied, and nothing is deleted before the copy is counted.
    assert (
        script.index("_refresh") < script.index("_reindex") < script.index("\ntest ") < script.index("DELETE")
    )
    return [(method, path, body.replace('\\"', '"')) for method, path, body in found]


def test_the_recipe_mends_an_index(guessed: Cluster, folder: Path) -> None:
    letters = json_lines((folder / "dead.jsonl").read_bytes())
    before = {index: versions(guessed, index) for index in indices_of_records(guessed)}
    for index in before:
        for method, path, body in recipe():
            text = body.replace("$INDEX", index)
            answer = guessed.request(
                method, path.replace("$INDEX", index), json.loads(text) if text else None
            )
            assert not answer.get("failures"), answer
    assert {index: versions(guessed, index) for index in indices_of_records(guessed)} == before
    answer = told(guessed)
    assert (answer["clean"], answer["mappings"]) == (True, [])
    # The same again falls on what was moved, and what was refused then is taken now.
    assert send(guessed, folder).code == 0
    delivered = json.loads((folder / "summary.json").read_bytes())["delivered"]
    assert sum(delivered.values()) == 80
    assert delivered["log_created"] > 0 < len(letters)


def versions(cluster: Cluster, index: str) -> dict[str, int]:
    """The version of each document by its id."""
    cluster.request("POST", f"{index}/_refresh")
    hits = cluster.request("GET", f"{index}/_search?size=1000&version=true&_source=false")["hits"]["hits"]
    return {hit["_id"]: hit["_version"] for hit in hits}
