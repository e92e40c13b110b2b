"""What a cluster holds of an installation: objects under our names, and indices of ours."""

import re
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import quote

import msgspec

from guardduty_lens.opensearch.capabilities import Capabilities
from guardduty_lens.opensearch.changes import Found
from guardduty_lens.opensearch.cluster import Cluster, ClusterError
from guardduty_lens.opensearch.lifecycle import monthly
from guardduty_lens.opensearch.monitors import found_monitors
from guardduty_lens.opensearch.names import Names
from guardduty_lens.opensearch.resources import Flavor, Kind

_MONTHLY = re.compile(r"-[0-9]{4}\.[0-9]{2}")


_Body = dict[str, Any]


class _Component(msgspec.Struct):
    name: str
    component_template: _Body


class _Components(msgspec.Struct):
    component_templates: list[_Component] = []


class _Template(msgspec.Struct):
    name: str
    index_template: _Body


class _Templates(msgspec.Struct):
    index_templates: list[_Template] = []


class _Mapping(msgspec.Struct):
    mappings: _Body = {}


class _IlmPolicy(msgspec.Struct):
    policy: _Body


class _IsmPolicy(msgspec.Struct, rename={"number": "_seq_no", "term": "_primary_term"}):
    policy: _Body
    number: int
    term: int


def found_objects(
    cluster: Cluster, names: Names, capabilities: Capabilities
) -> tuple[list[Found], Capabilities]:
    """Give every object whose name is, or begins like, one of ours.

    Of what not every cluster has, kinds that cannot be read are not given, and the capabilities that come
    back say so. Raises ClusterError.
    """
    pattern = f"{names.pipeline}*"
    components = cluster.found(f"/_component_template/{pattern}", _Components) or _Components()
    templates = cluster.found(f"/_index_template/{pattern}", _Templates) or _Templates()
    pipelines = cluster.found(f"/_ingest/pipeline/{pattern}", dict[str, _Body]) or {}
    found = [
        *(
            Found("component_template", each.name, each.component_template)
            for each in components.component_templates
        ),
        *(Found("index_template", each.name, each.index_template) for each in templates.index_templates),
        *(Found("ingest_pipeline", name, body) for name, body in pipelines.items()),
    ]
    looks: dict[Kind, Callable[[], Iterable[Found]]] = {"shapes_index": lambda: _shapes(cluster, names)}
    if capabilities.lifecycle:
        looks["lifecycle_policy"] = lambda: _policies(cluster, names, capabilities.flavor)
    if capabilities.alerting:
        looks["monitor"] = lambda: found_monitors(cluster, names)
    unread: dict[Kind, str] = {}
    for kind, look in looks.items():
        try:
            found += list(look())
        except ClusterError as error:
            unread[kind] = str(error)
    return found, capabilities.without(unread)


def found_indices(cluster: Cluster, names: Names) -> list[str]:
    """Give the indices of ours that are there, by name; those of the seed's own form too."""
    return sorted(_indices(cluster, names))


def found_mappings(cluster: Cluster, names: Names) -> dict[str, dict[str, Any]]:
    """Give the mapping of each of these indices, in the order of their names."""
    found = _indices(cluster, names, "*.mappings")
    return {index: found[index].mappings for index in sorted(found)}


def _indices(cluster: Cluster, names: Names, *parts: str) -> dict[str, _Mapping]:
    patterns = ",".join([names.state_index, names.tags, names.log, *monthly(names).values()])
    answer = cluster.found(
        f"/{patterns}",
        dict[str, _Mapping],
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
    name = names.countries_map
    answer = cluster.found(f"/{name}/_mapping", dict[str, _Mapping])
    if answer is None:
        return
    if name not in answer:
        raise ClusterError(f"{name} is an alias of {', '.join(answer) or 'nothing'}")
    yield Found("shapes_index", name, answer[name].mappings)


def _policies(cluster: Cluster, names: Names, flavor: Flavor) -> Iterable[Found]:
    for name in (names.lifecycle(what) for what in monthly(names)):
        path = object_path("lifecycle_policy", name, flavor)
        if flavor == "elasticsearch":
            for each in (cluster.found(path, dict[str, _IlmPolicy]) or {}).values():
                yield Found("lifecycle_policy", name, {"policy": each.policy})
        elif there := cluster.found(path, _IsmPolicy):
            condition = {"if_seq_no": there.number, "if_primary_term": there.term}
            yield Found("lifecycle_policy", name, {"policy": there.policy}, condition)
