"""The servers that the other tests rely on."""

import os
import signal
import ssl
import subprocess
import sys
import urllib.error
from dataclasses import replace
from pathlib import Path

import pytest
import servers
from servers import Client, Secured, ServerError, start_opensearch
from servers.artifacts import obtain
from servers.lines import LINES, chosen_line
from servers.process import Process, identify


def test_plain_server_is_the_pinned_opensearch(opensearch_url: str) -> None:
    answer = Client(opensearch_url).request("GET", "/")
    assert answer.status == 200
    assert answer.body["version"]["distribution"] == "opensearch"
    if not (os.environ.get("OPENSEARCH_URL") or os.environ.get("OPENSEARCH_IMAGE")):
        assert answer.body["version"]["number"] == chosen_line().version


def test_plain_server_has_the_modules_that_our_templates_and_pipelines_use(opensearch_url: str) -> None:
    answer = Client(opensearch_url).request("GET", "/_nodes/_local/plugins")
    [node] = answer.body["nodes"].values()
    used = {"analysis-common", "ingest-common", "lang-mustache", "lang-painless", "mapper-extras", "reindex"}
    assert used <= {module["name"] for module in node["modules"]}


def test_secured_server_answers_its_admin_over_verified_tls(secured: Secured) -> None:
    answer = secured.request("GET", "/")
    assert answer.status == 200
    assert secured.url.startswith("https://")


def test_secured_server_is_not_trusted_without_its_authority(secured: Secured) -> None:
    with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
        Client(secured.url, ssl.create_default_context(), secured.admin).request("GET", "/")


@pytest.mark.parametrize("user", [("admin", "admin"), ("nobody", "wrong")])
def test_secured_server_refuses_a_wrong_password(secured: Secured, user: tuple[str, str]) -> None:
    assert secured.request("GET", "/", user=user).status == 401


def test_role_lets_its_user_write_where_it_says_and_nowhere_else(secured: Secured) -> None:
    allowed = {"index_patterns": ["servers-a"], "allowed_actions": ["create_index", "write"]}
    secured.put_role("servers-writer", {"cluster_permissions": [], "index_permissions": [allowed]})
    writer = secured.put_user("servers-writer", ["servers-writer"])
    assert secured.request("PUT", "/servers-a/_doc/1", {"a": 1}, user=writer).status == 201
    assert secured.request("PUT", "/servers-b/_doc/1", {"a": 1}, user=writer).status == 403


def test_bearer_of_a_certificate_has_its_roles(secured: Secured) -> None:
    allowed = {"index_patterns": ["servers-c"], "allowed_actions": ["create_index", "write"]}
    secured.put_role("servers-bearer", {"cluster_permissions": [], "index_permissions": [allowed]})
    pair = secured.put_certificate("servers-bearer", ["servers-bearer"])
    tls = ssl.create_default_context(cafile=str(secured.ca))
    tls.load_cert_chain(pair.certificate, pair.key)
    client = Client(secured.url, tls)
    assert client.request("PUT", "/servers-c/_doc/1", {"a": 1}).status == 201
    assert client.request("PUT", "/servers-d/_doc/1", {"a": 1}).status == 403


def test_elasticsearch_is_the_pinned_version(elasticsearch_url: str) -> None:
    # This part of Elasticsearch has no `GET /`.
    answer = Client(elasticsearch_url).request("GET", "/_nodes/_local")
    assert answer.status == 200
    assert [node["version"] for node in answer.body["nodes"].values()] == ["9.1.0"]


def test_killed_server_has_its_data_when_it_is_back() -> None:
    with start_opensearch() as server:
        assert server.client.request("PUT", "/servers/_doc/1?refresh=true", {"a": 1}).status == 201
        server.kill()
        with pytest.raises(OSError, match="refused"):
            server.client.request("GET", "/")
        server.restart()
        assert server.client.request("GET", "/servers/_doc/1").body["_source"] == {"a": 1}
    assert not server.folder.exists()


@pytest.mark.parametrize("seconds", ["0", "0.5"])
def test_watchdog_ends_server_when_starter_is_gone_or_time_is_over(tmp_path: Path, seconds: str) -> None:
    folder = tmp_path / "server"
    folder.mkdir()
    with subprocess.Popen(["sleep", "30"], start_new_session=True) as server:
        process = identify(server.pid)
        known = [str(process.pid), str(process.started), str(folder), seconds]
        support = Path(servers.__file__).parents[1]
        # An empty standard input has ended, as that of a dead starter has.
        command = [sys.executable, "-m", "servers.watchdog", *known]
        subprocess.run(command, cwd=support, stdin=subprocess.DEVNULL, check=True, timeout=30)
        assert server.wait(10) == -signal.SIGTERM
    assert not folder.exists()


def test_process_whose_number_was_used_again_is_left_alone() -> None:
    with subprocess.Popen(["sleep", "30"], start_new_session=True) as other:
        seen = identify(other.pid)
        Process(seen.pid, seen.started - 1).end(0)
        assert seen.runs()
        seen.kill()
    assert not seen.runs()


def test_download_with_another_checksum_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUARDDUTY_LENS_CACHE", str(tmp_path))
    jar = LINES[-1].modules[0].jars[0]
    with pytest.raises(ServerError, match=f"SHA-256 is {jar.sha256}, expected 0000"):
        obtain(replace(jar, sha256="0" * 64))
    assert list((tmp_path / "guardduty-lens").iterdir()) == []
