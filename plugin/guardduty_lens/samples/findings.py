"""The stream of sample findings: new ones and updates of recent ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from guardduty_lens.samples.chance import Chance, iso
from guardduty_lens.samples.estate import Estate, estate
from guardduty_lens.samples.plans import Plan, plans, weighted_plans
from guardduty_lens.samples.scene import Scene

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardduty_lens.samples.site import Part

SPAN = 30 * 86_400_000
"""The findings of one run spread over 30 days, however many they are."""
END = 1_768_435_200_000 + SPAN
"""2026-02-14T00:00:00Z in milliseconds: samples do not depend on the day they are made."""
RECENT = 500
"""Findings kept to be updated; memory is bounded by it."""
UPDATED, ARCHIVED, SAMPLE, ATTRIBUTED = 0.15, 0.04, 0.02, 0.05
"""Shares: updates, archived findings, findings marked as samples, findings of a known attack sequence."""

SEVERITIES = {"LOW": (2,), "MEDIUM": (5,), "HIGH": (8,), "CRITICAL": (9,)}
VARYING = {
    "Low*": (2, 2, 2, 5),
    "Medium*": (5, 5, 8),
    "High*": (8, 8, 5),
    "Variable*": (2, 5, 8),
    "LOW/HIGH by signal": (2, 8),
    "LOW/MEDIUM by signal": (2, 5),
    "MEDIUM/HIGH by signal": (5, 8),
    "LOW/MEDIUM/HIGH by signal": (2, 5, 8),
}
"""Severities as numbers, by the words of AWS's pages; `Low*` is low by default and higher in some cases."""


class Delivery(NamedTuple):
    """A finding with what its next update needs; times in milliseconds since 1970."""

    finding: dict[str, Any]
    updated: int
    last_seen: int


def _severity(scene: Scene) -> int:
    if scene.severity is not None:
        return scene.severity
    words = scene.facts.severity
    return scene.chance.pick(VARYING.get(words) or SEVERITIES[words.upper()])


def _additional_info(scene: Scene) -> dict[str, Any]:
    notes = scene.notes
    if scene.chance.likely(SAMPLE):
        notes["sample"] = True
    return {"value": msgspec.json.encode(notes).decode(), "type": "default", **notes}


def _service(scene: Scene, first_seen: int) -> Part:
    chance = scene.chance
    once = first_seen == scene.last_seen
    return {
        "serviceName": "guardduty",
        "featureName": scene.facts.feature,
        "detectorId": scene.site.detector_id,
        **scene.service,
        "resourceRole": scene.role,
        "additionalInfo": _additional_info(scene),
        "eventFirstSeen": iso(first_seen),
        "eventLastSeen": iso(scene.last_seen),
        "archived": chance.likely(ARCHIVED),
        "count": 1 if once else chance.between(2, 60),
    }


def _scene(plan: Plan, made_of: Estate, chance: Chance, updated: int) -> Scene:
    site = chance.pick(made_of.sites)
    last_seen = (updated - chance.between(120_000, 900_000)) // 1000 * 1000
    scene = Scene(chance, plan.facts, site, made_of.remotes, last_seen, plan.role)
    scene.words["account"] = site.account
    scene.words["purpose"] = plan.facts.purpose
    scene.resource = plan.build_resource(scene)
    plan.build_activity(scene)
    plan.build_evidence(scene)
    return scene


def _new(plan: Plan, made_of: Estate, chance: Chance, updated: int) -> Delivery:
    scene = _scene(plan, made_of, chance, updated)
    site = scene.site
    repeated = chance.likely(0.4)
    first_seen = scene.last_seen - chance.between(60, 86_400) * 1000 if repeated else scene.last_seen
    created = chance.between(first_seen, updated) if repeated else updated
    identity = chance.hex(32)
    finding = {
        "schemaVersion": "2.0",
        "accountId": site.account,
        "region": site.region,
        "partition": site.partition,
        "id": identity,
        "arn": site.arn("guardduty", f"detector/{site.detector_id}/finding/{identity}"),
        "type": plan.facts.name,
        "resource": scene.resource,
        "service": _service(scene, first_seen),
        "severity": _severity(scene),
        "createdAt": iso(created),
        "updatedAt": iso(updated),
        "title": plan.title.format_map(scene.words),
        "description": plan.description.format_map(scene.words),
    }
    _relate(finding, scene)
    return Delivery(finding, updated, scene.last_seen)


