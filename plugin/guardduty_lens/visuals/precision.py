"""How exactly distinct findings are counted in OpenSearch, and what that costs it.

Its `cardinality` counts (nearly) exactly up to a threshold, and keeps up to a quarter of a megabyte for
each bucket at the highest. To order values by distinct findings it keeps that for every value there is,
shown or not: a hundred thousand remote addresses would take gigabytes, and the request is refused. So the
more values a field may have, the lower the threshold; above it, errors are of 1 to 3 percent. (Memory by
HyperLogLogPlusPlus.precisionFromThreshold: 2^18, 2^14 and 2^11 bytes a bucket for the three.)
"""

from collections.abc import Sequence

from guardduty_lens.visuals.fields import Fields
from guardduty_lens.visuals.model import Index, Split

NO_SPLIT = 40_000
"""The most that OpenSearch takes."""

FEW_VALUES = 3_000
"""OpenSearch's own default: for times, groups, and fields whose values are dozens or hundreds."""

MANY_VALUES = 300
"""For entities, such as addresses, users and files."""

SHARD_SIZE_FACTOR, LEAST_SHARD_SIZE = 10, 500
"""How many terms each shard gives for each that is shown, so that the first of all are among them."""

# Ids of which an organisation has thousands at most.
_FEW_IDS = frozenset({"account_id"})
# Of several values, all from lists that AWS or ATT&CK closes.
_FEW_LABELS = frozenset(
    {
        "bucket_permissions",
        "lens_warnings",
        "mitre_tactic_ids",
        "mitre_tactic_names",
        "mitre_technique_ids",
        "mitre_technique_names",
        "network_protocols",
        "remote_countries",
        "remote_country_codes",
    }
)
# Of one value, which anybody may choose.
_MANY_LABELS = frozenset(
    {"ecs_cluster", "kubernetes_user", "kubernetes_workload", "resource_name", "user_name"}
)


def precision_threshold(splits: Sequence[Split], index: Index, fields: Fields) -> int:
    """Give the `precision_threshold` for distinct findings in buckets of these splits."""
    if not splits:
        return NO_SPLIT
    entities = any(_has_many_values(split, index, fields) for split in splits)
    return MANY_VALUES if entities else FEW_VALUES


def shard_size(split: Split) -> int:
    """Give the number of terms that each shard is asked for."""
    return max(LEAST_SHARD_SIZE, SHARD_SIZE_FACTOR * split.size)


def _has_many_values(split: Split, index: Index, fields: Fields) -> bool:
    if split.field is None or split.field in _FEW_IDS | _FEW_LABELS:
        return False
    return split.field in _MANY_LABELS or fields.is_many(index, split.field)
