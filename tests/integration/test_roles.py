"""The shipped roles suffice for what they are for, and for no more; on a server with TLS and users."""

import base64
import json
import os
import ssl
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from command_line import COMMAND, Result

ROLES = Path(__file__).parents[2] / "pipelines" / "opensearch" / "roles"
LOG, STATE = "guarddutylogs-2025.03", "guardduty-findings"
FINDING = {"finding_id": "f1", "is_archived": True, "updated_at": "2025-03-01T00:00:00.000Z"}
WRITTEN = [
    {"create": {"_index": LOG, "_id": "f1_1"}},
    FINDING,
    {"index": {"_index": STATE, "_id": "f1", "version": 7, "version_type": "external"}},
    FINDING,
]


@pytest.fixture(scope="module")
def users(secured: Any) -> dict[str, tuple[str, str]]:
    """A user of each shipped role, exactly as it stands in its file."""
    made = {}
    for path in sorted(ROLES.glob("*.json")):
        secured.put_role(f"lens-{path.stem}", json.loads(path.read_text()))
        made[path.stem] = secured.put_user(f"lens-{path.stem}", [f"lens-{path.stem}"])
    assert sorted(made) == ["installer", "maintainer", "writer"]
    return made


@pytest.fixture
def installed(secured: Any, users: dict[str, tuple[str, str]]) -> Iterator[None]:
    """An installation, made under the installer's role; nothing of it is left."""
    done = run(secured, users["installer"], "install", "--replicas", "0")
    assert (done.code, done.err) == (0, "")
    yield
    done = run(secured, secured.admin, "uninstall", "--with-data", "--yes")
    assert done.code == 0, done.err


def run(secured: Any, user: tuple[str, str], command: str, *options: str) -> Result:
    done = subprocess.run(
        [*COMMAND, command, "--url", secured.url, "--ca", str(secured.ca), "--user", user[0], *options],
        env=os.environ | {"GUARDDUTY_LENS_PASSWORD": user[1]},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=120,
    )
    assert user[1] not in done.stdout + done.stderr
    return Result(done.returncode, done.stdout, done.stderr)


def bulk(secured: Any, user: tuple[str, str], lines: list[Any]) -> list[int]:
    """The status of each item of a bulk request."""
    token = base64.b64encode(":".join(user).encode()).decode()
    request = urllib.request.Request(
        f"{secured.url}/_bulk",
        "".join(f"{json.dumps(line)}\n" for line in lines).encode(),
        {"content-type": "application/x-ndjson", "authorization": f"Basic {token}"},
        method="POST",
    )
    trust = ssl.create_default_context(cafile=secured.ca)
    with urllib.request.urlopen(request, timeout=60, context=trust) as answer:
        items = json.load(answer)["items"]
    return [next(iter(item.values()))["status"] for item in items]


def test_the_installer_installs_looks_and_uninstalls(secured, users):
    user = users["installer"]
    assert run(secured, user, "install").code == 0
    assert "nothing to change" in run(secured, user, "install").out
    status = run(secured, user, "status", "--check")
    assert status.code == 0, status.err
    gone = run(secured, user, "uninstall", "--yes")
    assert gone.code == 0, gone.err
    assert "nothing of ours" in run(secured, user, "uninstall", "--yes").out


def test_the_installer_reads_by_search_alone_and_deletes_no_data(secured, users, installed):
    assert bulk(secured, secured.admin, WRITTEN) == [201, 201]
    user = users["installer"]
    assert run(secured, user, "install", "--update-indices", "--replicas", "0").code == 0
    assert secured.request("GET", f"/{STATE}/_search", user=user).status == 200  # as its monitors do
    for method, path in [
        ("GET", f"/{STATE}/_doc/f1"),
        ("DELETE", f"/{STATE}"),
        ("DELETE", f"/{STATE}/_doc/f1"),
        ("PUT", "/someone-elses"),
        ("GET", "/_plugins/_security/api/internalusers"),
    ]:
        assert secured.request(method, path, user=user).status == 403, path
    refused = run(secured, user, "uninstall", "--with-data", "--yes")
    assert refused.code == 3
    assert "403" in refused.err
    assert "no permissions for [indices:admin/delete]" in refused.err


