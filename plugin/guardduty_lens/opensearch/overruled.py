"""Whether index templates of others win over ours for the indices that are made next."""

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from guardduty_lens.opensearch.cluster import Cluster, ClusterError
from guardduty_lens.opensearch.names import Names
from guardduty_lens.opensearch.resources import Resource
from guardduty_lens.opensearch.template_check import (
    TEMPLATES_FILTER,
    TEMPLATES_PATH,
    WAY_OUT,
    ClustersTemplates,
    IndexTemplate,
    NamedTemplate,
    overruling,
)


def overruled_lines(cluster: Cluster, names: Names, desired: Sequence[Resource]) -> list[str]:
    """Say which templates of others win over those that are wanted, or that nobody could look."""
    ours = [
        NamedTemplate(each.name, msgspec.convert(each.body, IndexTemplate))
        for each in desired
        if each.kind == "index_template"
    ]
    try:
        answer = cluster.found(TEMPLATES_PATH, ClustersTemplates, {"filter_path": TEMPLATES_FILTER})
    except ClusterError as error:
        return [f"index templates of others: not looked at, since the cluster answered: {error}"]
    there = answer.index_templates if answer else []
    others = [each for each in there if not each.index_template.is_ours]
    # Ours come first: beside one of theirs of the same priority, the cluster would not take ours.
    found = overruling(_made_next(names), [*ours, *others])
    return [f"{each.words()} ({WAY_OUT})" for each in found]


def _made_next(names: Names) -> list[str]:
    month = f"{datetime.now(UTC):%Y-%m}"
    return [
        names.log_index(month),
        names.state_index,
        names.cloudtrail_index(month),
        names.stats_index(month),
        names.tags,
        names.log,
    ]