def _relate(finding: dict[str, Any], scene: Scene) -> None:
    """Name the custom rule, or the attack sequence that the finding belongs to."""
    site = scene.site
    if scene.facts.custom_rule:
        rule = scene.facts.name.lower().replace(":", "-").replace("/", "-")
        finding["customDetectionRuleName"] = f"example-{rule}"
    elif scene.facts.purpose == "AttackSequence":
        site.sequence_arn = finding["arn"]
    elif site.sequence_arn and scene.chance.likely(ATTRIBUTED):
        finding["associatedAttackSequenceArn"] = site.sequence_arn


def _occurred_again(before: Delivery, made_of: Estate, chance: Chance, now: int) -> Delivery:
    """Update a finding as GuardDuty does: same identity, the details are those of the latest occurrence."""
    updated = max(now, before.updated + 1)
    last_seen = max(before.last_seen + 1000, (updated - chance.between(120_000, 900_000)) // 1000 * 1000)
    old = before.finding
    service = {
        **old["service"],
        "eventLastSeen": iso(last_seen),
        "count": old["service"]["count"] + chance.between(1, 40),
    }
    if chance.likely(ARCHIVED):
        service["archived"] = not service["archived"]
    finding = {**old, "service": service, "updatedAt": iso(updated)}
    _change_remote(finding, chance.pick(made_of.remotes))
    return Delivery(finding, updated, last_seen)


def _change_remote(finding: dict[str, Any], remote: Part) -> None:
    service = finding["service"]
    if "action" not in service:
        return
    kind, (member, action) = service["action"]["actionType"], list(service["action"].items())[1]
    if "remoteIpDetails" in action:
        old = action["remoteIpDetails"]
        changed = {**action, "remoteIpDetails": remote}
    elif "portProbeDetails" in action:
        *others, last = action["portProbeDetails"]
        old = last["remoteIpDetails"]
        changed = {**action, "portProbeDetails": [*others, {**last, "remoteIpDetails": remote}]}
    else:
        return
    if "sourceIPs" in changed:
        changed["sourceIPs"] = [remote["ipAddressV4"]]
    service["action"] = {**service["action"], "actionType": kind, member: changed}
    finding["description"] = finding["description"].replace(old["ipAddressV4"], remote["ipAddressV4"])


def deliveries(count: int, seed: int, end: int = END) -> Iterator[Delivery]:
    """Give the deliveries in the order of their updates; their parts are shared and must not be changed."""
    chance = Chance(seed)
    made_of = estate(chance)
    every = chance.shuffled(plans())
    often = weighted_plans()
    recent: list[Delivery] = []
    step = SPAN / max(count, 1)
    for number in range(count):
        now = int(end - SPAN + step * (number + chance.random()))
        slot = int(chance.random() * len(recent))
        if number >= len(every) and chance.likely(UPDATED):
            delivery = _occurred_again(recent[slot], made_of, chance, now)
        else:
            plan = every[number] if number < len(every) else chance.pick(often)
            delivery = _new(plan, made_of, chance, now)
            slot = number % RECENT
        if slot < len(recent):
            recent[slot] = delivery
        else:
            recent.append(delivery)
        yield delivery


def generate_findings(count: int, seed: int, end: int = END) -> Iterator[dict[str, Any]]:
    """Give sample findings: bare, in camelCase, as GuardDuty exports them to S3.

    The first findings cover every active finding type once; after them frequent types are frequent and
    about 15 % are updates of an earlier finding. They spread over the 30 days before `end` (milliseconds
    since 1970). Equal arguments give equal findings, which are the caller's own to change.

    Raises:
        ValueError: count is negative.

    """
    if count < 0:
        raise ValueError(f"count must not be negative, but is {count}")
    return map(_own, deliveries(count, seed, end))


def _own(delivery: Delivery) -> dict[str, Any]:
    """Copy the finding, so that changing it changes no other one."""
    copied: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(delivery.finding))
    return copied
