"""Makes changes in a cluster, one request each. What was done stays when one fails; running again goes on."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from guardduty_lens.opensearch.changes import Change, Found
from guardduty_lens.opensearch.cluster import Cluster, ClusterError
from guardduty_lens.opensearch.inventory import found_indices, object_path
from guardduty_lens.opensearch.lifecycle import monthly
from guardduty_lens.opensearch.monitors import monitor_path, put_monitor
from guardduty_lens.opensearch.names import Names
from guardduty_lens.opensearch.resources import Flavor, Resource
from guardduty_lens.opensearch.shapes import LOADED, bulk_body


def apply(
    cluster: Cluster,
    names: Names,
    flavor: Flavor,
    changes: Sequence[Change],
    desired: Sequence[Resource] = (),
    found: Sequence[Found] = (),
) -> Iterator[Change]:
    """Make the changes in their order, and give each once it is made.

    What is unchanged or foreign is left alone. Raises ClusterError that names the object and gives the
    server's words.
    """
    bodies = {(each.kind, each.name): each for each in desired}
    there = {(each.kind, each.name): each for each in found}
    indices_are_there = False
    for change in changes:
        key = (change.kind, change.name)
        try:
            if change.action in ("create", "change"):
                if change.kind == "monitor" and not indices_are_there:
                    _make_first_indices(cluster, names)
                    indices_are_there = True
                _put(cluster, flavor, bodies[key], there.get(key))
            elif change.action == "remove":
                _remove(cluster, names, flavor, change, there.get(key))
            else:
                continue
        except ClusterError as error:
            raise ClusterError(f"{change.kind} {change.name}: {error}", error.status) from error
        yield change


def delete_indices(cluster: Cluster, indices: Sequence[str]) -> Iterator[str]:
    """Delete indices by their exact names, and give each once it is gone.

    Raises ClusterError that names the index and gives the server's words.
    """
    for index in indices:
        try:
            cluster.request("DELETE", f"/{index}")
        except ClusterError as error:
            if error.status != 404:  # someone else deleted it first
                raise ClusterError(f"index {index}: {error}", error.status) from error
        yield index


def add_fields(cluster: Cluster, indices: Sequence[str]) -> Iterator[str]:
    """Give indices the fields that their template has by now, and give each once it has them.

    What they have stays. Raises ClusterError that names the index and gives the server's words.
    """
    for index in indices:
        try:
            template = cluster.request("POST", f"/_index_template/_simulate_index/{index}")["template"]
            properties = template["mappings"].get("properties", {})
            cluster.request("PUT", f"/{index}/_mapping", body={"properties": properties})
        except ClusterError as error:
            raise ClusterError(f"index {index}: {error}", error.status) from error
        yield index


def _put(cluster: Cluster, flavor: Flavor, resource: Resource, there: Found | None) -> None:
    if resource.kind == "shapes_index":
        _load_shapes(cluster, resource, there)
        return
    if resource.kind == "monitor":
        put_monitor(cluster, resource, there)
        return
    condition: Mapping[str, int] = there.condition if there else {}
    path = object_path(resource.kind, resource.name, flavor)
    cluster.request("PUT", path, body=resource.body, params=condition)


def _make_first_indices(cluster: Cluster, names: Names) -> None:
    """Make the state, and this month's indices, unless they are there.

    Alerting refuses a monitor on an index that is missing, and one with buckets fails while its pattern
    matches none.
    """
    month = f"{datetime.now(UTC):%Y-%m}"
    for index in (
        names.state_index,
        names.log_index(month),
        names.cloudtrail_index(month),
        names.stats_index(month),
    ):
        try:
            cluster.request("PUT", f"/{index}")
        except ClusterError as error:
            if "resource_already_exists_exception" not in str(error):
                raise ClusterError(f"its index {index}: {error}", error.status) from error


def _load_shapes(cluster: Cluster, resource: Resource, there: Found | None) -> None:
    """Make the index, load its documents, and only then let it say that they are there."""
    path = f"/{resource.name}"
    if there is None:
        meta = {key: value for key, value in resource.body["_meta"].items() if key != LOADED}
        settings = {"number_of_shards": 1, "auto_expand_replicas": "0-1"}
        body = {"settings": settings, "mappings": resource.body | {"_meta": meta}}
        cluster.request("PUT", path, body=body)
    answer = cluster.request("POST", f"{path}/_bulk", body=bulk_body(), params={"refresh": "true"})
    if answer["errors"]:
        refused = next(each["index"]["error"] for each in answer["items"] if "error" in each["index"])
        raise ClusterError(f"a shape was refused: {refused.get('type')}: {refused.get('reason')}")
    cluster.request("PUT", f"{path}/_mapping", body=resource.body)


def _remove(cluster: Cluster, names: Names, flavor: Flavor, change: Change, there: Found | None) -> None:
    if change.kind == "lifecycle_policy":
        _release(cluster, names, flavor, change.name)
    monitor = monitor_path(there.id) if there is not None and change.kind == "monitor" else None
    try:
        cluster.request("DELETE", monitor or object_path(change.kind, change.name, flavor))
    except ClusterError as error:
        if error.status != 404:  # someone else removed it first
            raise


def _release(cluster: Cluster, names: Names, flavor: Flavor, policy: str) -> None:
    """Take indices out of a policy's hands: ISM goes on with a deleted one, ILM refuses to delete it."""
    what = next((what for what in monthly(names) if names.lifecycle(what) == policy), None)
    if what is None:
        return
    start = monthly(names)[what].removesuffix("2*")
    indices = [index for index in found_indices(cluster, names) if index.startswith(start)]
    if not indices:
        return
    listed = ",".join(indices)
    if flavor == "opensearch":
        cluster.request("POST", f"/_plugins/_ism/remove/{listed}")
    else:
        cluster.request("POST", f"/{listed}/_ilm/remove")
