"""What a cluster holds of an installation: objects under our names, and indices of ours."""

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from guardduty_lens.opensearch.capabilities import Capabilities
from guardduty_lens.opensearch.changes import Found
from guardduty_lens.opensearch.cluster import Cluster
from guardduty_lens.opensearch.lifecycle import monthly
from guardduty_lens.opensearch.monitors import found_monitors
from guardduty_lens.opensearch.names import Names
from guardduty_lens.opensearch.resources import Flavor, Kind

_MONTHLY = re.compile(r"-[0-9]{4}\.[0-9]{2}")


def found_objects(cluster: Cluster, names: Names, capabilities: Capabilities) -> list[Found]:
    """Give every object whose name is, or begins like, one of ours. Raises ClusterError."""
    pattern = f"{names.pipeline}*"
    components = cluster.found(f"/_component_template/{pattern}") or {}
    templates = cluster.found(f"/_index_template/{pattern}") or {}
    pipelines = cluster.found(f"/_ingest/pipeline/{pattern}") or {}
    return [
        *(
            Found("component_template", each["name"], each["component_template"])
            for each in components.get("component_templates", ())
        ),
        *(
            Found("index_template", each["name"], each["index_template"])
            for each in templates.get("index_templates", ())
        ),
        *(Found("ingest_pipeline", name, body) for name, body in pipelines.items()),
        *_shapes(cluster, names),
        *(_policies(cluster, names, capabilities.flavor) if capabilities.lifecycle else ()),
        *(found_monitors(cluster, names) if capabilities.alerting else ()),
    ]


def found_indices(cluster: Cluster, names: Names) -> list[str]:
    """Give the indices of ours that are there, by name; those of the seed's own form too."""
    return sorted(_indices(cluster, names))


def found_mappings(cluster: Cluster, names: Names) -> dict[str, dict[str, Any]]:
    """Give the mapping of each of these indices, in the order of their names."""
    found = _indices(cluster, names, "*.mappings")
    return {index: found[index].get("mappings", {}) for index in sorted(found)}


def _indices(cluster: Cluster, names: Names, *parts: str) -> dict[str, Any]:
    patterns = ",".join([names.state_index, names.tags, names.log, *monthly(names).values()])
    answer = cluster.found(
        f"/{patterns}",
        params={
            "ignore_unavailable": "true",
            "allow_no_indices": "true",
            "expand_wildcards": "all",
            "filter_path": ",".join(("*.settings.index.uuid", *parts)),
        },
    )
    return {index: body for index, body in (answer or {}).items() if _is_ours(index, names)}


def object_path(kind: Kind, name: str, flavor: Flavor) -> str:
    """Give the path of an object."""
    if kind == "shapes_index":
        return f"/{quote(name, safe='')}"
    folder = {
        "component_template": "_component_template",
        "index_template": "_index_template",
        "ingest_pipeline": "_ingest/pipeline",
        "lifecycle_policy": "_plugins/_ism/policies" if flavor == "opensearch" else "_ilm/policy",
    }[kind]
    return f"/{folder}/{quote(name, safe='')}"


def _is_ours(index: str, names: Names) -> bool:
    if index in (names.state_index, names.tags, names.log):
        return True
    starts = (names.log, names.cloudtrail, names.stats)
    return any(index.startswith(start) and _MONTHLY.fullmatch(index[len(start) :]) for start in starts)


def _shapes(cluster: Cluster, names: Names) -> Iterable[Found]:
    answer = cluster.found(f"/{names.countries_map}/_mapping")
    if answer is not None:
        yield Found("shapes_index", names.countries_map, answer[names.countries_map]["mappings"])


def _policies(cluster: Cluster, names: Names, flavor: Flavor) -> Iterable[Found]:
    for name in (names.lifecycle(what) for what in monthly(names)):
        answer = cluster.found(object_path("lifecycle_policy", name, flavor))
        if answer is None:
            continue
        if flavor == "elasticsearch":
            yield Found("lifecycle_policy", name, {"policy": answer[name]["policy"]})
        else:
            condition = {"if_seq_no": answer["_seq_no"], "if_primary_term": answer["_primary_term"]}
            yield Found("lifecycle_policy", name, {"policy": answer["policy"]}, condition)
