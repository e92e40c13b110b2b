"""What a cluster can do: asked first, so that what it cannot do is skipped with a word."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from guardduty_lens.opensearch.cluster import Cluster, ClusterError
from guardduty_lens.opensearch.monitors import MONITORS
from guardduty_lens.opensearch.nodes import nodes_of
from guardduty_lens.opensearch.resources import Flavor, Kind, Resource
from guardduty_lens.opensearch.versions import MINIMUM_VERSIONS

_LABELS: Mapping[Kind, str] = {
    "lifecycle_policy": "retention policies",
    "monitor": "alerts",
    "shapes_index": "country shapes",
}


class UnsuitableError(ValueError):
    """A cluster that cannot hold the records, or another one than the user said."""


class Capabilities(msgspec.Struct, frozen=True):
    """What was asked of a cluster; `version` is that of its oldest node.

    `unanswered` gives, by the kind of the objects it is about, how a probe was answered that neither shows a
    plugin nor its absence, or a look at its objects that does not say what they are; nothing of that kind is
    then put, changed or removed.
    """

    flavor: Flavor
    version: str
    lifecycle: bool
    processors: frozenset[str]
    alerting: bool = False
    unanswered: Mapping[Kind, str] = {}

    def missing(self, resource: Resource) -> str | None:
        """Say in a line why a resource cannot be installed here; None where it can."""
        if resource.kind in self.unanswered:
            return self._not_seen(resource.kind)
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

    def without(self, unread: Mapping[Kind, str]) -> "Capabilities":
        """Give the same where objects of these kinds could not be read either, and why."""
        return msgspec.structs.replace(self, unanswered={**self.unanswered, **unread})

    def not_seen(self) -> list[str]:
        """Say in a line each which objects could not be looked at, and why."""
        return [self._not_seen(kind) for kind in self.unanswered]

    def labels_not_seen(self) -> str:
        """Name the kinds of objects that could not be looked at."""
        return ", ".join(_LABELS[kind] for kind in self.unanswered)

    def _not_seen(self, kind: Kind) -> str:
        return f"{_LABELS[kind]}: left alone, since the cluster answered: {self.unanswered[kind]}"


def ask(cluster: Cluster, wanted: Flavor | None = None) -> Capabilities:
    """Ask a cluster what it is and can do.

    Raises UnsuitableError for one too old, or of another flavor than `wanted`; NoClusterError, ClusterError.
    """
    nodes = nodes_of(cluster)
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
    lifecycle = _probe(
        cluster, "GET", "/_plugins/_ism/policies" if flavor == "opensearch" else "/_ilm/policy"
    )
    alerting = _Probe(there=False)
    if flavor == "opensearch":
        # Alerting refuses a search that has no body.
        alerting = _probe(cluster, "POST", f"{MONITORS}/_search", {"size": 0})
    probes: dict[Kind, _Probe] = {"lifecycle_policy": lifecycle, "monitor": alerting}
    unanswered = {kind: probe.unexpected for kind, probe in probes.items() if probe.unexpected}
    return Capabilities(flavor, oldest, lifecycle.there, _processors(nodes), alerting.there, unanswered)


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


class _Probe(msgspec.Struct, frozen=True):
    """Whether a plugin is there, and what a cluster answered where that cannot be told."""

    there: bool
    unexpected: str = ""


def _probe(cluster: Cluster, method: str, path: str, body: object = None) -> _Probe:
    """Find out whether a cluster has the plugin that a path is of."""
    try:
        cluster.request(method, path, body=body)
    except ClusterError as error:
        if "no handler found" in str(error):
            return _Probe(there=False)
        if error.status == 404:  # the plugin is there, and has never held anything
            return _Probe(there=True)
        return _Probe(there=False, unexpected=str(error))
    return _Probe(there=True)


def _processors(nodes: Sequence[Mapping[str, Any]]) -> frozenset[str]:
    """Give the ingest processors that every node has."""
    return frozenset.intersection(
        *(frozenset(one["type"] for one in node.get("ingest", {}).get("processors", ())) for node in nodes)
    )
