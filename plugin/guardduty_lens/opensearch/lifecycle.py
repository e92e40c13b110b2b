"""Retention: policies that delete the indices of months once they are old enough.

The state has none, since a policy acts on whole indices; `prune` deletes from it by query. Nor has the one
index of the seed's own form, of which a policy would delete everything at once.
"""

from typing import Any

from guardduty_lens.opensearch.names import Names
from guardduty_lens.opensearch.resources import Flavor, IndexOptions, Resource

_ISM_PRIORITY = 100


def monthly(names: Names) -> dict[str, str]:
    """Give the pattern of the indices of each kind that come a month at a time."""
    return {
        "log": f"{names.log}-2*",
        "cloudtrail": f"{names.cloudtrail}-2*",
        "stats": f"{names.stats}-2*",
    }


def lifecycle_policies(names: Names, options: IndexOptions, flavor: Flavor) -> list[Resource]:
    """Give the policies; none where indices are kept for ever.

    An index is deleted `retention_days` after it was made, so that a month's first findings are kept a
    month longer than its last. ISM finds new indices by their names; ILM needs a setting in the index
    templates (`with_lifecycle`).
    """
    days = options.retention_days
    if days is None:
        return []
    return [
        Resource(
            "lifecycle_policy",
            names.lifecycle(what),
            {"policy": _ism(pattern, days) if flavor == "opensearch" else _ilm(days)},
        )
        for what, pattern in monthly(names).items()
    ]


def with_lifecycle(template: Resource, names: Names) -> Resource:
    """Give the index template of a month's indices with the setting that ILM goes by; others as they are."""
    policies = {names.template(what): names.lifecycle(what) for what in monthly(names)}
    if template.kind != "index_template" or template.name not in policies:
        return template
    inner = template.body.get("template", {})
    settings = inner.get("settings", {}) | {"index.lifecycle.name": policies[template.name]}
    body = {**template.body, "template": {**inner, "settings": settings}}
    return Resource(template.kind, template.name, body)


def _ism(pattern: str, days: int) -> dict[str, Any]:
    return {
        "description": f"Deletes indices {days} days after they were made.",
        "default_state": "kept",
        "states": [
            {
                "name": "kept",
                "actions": [],
                "transitions": [{"state_name": "deleted", "conditions": {"min_index_age": f"{days}d"}}],
            },
            {"name": "deleted", "actions": [{"delete": {}}], "transitions": []},
        ],
        "ism_template": [{"index_patterns": [pattern], "priority": _ISM_PRIORITY}],
    }


def _ilm(days: int) -> dict[str, Any]:
    return {
        "phases": {
            "hot": {"min_age": "0ms", "actions": {}},
            "delete": {
                "min_age": f"{days}d",
                "actions": {"delete": {"delete_searchable_snapshot": True}},
            },
        }
    }
