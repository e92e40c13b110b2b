"""The first question to what is said to be a cluster, and what it is when the answer is no cluster's."""

import re
from collections.abc import Mapping
from typing import Any

from guardduty_lens.opensearch.cluster import Cluster, ClusterError

_ASKED = ("nodes.*.version", "nodes.*.build_flavor", "nodes.*.ingest.processors.type")
_PATH = "/_nodes/ingest"
_ASKED_FOR = f"GET {_PATH}"
_VERSION = re.compile(r"[0-9]+\.[0-9]+.*")
_LONGEST_WORDS = 100

CHECK_URL = "check --url, and that the cluster runs"
NO_TLS = "what listens there does not speak TLS: check whether --url is http://"


class NoClusterError(ValueError):
    """What answers is no OpenSearch: what was asked, what it answered, and what to check."""


def nodes_of(cluster: Cluster) -> list[Mapping[str, Any]]:
    """Ask a cluster for its nodes. Raises NoClusterError, ClusterError."""
    try:
        answer = cluster.request("GET", _PATH, params={"filter_path": ",".join(_ASKED)})
    except ClusterError as error:
        raise _explained(error) from error
    nodes = answer.get("nodes") if isinstance(answer, Mapping) else None
    found = list(nodes.values()) if isinstance(nodes, Mapping) else []
    if found and all(
        isinstance(each, Mapping) and _VERSION.match(str(each.get("version"))) for each in found
    ):
        return found
    raise NoClusterError(no_cluster(_ASKED_FOR, f"200 {answer}"))


def _explained(error: ClusterError) -> Exception:
    """Give what to raise for a refusal."""
    if error.status in (401, 403):
        return ClusterError(
            f"{error}; asked GET {_PATH}: check --user and --password-file (or the token), and its role",
            error.status,
        )
    if "WRONG_VERSION_NUMBER" in str(error):
        return ClusterError(f"{error}; {NO_TLS}")
    from opensearchpy.exceptions import SerializationError

    if isinstance(error.__cause__, SerializationError) or (error.status or 500) < 500:
        return NoClusterError(no_cluster(_ASKED_FOR, str(error)))
    if error.status is None:
        return ClusterError(f"{error}; {CHECK_URL}")
    return error


def no_cluster(asked: str, answered: str) -> str:
    """Say that this is no OpenSearch: what was asked, what was answered, and what to check."""
    words = " ".join(answered.split())
    short = words if len(words) <= _LONGEST_WORDS else f"{words[:_LONGEST_WORDS]}…"
    return (
        f"this is no OpenSearch: {asked} was answered {short}. Check host, port and path of --url: "
        "a cluster is mostly on port 9200 (a managed domain on 443), Dashboards on 5601"
    )
