"""The records of a cluster's log, read back in bounded memory."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from guardduty_lens.opensearch.cluster import Cluster, ClusterError
from guardduty_lens.opensearch.names import Names
from guardduty_lens.payloads.json_text import encode_json

PAGE = 1000
KEPT = "5m"
"""How long the server keeps its place between two pages."""


def log_records(cluster: Cluster, names: Names, since: datetime | None = None) -> Iterator[bytes]:
    """Give the records of the log, each as JSON; where a moment is given, only those last seen since.

    By the scroll API, which OpenSearch and Elasticsearch share. Raises ClusterError.
    """
    query: dict[str, Any] = {"match_all": {}}
    if since is not None:
        # What has no such date is in no range; a report of files shows it, too.
        query = {"bool": {"must_not": _before(since)}}
    return _documents(cluster, f"{names.log}*", query)


def records_before(cluster: Cluster, names: Names, moment: datetime) -> int:
    """Give the number of records of the log that were last seen before a moment. Raises ClusterError."""
    answer = cluster.request(
        "POST",
        f"/{names.log}*/_count",
        body={"query": _before(moment)},
        params={"ignore_unavailable": "true"},
    )
    _refuse_partial(answer)
    return int(answer["count"])


def _before(moment: datetime) -> dict[str, Any]:
    return {"range": {"@timestamp": {"lt": moment.isoformat()}}}


def tags(cluster: Cluster, names: Names) -> Iterator[bytes]:
    """Give the deployment markers, each as JSON. Raises ClusterError."""
    return _documents(cluster, names.tags, {"match_all": {}})


def _documents(cluster: Cluster, index: str, query: dict[str, Any]) -> Iterator[bytes]:
    body = {"size": PAGE, "query": query, "sort": ["_doc"]}
    path = f"/{index}/_search"
    answer = cluster.request("POST", path, body=body, params={"scroll": KEPT, "ignore_unavailable": "true"})
    try:
        while hits := _hits(answer):
            yield from (encode_json(hit["_source"]) for hit in hits)
            scroll = {"scroll": KEPT, "scroll_id": answer["_scroll_id"]}
            answer = cluster.request("POST", "/_search/scroll", body=scroll)
    finally:
        if "_scroll_id" in answer:
            cluster.request("DELETE", "/_search/scroll", body={"scroll_id": [answer["_scroll_id"]]})


def _hits(answer: Any) -> list[Any]:
    """Give the hits of a page. Raises ClusterError where a shard is missing, or time ran out."""
    _refuse_partial(answer)
    hits: list[Any] = answer["hits"]["hits"]
    return hits


def _refuse_partial(answer: Any) -> None:
    if answer.get("timed_out") or answer["_shards"]["failed"]:
        raise ClusterError(f"the log could not be read whole: {answer['_shards']}")
