"""What a cluster can do: asked first, so that what it cannot do is skipped with a word."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from guardduty_lens.opensearch.cluster import Cluster, ClusterError
from guardduty_lens.opensearch.resources import Flavor, Resource
from guardduty_lens.opensearch.versions import MINIMUM_VERSIONS

_ASKED = ("nodes.*.version", "nodes.*.build_flavor", "nodes.*.ingest.processors.type")


class UnsuitableError(ValueError):
    """A cluster that cannot hold the records, or another one than the user said."""


class Capabilities(msgspec.Struct, frozen=True):
    """What was asked of a cluster; `version` is that of its oldest node."""

    flavor: Flavor
    version: str
    lifecycle: bool
    processors: frozenset[str]
    alerting: bool = False

    def missing(self, resource: Resource) -> str | None:
        """Say in a line why a resource cannot be installed here; None where it can."""
        if resource.kind == "lifecycle_policy" and not self.lifecycle:
            plugin = "Index State Management" if self.flavor == "opensearch" else "index lifecycle management"
            return f"retention policies: the cluster has no {plugin}; delete old indices yourself"
        if resource.kind == "monitor" and not self.alerting:
            return "alerts: the cluster has no Alerting plugin of OpenSearch"
        if resource.kind == "shapes_index" and self.flavor == "elasticsearch":
            return "country shapes: for region maps of OpenSearch Dashboards alone"
        if resource.kind == "ingest_pipeline":
            if self.flavor == "elasticsearch":
                return "ingest pipeline: written for OpenSearch, and never run on Elasticsearch"
            lacking = sorted(set(processor_types(resource.body)) - self.processors)
            if lacking:
                return f"ingest pipeline: the cluster has no processor {', '.join(lacking)}"
        return None


def ask(cluster: Cluster, wanted: Flavor | None = None) -> Capabilities:
    """Ask a cluster what it is and can do.

    Raises UnsuitableError for one too old, or of another flavor than `wanted`; ClusterError.
    """
    answer = cluster.request("GET", "/_nodes/ingest", params={"filter_path": ",".join(_ASKED)})
    nodes = list(answer["nodes"].values())
    # OpenSearch may say at `/` that it is Elasticsearch 7.10, for old clients; its nodes don't.
    flavor: Flavor = "elasticsearch" if any("build_flavor" in node for node in nodes) else "opensearch"
    oldest = min((str(node["version"]) for node in nodes), key=_parts)
    if wanted is not None and wanted != flavor:
        raise UnsuitableError(f"this is {flavor} {oldest}, not {wanted}")
    needed = MINIMUM_VERSIONS[flavor]
    if _parts(oldest) < needed:
        raise UnsuitableError(
            f"this is {flavor} {oldest}; {needed[0]}.{needed[1]} is the oldest that will do"
        )
    lifecycle = _has(cluster, "/_plugins/_ism/policies" if flavor == "opensearch" else "/_ilm/policy")
    alerting = flavor == "opensearch" and _has(cluster, "/_plugins/_alerting/monitors/_search")
    return Capabilities(flavor, oldest, lifecycle, _processors(nodes), alerting)


def processor_types(body: dict[str, Any]) -> Iterator[str]:
    """Give the type of every processor of a pipeline, those that run on failure too."""
    for processor in [*body.get("processors", ()), *body.get("on_failure", ())]:
        for kind, options in processor.items():
            yield kind
            inner = options.get("processor")
            yield from processor_types({**options, "processors": [inner] if inner else []})


def _parts(number: str) -> tuple[int, int]:
    major, minor, *_ = number.split(".")
    return int(major), int(minor)


def _has(cluster: Cluster, path: str) -> bool:
    """Tell whether a cluster has the plugin that a path is of."""
    try:
        cluster.request("GET", path)
    except ClusterError as error:
        if "no handler found" in str(error):
            return False
        if error.status == 404:  # the plugin is there, and has never held anything
            return True
        raise
    return True


def _processors(nodes: Sequence[Mapping[str, Any]]) -> frozenset[str]:
    """Give the ingest processors that every node has."""
    return frozenset.intersection(
        *(frozenset(one["type"] for one in node.get("ingest", {}).get("processors", ())) for node in nodes)
    )
