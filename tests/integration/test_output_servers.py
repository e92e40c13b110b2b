"""The output and what happens to a server itself: killed in mid-load, and one that asks who we are."""

import time
from pathlib import Path

import pytest
from command_line import Result
from installed_cluster import PATHS, Cluster
from servers import Secured, start_opensearch
from test_output import (
    FEW,
    expected_log,
    expected_state,
    send,
    start,
    summary,
    update,
    updates,
    write_lines,
)

from guardduty_lens.opensearch.names import Names
from guardduty_lens.opensearch.roles import roles


def test_server_killed_in_mid_load_and_restarted(tmp_path: Path) -> None:
    with start_opensearch() as server:
        cluster = Cluster(server.url, "output-")
        cluster.install()
        path = write_lines(tmp_path / "in.jsonl", updates(FEW) * 3)
        process = start(server.url, tmp_path, path)
        _wait_for_some(cluster)
        server.kill()
        assert process.poll() is None, "it was done before the server was killed"
        server.restart()
        _, err = process.communicate(timeout=300)
        assert process.returncode == 0, err
        assert "the cluster is tried again" in err
        assert summary(tmp_path)["events"]["records"] == 6300
        assert cluster.log == expected_log(FEW)
        assert cluster.state == expected_state(FEW)


def _wait_for_some(cluster: Cluster) -> None:
    ends = time.monotonic() + 60
    while time.monotonic() < ends:
        if cluster.request("GET", f"_cat/indices/{cluster.names.log}-*?format=json"):
            return
        time.sleep(0.01)
    pytest.fail("nothing was sent")


def sent(secured: Secured, folder: Path, password: str, *options: str) -> Result:
    secret = folder / "password"
    secret.write_text(f"{password}\n")
    path = write_lines(folder / "in.jsonl", [update(number, 0) for number in range(20)])
    who = ("--user", secured.admin[0], "--password-file", str(secret))
    return send(secured.url, folder, path, options=(*who, *options))


def test_wrong_password_sends_nothing(secured: Secured, tmp_path: Path) -> None:
    result = sent(secured, tmp_path, "not-it-at-all", "--ca", str(secured.ca))
    assert result.code == 3
    assert "does not accept who we are (401): check the user, password or token" in result.err
    assert "not-it-at-all" not in result.err
    assert secured.request("GET", "/_cat/indices/output-*?format=json").body == []
    assert summary(tmp_path)["payloads"] == 0


def test_authority_that_is_not_trusted_sends_nothing(secured: Secured, tmp_path: Path) -> None:
    result = sent(secured, tmp_path, secured.admin[1])
    assert result.code == 3
    assert "its certificate is not trusted" in result.err
    assert secured.admin[1] not in result.err


def test_password_and_own_authority(secured: Secured, tmp_path: Path) -> None:
    for each in Cluster(secured.url, "output-").templates:
        secured.request("PUT", f"/{PATHS[each.kind]}/{each.name}", each.body)
    result = sent(secured, tmp_path, secured.admin[1], "--ca", str(secured.ca))
    assert result.code == 0, result.err
    assert summary(tmp_path)["delivered"] == {"log_created": 20, "state_written": 20}
    assert secured.admin[1] not in result.err


def test_client_certificate_and_no_password(secured: Secured, tmp_path: Path) -> None:
    [writer] = [role for name, role in roles(Names("output-")).items() if name.endswith("writer")]
    secured.put_role("certificate-writer", writer)
    pair = secured.put_certificate("writer-by-certificate", ["certificate-writer"])
    for each in Cluster(secured.url, "output-").templates:
        assert secured.request("PUT", f"/{PATHS[each.kind]}/{each.name}", each.body).status == 200
    path = write_lines(tmp_path / "in.jsonl", [update(number, 1) for number in range(20)])
    who = ("--ca", str(secured.ca), "--client-cert", str(pair.certificate), "--client-key", str(pair.key))
    result = send(secured.url, tmp_path, path, options=who)
    assert result.code == 0, result.err
    assert summary(tmp_path)["delivered"] == {"log_created": 20, "state_written": 20}
