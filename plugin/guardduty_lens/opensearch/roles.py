"""Roles of OpenSearch's security plugin: what writer, installer and maintainer must be allowed."""

from typing import Any

from guardduty_lens.opensearch.lifecycle import monthly
from guardduty_lens.opensearch.names import Names

_CREATE_AND_WRITE = [
    "indices:admin/create",
    "indices:admin/mapping/put",
    "indices:data/write/index",
    "indices:data/write/bulk*",
]


def roles(names: Names) -> dict[str, dict[str, Any]]:
    """Give the body of each role by its name, as it is put to `_plugins/_security/api/roles/NAME`.

    The security plugin knows templates, pipelines and policies by kind alone, not by name: the installer may
    change those of others as well. Monitors run with the roles of whoever installed them: so it may search
    our indices and read channels. It may not write documents.
    """
    ours = [names.state_index, names.tags, names.log, *monthly(names).values()]
    shapes = {
        "index_patterns": [names.countries_map],
        "allowed_actions": [
            *_CREATE_AND_WRITE,
            "indices:admin/get",
            "indices:admin/mappings/get",
            "indices:admin/delete",
            "indices:admin/refresh*",
        ],
    }
    return {
        "writer": _role(
            "Writes records: log, state, CloudTrail, counters and tags. Sees templates, but no document.",
            ["indices:data/write/bulk", "indices:admin/index_template/get"],
            ours,
            _CREATE_AND_WRITE,
        ),
        "installer": _role(
            "Puts and takes away templates, policies, ingest pipeline, shapes, alerts. Searches as these do.",
            [
                "cluster:monitor/nodes/info",
                "cluster:admin/component_template/*",
                "indices:admin/index_template/*",
                "cluster:admin/ingest/pipeline/get",
                "cluster:admin/ingest/pipeline/put",
                "cluster:admin/ingest/pipeline/delete",
                "cluster:admin/opendistro/ism/policy/*",
                "cluster:admin/opendistro/ism/managedindex/remove",
                "cluster:admin/opendistro/alerting/monitor/*",
                "cluster:admin/opensearch/notifications/configs/get",
                "indices:data/write/bulk",
            ],
            ours,
            [
                "indices:admin/get",
                "indices:admin/mapping/put",
                "indices:admin/opensearch/ism/managedindex",
                "indices:data/read/search",
            ],
            shapes,
        ),
        "maintainer": _role(
            "Prunes the state, reads for reports and, with the installer's role, uninstalls with data.",
            ["cluster:monitor/nodes/info", "indices:data/write/bulk", "indices:data/read/scroll*"],
            ours,
            [
                "indices:admin/get",
                "indices:admin/delete",
                "indices:admin/refresh*",
                "indices:data/read/search",
                "indices:data/write/delete*",
                "indices:data/write/bulk*",
            ],
        ),
    }


def _role(
    about: str, cluster: list[str], patterns: list[str], actions: list[str], *further: dict[str, Any]
) -> dict[str, Any]:
    return {
        "description": about,
        "cluster_permissions": cluster,
        "index_permissions": [{"index_patterns": patterns, "allowed_actions": actions}, *further],
    }
