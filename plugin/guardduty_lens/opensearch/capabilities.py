"""What a cluster can do: asked first, so that what it cannot do is skipped with a word."""

from collections.abc import Iterator
from typing import Any

import msgspec

from guardduty_lens.opensearch.cluster import Cluster, ClusterError
from guardduty_lens.opensearch.resources import Flavor, Resource
from guardduty_lens.opensearch.versions import MINIMUM_VERSIONS


class UnsuitableError(ValueError):
    """A cluster that cannot hold the records, or another one than the user said."""


class Capabilities(msgspec.Struct, frozen=True):
    """What was asked of a cluster."""

    flavor: Flavor
    version: str
    lifecycle: bool
    processors: frozenset[str]

    def missing(self, resource: Resource) -> str | None:
        """Say in a line why a resource cannot be installed here; None where it can."""
        if resource.kind == "lifecycle_policy" and not self.lifecycle:
            plugin = "Index State Management" if self.flavor == "opensearch" else "index lifecycle management"
            return f"retention policies: the cluster has no {plugin}; delete old indices yourself"
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
    version = cluster.request("GET", "/")["version"]
    flavor: Flavor = "opensearch" if version.get("distribution") == "opensearch" else "elasticsearch"
    number = str(version["number"])
    if wanted is not None and wanted != flavor:
        raise UnsuitableError(f"this is {flavor} {number}, not {wanted}")
    oldest = MINIMUM_VERSIONS[flavor]
    if _parts(number) < oldest:
        raise UnsuitableError(
            f"this is {flavor} {number}; {oldest[0]}.{oldest[1]} is the oldest that will do"
        )
    return Capabilities(flavor, number, _has_lifecycle(cluster, flavor), _processors(cluster))


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


def _has_lifecycle(cluster: Cluster, flavor: Flavor) -> bool:
    try:
        cluster.request("GET", "/_plugins/_ism/policies" if flavor == "opensearch" else "/_ilm/policy")
    except ClusterError as error:
        if "no handler found" in str(error):
            return False
        if error.status == 404:  # the plugin is there, and has never held a policy
            return True
        raise
    return True


def _processors(cluster: Cluster) -> frozenset[str]:
    """Give the ingest processors that every node which runs pipelines has."""
    answer = cluster.request("GET", "/_nodes/ingest", params={"filter_path": "nodes.*.ingest.processors"})
    nodes = (answer or {}).get("nodes", {}).values()
    each = [frozenset(one["type"] for one in node["ingest"]["processors"]) for node in nodes]
    return frozenset.intersection(*each) if each else frozenset()
