"""The oldest versions of servers that what we install runs on, in one place."""

from collections.abc import Mapping

from guardduty_lens.opensearch.resources import Flavor

MINIMUM_VERSIONS: Mapping[Flavor, tuple[int, int]] = {
    "opensearch": (2, 7),
    "elasticsearch": (8, 0),
}
"""Major and minor: OpenSearch has `flat_object` since 2.7; on Elasticsearch before 8 nothing was tried."""
