"""Names of everything in a cluster; an index prefix reaches all of them."""

import re

import msgspec

# What OpenSearch refuses in an index name, and a length that leaves room for the longest suffix.
_PREFIX = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}|")

MONTH = re.compile(r"[0-9]{4}-(?:0[1-9]|1[0-2])")
"""How a date begins that says its month."""


class Names(msgspec.Struct, frozen=True):
    """Names of indices, templates and the rest, each with `prefix` before it.

    Raises ValueError for a prefix that no index name can begin with.

    >>> Names().log_index("2025-03"), Names("acme-").state_index
    ('guarddutylogs-2025.03', 'acme-guardduty-findings')
    """

    prefix: str = ""

    def __post_init__(self) -> None:
        if not _PREFIX.fullmatch(self.prefix):
            raise ValueError(
                f"index prefix {self.prefix!r}: up to 100 lower-case letters, digits, '.', '_' and '-' "
                "are allowed, the first a letter or a digit"
            )

    @property
    def log(self) -> str:
        """The log: every update of a finding, an index a month; also the one index of the seed's own form."""
        return f"{self.prefix}guarddutylogs"

    @property
    def state_index(self) -> str:
        """The state: one document a finding, its last update."""
        return f"{self.prefix}guardduty-findings"

    @property
    def cloudtrail(self) -> str:
        """Unwrapped CloudTrail records, an index a month."""
        return f"{self.prefix}guardduty-cloudtrail"

    @property
    def stats(self) -> str:
        """Counters of runs, an index a month."""
        return f"{self.prefix}guardduty-stats"

    @property
    def tags(self) -> str:
        """Markers of deployments."""
        return f"{self.prefix}guardduty-tags"

    @property
    def countries_map(self) -> str:
        """Shapes of countries; Dashboards offers indices for region maps whose names end so."""
        return f"{self.prefix}guardduty-countries-map"

    def log_index(self, month: str) -> str:
        """Give the log's index of a month such as `2025-03`."""
        return f"{self.log}-{month.replace('-', '.')}"

    def cloudtrail_index(self, month: str) -> str:
        """Give CloudTrail's index of a month such as `2025-03`."""
        return f"{self.cloudtrail}-{month.replace('-', '.')}"

    def stats_index(self, month: str) -> str:
        """Give the counters' index of a month such as `2025-03`."""
        return f"{self.stats}-{month.replace('-', '.')}"

    @property
    def log_patterns(self) -> list[str]:
        """What the log's index template matches: the seed's one index, and those of the months."""
        return [self.log, f"{self.log}-2*"]

    @property
    def pipeline(self) -> str:
        """The ingest pipeline."""
        return f"{self.prefix}guardduty-lens"

    def component(self, part: str) -> str:
        """Give the name of a component template: `finding`, `added` or `settings`."""
        return f"{self.prefix}guardduty-lens-{part}"

    def template(self, what: str) -> str:
        """Give the name of an index template: `log`, `state`, `cloudtrail`, `stats`, `tags` or `flat`."""
        return f"{self.prefix}guardduty-lens-{what}"

    def lifecycle(self, what: str) -> str:
        """Give the name of a lifecycle policy."""
        return f"{self.prefix}guardduty-lens-{what}"
