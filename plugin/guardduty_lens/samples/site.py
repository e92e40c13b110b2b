"""One account and region of the invented organisation, and the addresses that attack it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from guardduty_lens.samples.tables import words

if TYPE_CHECKING:
    from guardduty_lens.samples.chance import Chance

Part = dict[str, Any]

MALICIOUS_NETWORKS = ("192.0.2", "198.51.100")
"""The world outside (RFC 5737); the third such network, 203.0.113.0/24, is the organisation's own."""
OWN_NETWORK = "203.0.113"


@dataclass(slots=True)
class Site:
    """An account in a region, with the resources that findings are about."""

    partition: str
    account: str
    region: str
    number: int
    detector_id: str
    instances: list[Part] = field(default_factory=list)
    access_keys: list[Part] = field(default_factory=list)
    root_keys: list[Part] = field(default_factory=list)
    buckets: list[Part] = field(default_factory=list)
    eks_clusters: list[Part] = field(default_factory=list)
    kubernetes: list[Part] = field(default_factory=list)
    ecs_clusters: list[Part] = field(default_factory=list)
    containers: list[Part] = field(default_factory=list)
    functions: list[Part] = field(default_factory=list)
    databases: list[Part] = field(default_factory=list)
    limitless: list[Part] = field(default_factory=list)
    sequence_arn: str = ""
    """The latest attack sequence seen here: later findings may say that they belong to it."""

    def arn(self, service: str, rest: str) -> str:
        """Write the ARN of a resource of this account and region."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{rest}"

    def iam_arn(self, rest: str) -> str:
        """Write the ARN of an IAM resource, which has no region."""
        return f"arn:{self.partition}:iam::{self.account}:{rest}"


def sites(chance: Chance) -> list[Site]:
    """Give the sites of all accounts, still without resources."""
    made: list[Site] = []
    for partition, account, regions, _ in words("accounts"):
        for region in regions:
            made.append(Site(partition, account, region, len(made), chance.hex(32)))
    return made


def weights(made: list[Site]) -> list[Site]:
    """Repeat each site as often as its account's weight says."""
    times = {account: weight for _, account, _, weight in words("accounts")}
    return [site for site in made for _ in range(times[site.account])]


def remotes(chance: Chance) -> list[Part]:
    """Give the `remoteIpDetails` of all attackers; an address always has the same place and network."""
    addresses = [f"{network}.{host}" for network in MALICIOUS_NETWORKS for host in range(1, 255)]
    return [_remote(chance, address) for address in addresses]


def _remote(chance: Chance, address: str) -> Part:
    country, code, city, latitude, longitude = chance.pick(words("places"))
    number, holder, provider, organization = chance.pick(words("organizations"))
    named: Part = {"countryName": country}
    if chance.likely(0.2):
        named["countryCode"] = code
    made: Part = {
        "ipAddressV4": address,
        "organization": {"asn": number, "asnOrg": holder, "isp": provider, "org": organization},
        "country": named,
        "city": {"cityName": city},
        "geoLocation": {"lat": latitude, "lon": longitude},
    }
    if chance.likely(0.1):
        made["ipAddressV6"] = f"2001:db8:bad:{chance.hex(4)}::{chance.between(1, 250):x}"
    return made


def tags(chance: Chance, name: str) -> list[Part]:
    """Give the tags of a resource: mostly a few, now and then none or one without a value."""
    if chance.likely(0.1):
        return []
    pairs = [
        ("Name", name),
        ("Environment", chance.pick(words("environments"))),
        ("Team", chance.pick(words("teams"))),
        ("CostCenter", str(chance.between(1000, 1400))),
        ("Owner", f"{chance.pick(words('people'))}@example.com"),
    ]
    if chance.likely(0.6):
        pairs.append(("aws:cloudformation:stack-name", f"{chance.pick(words('teams'))}-{name}"))
        pairs.append(("aws:cloudformation:logical-id", "Resource"))
    if chance.likely(0.2):
        pairs.append(("NoBackup", ""))
    return [{"key": key, "value": value} for key, value in pairs]
