"""Each shipped role holds what each command asks of a cluster, by the recorded table of permissions."""

import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from cluster_proxy import ClusterProxy, cluster_proxy
from command_line import COMMAND
from permissions import Need, lacking, needs

from guardduty_lens.opensearch.names import Names
from guardduty_lens.opensearch.roles import roles

PREFIX = "roles-"
FINDINGS = str(Path(__file__).parents[2] / "examples/findings/eventbridge.jsonl")
INDICES = (
    *("guardduty-findings", "guarddutylogs-2026.11"),
    *("guardduty-cloudtrail-2026.11", "guardduty-stats-2026.11"),
)
INSTALLING = ("--retention-days", "90", "--alert-channel", "gl-hook", "--guardduty-bucket", "findings")


class Run(NamedTuple):
    """A command, the roles of whoever runs it, and what it has to have asked for."""

    command: tuple[str, ...]
    roles: tuple[str, ...]
    asked: frozenset[str]
    may_be_refused: frozenset[str] = frozenset()


# What a plugin answers to the question whether it is there only costs what it would hold.
PROBES = frozenset(
    {"cluster:admin/opendistro/ism/policy/search", "cluster:admin/opendistro/alerting/monitor/search"}
)
RUNS = [
    Run(("plan", *INSTALLING), ("installer",), frozenset({"cluster:admin/opendistro/ism/policy/search"})),
    Run(
        ("install", *INSTALLING, "--update-indices", "--yes"),
        ("installer",),
        frozenset({"cluster:admin/opendistro/alerting/monitor/write", "indices:data/read/search"}),
    ),
    Run(("status", *INSTALLING), ("installer",), frozenset({"cluster:admin/opendistro/ism/policy/get"})),
    Run(("filter", "--to", "opensearch", FINDINGS), ("writer",), frozenset({"indices:data/write/index"})),
    Run(("tag", "release"), ("writer",), frozenset({"indices:data/write/index"})),
    Run(
        ("report", "--from-opensearch"),
        ("maintainer",),
        frozenset({"indices:data/read/search", "indices:data/read/scroll/clear"}),
        PROBES,
    ),
    Run(("prune",), ("maintainer",), frozenset({"indices:data/read/search"}), PROBES),
    Run(("prune", "--yes"), ("maintainer",), frozenset({"indices:data/write/delete/byquery"}), PROBES),
    Run(
        ("uninstall", "--yes"),
        ("installer",),
        frozenset({"cluster:admin/opendistro/ism/managedindex/remove"}),
    ),
    Run(
        ("uninstall", "--with-data", "--yes"),
        ("installer", "maintainer"),
        frozenset({"indices:admin/delete"}),
    ),
]


@pytest.fixture(scope="module")
def through(opensearch_url: str) -> Iterator[tuple[str, ClusterProxy]]:
    """A cluster that has the indices already that monitors name."""
    with cluster_proxy(opensearch_url, with_ism=True, with_alerting=True) as (url, proxy):
        for index in INDICES:
            request = urllib.request.Request(f"{opensearch_url}/{PREFIX}{index}", method="PUT")
            with urllib.request.urlopen(request, timeout=60):
                pass
        yield url, proxy
        run(url, "uninstall", "--with-data", "--yes")


def run(url: str, command: str, *options: str, folder: Path | None = None) -> str:
    done = subprocess.run(
        [*COMMAND, command, "--url", url, "--index-prefix", PREFIX, *options],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=180,
        cwd=folder,
    )
    return f"{done.returncode}: {done.stdout}{done.stderr}"


@pytest.mark.parametrize("each", RUNS, ids=lambda each: " ".join(each.command[:2]))
def test_a_role_holds_what_a_command_asks_for(
    each: Run, through: tuple[str, ClusterProxy], tmp_path: Path
) -> None:
    url, proxy = through
    del proxy.requests[:]
    said = run(url, *each.command, folder=tmp_path)
    held: list[dict[str, Any]] = [roles(Names(PREFIX))[name] for name in each.roles]
    asked = {need for request in proxy.requests for need in needs(request)}
    assert each.asked <= {need.permission for need in asked}, said
    missing = lacking(held, asked, PREFIX)
    assert {need for need in missing if need.permission not in each.may_be_refused} == set()


def test_monitors_run_under_the_installers_role() -> None:
    names = Names(PREFIX)
    indices = (names.state_index, f"{names.log}-2*", f"{names.cloudtrail}-2*", f"{names.stats}-2*")
    searches = {Need("indices:data/read/search", index) for index in indices}
    deliveries = {Need("cluster:admin/opensearch/notifications/configs/get")}
    assert lacking([roles(names)["installer"]], searches | deliveries, PREFIX) == set()
