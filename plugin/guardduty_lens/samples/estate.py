"""The invented organisation: all its sites with their resources, and the addresses that attack it.

Findings share these parts, as real findings come back to the same few resources; that also makes them cheap.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from guardduty_lens.samples import instances, site, stores, workloads

if TYPE_CHECKING:
    from guardduty_lens.samples.chance import Chance
    from guardduty_lens.samples.site import Part, Site

ADMINISTRATOR = "111122223333"
"""The account that receives the findings of the members, in partition `aws`."""


@dataclass(frozen=True, slots=True)
class Estate:
    """What findings are made of."""

    sites: list[Site]
    """The sites, each as often as its account's weight says."""
    remotes: list[Part]
    """`remoteIpDetails` of the attackers."""


def estate(chance: Chance) -> Estate:
    """Build the organisation; the same chance gives the same one."""
    made = site.sites(chance)
    for one in made:
        _furnish(chance, one)
    return Estate(site.weights(made), site.remotes(chance))


def _furnish(chance: Chance, one: Site) -> None:
    one.instances = [instances.instance(chance, one, index) for index in range(12)]
    one.access_keys = [stores.access_key(chance) for _ in range(10)]
    one.root_keys = [stores.root_key(chance, one)]
    one.buckets = [stores.bucket(chance, one, index) for index in range(6)]
    one.eks_clusters = [workloads.eks_cluster(chance, one, index) for index in range(2)]
    one.kubernetes = [workloads.kubernetes(chance) for _ in range(10)]
    one.ecs_clusters = [workloads.ecs_cluster(chance, one, index) for index in range(3)]
    one.containers = [workloads.container(chance) for _ in range(6)]
    one.functions = [workloads.function(chance, one, index) for index in range(5)]
    one.databases = [stores.database(chance, one, index) for index in range(4)]
    one.limitless = [stores.limitless_database(chance, one, index) for index in range(1)]
