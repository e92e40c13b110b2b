"""`service.runtimeDetails`: the process, its lineage and what it did."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from guardduty_lens.samples import actions
from guardduty_lens.samples.tables import first_match, table, words

if TYPE_CHECKING:
    from guardduty_lens.samples.scene import Scene
    from guardduty_lens.samples.site import Part

NAMED_SEVERITIES = (2, 5, 5, 8)


@cache
def _context(finding_type: str) -> tuple[list[str], Part]:
    _, processes, constants = first_match(table("apis")["contexts"], finding_type)
    return processes, constants


def behaviour(scene: Scene) -> None:
    """Describe the process and the context of its behaviour."""
    process, command = _process(scene)
    members, constants = _context(scene.facts.name)
    context = dict(constants)
    for member in members:
        context[member] = scene.seconds(before=4) if member == "modifiedAt" else _process(scene)[0]
    if "SuspiciousCommand" in scene.facts.name:
        context["commandLineExample"] = command
    scene.words["process"] = process["executablePath"]
    scene.service["runtimeDetails"] = {"process": process, "context": context}
    if scene.facts.severity == "Variable":
        scene.severity = scene.chance.pick(NAMED_SEVERITIES)
    if scene.facts.name.endswith("ReverseShell"):
        actions.outbound(scene)


def connection(scene: Scene) -> None:
    """Connect to a bad host from a known process."""
    behaviour(scene)
    actions.outbound(scene)


def query(scene: Scene) -> None:
    """Query a bad domain name from a known process."""
    behaviour(scene)
    actions.dns(scene)


def _process(scene: Scene) -> tuple[Part, str]:
    chance = scene.chance
    name, path, user, command = chance.pick(words("processes"))
    number = chance.between(1200, 31000)
    parent = chance.uuid()
    identity = 0 if user == "root" else 1000
    made = {
        "name": name,
        "executablePath": path,
        "executableSha256": chance.hex(64),
        "namespacePid": number % 300 + 1,
        "pwd": chance.pick(("/", "/tmp", "/var/www/html", "/root")),  # noqa: S108 - words of a sample
        "pid": number,
        "startTime": scene.seconds(before=chance.between(5, 5000)),
        "uuid": chance.uuid(),
        "parentUuid": parent,
        "user": user,
        "userId": identity,
        "euid": identity,
        "lineage": [_ancestor(scene, number - 7, parent), _ancestor(scene, number - 90, chance.uuid())],
    }
    return made, command


def _ancestor(scene: Scene, number: int, identity: str) -> Part:
    name, path = scene.chance.pick(words("parents"))
    return {
        "startTime": scene.seconds(before=90_000),
        "namespacePid": 1,
        "userId": 0,
        "name": name,
        "pid": number,
        "uuid": identity,
        "executablePath": path,
        "euid": 0,
        "parentUuid": scene.chance.uuid(),
    }
