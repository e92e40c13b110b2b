"""EC2 instances, as `resource.instanceDetails` describes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardduty_lens.samples.chance import iso
from guardduty_lens.samples.site import OWN_NETWORK, Part, Site, tags
from guardduty_lens.samples.tables import words

if TYPE_CHECKING:
    from guardduty_lens.samples.chance import Chance

LAUNCH_EARLIEST = 1_733_000_000_000
LAUNCH_LATEST = 1_767_000_000_000
"""Instances were launched between the ends of 2024 and 2025, in milliseconds since 1970."""
MANY_INTERFACES = (1, 1, 1, 2, 2, 3)


def instance(chance: Chance, site: Site, index: int) -> Part:
    """Give an instance with its interfaces, profile and tags."""
    application = chance.pick(words("applications"))
    image, platform = chance.pick(words("images"))
    count = chance.pick(MANY_INTERFACES)
    zone = f"{site.region}{'abc'[index % 3]}"
    made: Part = {
        "instanceId": f"i-0{chance.hex(16)}",
        "instanceType": chance.pick(words("instance_types")),
        "launchTime": iso(chance.between(LAUNCH_EARLIEST, LAUNCH_LATEST) // 1000 * 1000),
        "platform": platform,
        "productCodes": _product_codes(chance),
        "iamInstanceProfile": _profile(chance, site),
        "networkInterfaces": [_interface(chance, site, index * 8 + number) for number in range(count)],
        "tags": tags(chance, f"{application}-{index:02d}"),
        "instanceState": "running",
        "availabilityZone": zone,
        "imageId": f"ami-0{chance.hex(16)}",
        "imageDescription": image,
    }
    if chance.likely(0.08):
        made["outpostArn"] = site.arn("outposts", f"outpost/op-0{chance.hex(16)}")
    return made


def _product_codes(chance: Chance) -> list[Part]:
    if chance.likely(0.85):
        return []
    return [{"productCodeId": chance.hex(25), "productCodeType": "marketplace"}]


def _profile(chance: Chance, site: Site) -> Part:
    role = chance.pick(words("roles"))
    return {"arn": site.iam_arn(f"instance-profile/{role}"), "id": f"AIPA{chance.letters(9)}EXAMPLE"}


def _interface(chance: Chance, site: Site, number: int) -> Part:
    private = f"10.{site.number}.{number // 200}.{number % 200 + 10}"
    domain = f"{site.region}.compute.amazonaws.com"
    private_name = f"ip-{private.replace('.', '-')}.{site.region}.compute.internal"
    public = f"{OWN_NETWORK}.{(site.number * 19 + number) % 254 + 1}" if chance.likely(0.7) else ""
    made: Part = {
        "ipv6Addresses": [f"2001:db8:{site.number:x}:{number:x}::10"] if chance.likely(0.2) else [],
        "networkInterfaceId": f"eni-0{chance.hex(16)}",
        "privateDnsName": private_name,
        "privateIpAddress": private,
        "privateIpAddresses": [{"privateDnsName": private_name, "privateIpAddress": private}],
        "subnetId": f"subnet-0{chance.hex(16)}",
        "vpcId": f"vpc-0{chance.hex(16)}",
        "securityGroups": security_groups(chance),
        "publicDnsName": f"ec2-{public.replace('.', '-')}.{domain}" if public else "",
    }
    if public:
        made["publicIp"] = public
    return made


def security_groups(chance: Chance) -> list[Part]:
    """Give one to three security groups."""
    names = chance.shuffled(["default", "web-public", "ssh-from-anywhere", "database-clients", "eks-nodes"])
    return [{"groupName": name, "groupId": f"sg-0{chance.hex(16)}"} for name in names[: chance.between(1, 3)]]
