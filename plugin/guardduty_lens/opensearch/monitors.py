"""Monitors of the Alerting plugin: found by their names, put so that what a user did with them stays."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

import msgspec

from guardduty_lens.opensearch.changes import Found
from guardduty_lens.opensearch.cluster import Cluster
from guardduty_lens.opensearch.names import Names
from guardduty_lens.opensearch.resources import Resource
from guardduty_lens.version import __version__

TELL = "Tell"
"""The name of the action that is ours; all others are the user's."""

MONITORS = "/_plugins/_alerting/monitors"
"""The path of the plugin's monitors."""

_MOST = 1_000
# The plugin leaves `ui_metadata` out of what it finds for all others, and our stamp is in it.
_AS_DASHBOARDS = {"user-agent": f"guardduty-lens/{__version__} (as OpenSearch-Dashboards)"}


def monitor_path(identifier: str) -> str:
    """Give the path of a monitor."""
    return f"{MONITORS}/{quote(identifier, safe='')}"


class _Hit(
    msgspec.Struct, rename={"id": "_id", "source": "_source", "number": "_seq_no", "term": "_primary_term"}
):
    id: str
    source: dict[str, Any]
    number: int
    term: int


class _Hits(msgspec.Struct):
    hits: list[_Hit]


class _Answer(msgspec.Struct):
    hits: _Hits


def found_monitors(cluster: Cluster, names: Names) -> Iterator[Found]:
    """Give the monitors whose names begin like ours. Raises ClusterError."""
    query = {"prefix": {"monitor.name.keyword": f"{names.prefix}GuardDuty: "}}
    body = {"size": _MOST, "seq_no_primary_term": True, "query": query}
    answer = cluster.asked("POST", f"{MONITORS}/_search", _Answer, body, headers=_AS_DASHBOARDS)
    for hit in answer.hits.hits if answer else ():  # none where there has never been one
        condition = {"if_seq_no": hit.number, "if_primary_term": hit.term}
        yield Found("monitor", str(hit.source.get("name")), hit.source, condition, hit.id)


def put_monitor(cluster: Cluster, resource: Resource, there: Found | None) -> None:
    """Make a monitor, or put it in the place of the one of its name. Raises ClusterError."""
    if there is None:
        cluster.request("POST", MONITORS, body=resource.body)
        return
    body = merged(resource.body, there.body)
    cluster.request("PUT", monitor_path(there.id), body=body, params=there.condition)


def merged(wanted: Mapping[str, Any], there: Mapping[str, Any]) -> dict[str, Any]:
    """Give our monitor with what is the user's of the one that is there.

    Whether it is on stays, and every action does; ours tells the channel that was given, if one was.
    """
    known = {trigger["name"]: trigger for each in there.get("triggers", ()) for trigger in each.values()}
    triggers = [
        {kind: _trigger(trigger, known.get(trigger["name"])) for kind, trigger in each.items()}
        for each in wanted["triggers"]
    ]
    return {**wanted, "enabled": there.get("enabled", True), "triggers": triggers}


def _trigger(wanted: Mapping[str, Any], there: Mapping[str, Any] | None) -> dict[str, Any]:
    if there is None:
        return dict(wanted)
    given = {action["name"]: action for action in wanted["actions"]}
    actions = [
        action | {"destination_id": given[action["name"]]["destination_id"]}
        if action["name"] in given
        else action
        for action in there.get("actions", ())
    ]
    missing = [action for name, action in given.items() if all(each["name"] != name for each in actions)]
    kept = {"id": there["id"]} if "id" in there else {}
    return {**wanted, **kept, "actions": [*actions, *missing]}
