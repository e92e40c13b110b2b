"""Closed findings leave the state: archived ones, and those that GuardDuty has not updated for long."""

from typing import Any

from guardduty_lens.opensearch.cluster import Cluster, ClusterError
from guardduty_lens.opensearch.names import Names

BATCH = 10_000
"""Findings deleted by one request, so that none lasts long enough for a time-out."""


def closed_findings(days: int, field_prefix: str = "") -> dict[str, Any]:
    """Give the query for findings that are archived, or were last updated more than `days` ago."""
    return {
        "bool": {
            "should": [
                {"term": {f"{field_prefix}is_archived": True}},
                {"range": {f"{field_prefix}updated_at": {"lt": f"now-{days}d"}}},
            ],
            "minimum_should_match": 1,
        }
    }


def count(cluster: Cluster, names: Names, query: dict[str, Any]) -> int:
    """Count the findings of the state that a query matches. Raises ClusterError."""
    answer = cluster.request("POST", f"/{names.state_index}/_count", body={"query": query})
    return int(answer["count"])


def delete(cluster: Cluster, names: Names, query: dict[str, Any]) -> int:
    """Delete what a query matches from the state, and give how many those were.

    What was updated meanwhile is left for the next time. Raises ClusterError.
    """
    total = 0
    while True:
        answer = cluster.request(
            "POST",
            f"/{names.state_index}/_delete_by_query",
            body={"query": query},
            params={"conflicts": "proceed", "refresh": "true", "max_docs": BATCH},
        )
        if answer["failures"]:
            raise ClusterError(f"{total + int(answer['deleted'])} deleted, then: {answer['failures'][0]}")
        deleted = int(answer["deleted"])
        total += deleted
        if deleted == 0 or int(answer["total"]) < BATCH:
            return total