def test_the_writer_writes_and_does_nothing_else(secured, users, installed):
    user = users["writer"]
    assert bulk(secured, user, WRITTEN) == [201, 201]
    other = [
        {"create": {"_index": "someone-elses", "_id": "1"}},
        {},
        {"delete": {"_index": STATE, "_id": "f1"}},
    ]
    assert bulk(secured, user, other) == [403, 403]
    for method, path in [
        ("GET", f"/{STATE}/_search"),
        ("GET", f"/{STATE}/_doc/f1"),
        ("DELETE", f"/{STATE}"),
        ("GET", "/_component_template"),
        ("DELETE", "/_index_template/guardduty-lens-log"),
    ]:
        assert secured.request(method, path, user=user).status == 403, path
    refused = run(secured, user, "plan")
    assert refused.code == 3
    assert "403" in refused.err


def test_our_own_output_writes_under_the_writers_role(secured, users, installed, tmp_path):
    examples = ROLES.parents[2] / "examples" / "findings" / "eventbridge.jsonl"
    dead = tmp_path / "dead.jsonl"
    to = ("--to", "opensearch", "--dead-letters", str(dead), str(examples))
    filtered = run(secured, users["writer"], "filter", *to)
    assert filtered.code == 0, filtered.err
    assert "index templates" not in filtered.err
    assert not dead.exists()
    assert secured.request("POST", "/_refresh").status == 200
    ids = {json.loads(line)["detail"]["id"] for line in examples.read_text().splitlines()}
    found = secured.request("GET", f"/{STATE}/_search?size=100").body["hits"]["hits"]
    assert {hit["_id"] for hit in found} == ids


def test_whoever_may_not_look_at_templates_is_warned_once_and_sends(secured, users, installed, tmp_path):
    role = json.loads((ROLES / "writer.json").read_text())
    role["cluster_permissions"].remove("indices:admin/index_template/get")
    secured.put_role("lens-blind-writer", role)
    blind = secured.put_user("lens-blind-writer", ["lens-blind-writer"])
    examples = ROLES.parents[2] / "examples" / "findings" / "eventbridge.jsonl"
    to = ("--to", "opensearch", "--dead-letters", str(tmp_path / "dead.jsonl"), "-q", str(examples))
    sent = run(secured, blind, "filter", *to)
    assert (sent.code, sent.out) == (0, "")
    assert sent.err == (
        "guardduty-lens: whether our index templates are there cannot be seen (GET /_index_template 403: the "
        "right `indices:admin/index_template/get` is missing; writer.json has it); records are sent\n"
    )
    done = run(secured, secured.admin, "uninstall", "--with-data", "--yes")
    assert done.code == 0
    refused = run(secured, users["writer"], "filter", *to)
    assert (refused.code, "no index template of ours is there for" in refused.err) == (3, True)
    assert secured.request("GET", f"/{STATE}").status == 404


def test_the_maintainer_prunes_and_writes_nothing(secured, users, installed):
    assert bulk(secured, secured.admin, WRITTEN) == [201, 201]
    assert secured.request("POST", f"/{STATE}/_refresh").status == 200
    user = users["maintainer"]
    assert run(secured, user, "prune").out == "1 closed findings would be deleted (say --yes)\n"
    pruned = run(secured, user, "prune", "--yes")
    assert pruned.out == "1 closed findings deleted\n", pruned.err
    assert bulk(secured, user, WRITTEN) == [403, 403]
    assert secured.request("DELETE", "/_index_template/guardduty-lens-log", user=user).status == 403


def test_the_maintainer_reads_the_log_for_a_report(secured, users, installed, tmp_path):
    assert bulk(secured, secured.admin, WRITTEN) == [201, 201]
    assert secured.request("POST", f"/{LOG}/_refresh").status == 200
    page = str(tmp_path / "report.html")
    done = run(secured, users["maintainer"], "report", "--from-opensearch", "--output", page)
    assert done.code == 0, done.err


def test_a_wrong_password_is_said_and_ends_with_3(secured):
    refused = run(secured, ("admin", "wrong-password"), "plan")
    assert refused.code == 3
    assert "401" in refused.err
