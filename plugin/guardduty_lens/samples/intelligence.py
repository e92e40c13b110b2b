"""`service.evidence`: which lists an address, domain or file stands on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardduty_lens.samples.tables import words

if TYPE_CHECKING:
    from guardduty_lens.samples.scene import Scene


def listed(scene: Scene) -> None:
    """Add what AWS's own lists say."""
    chance = scene.chance
    details = [_entry(scene, chance.pick(words("threat_lists")))]
    if chance.likely(0.2):
        details.append(_entry(scene, chance.pick(words("threat_lists"))))
    scene.service["evidence"] = {"threatIntelligenceDetails": details}
    scene.notes["threatListName"] = details[0]["threatListName"]


def custom(scene: Scene) -> None:
    """Add a list that the customer uploaded: it names no threats."""
    name = scene.chance.pick(words("custom_lists"))
    details = {"threatListName": name, "threatNames": []}
    scene.service["evidence"] = {"threatIntelligenceDetails": [details]}
    scene.notes["threatListName"] = name


def file_hash(scene: Scene) -> None:
    """Add what is known of the executed file."""
    details = {"threatListName": "Amazon", "threatNames": ["Trojan.Linux.CoinMiner.AB"]}
    known = scene.service["runtimeDetails"]["process"]["executableSha256"]
    scene.service["evidence"] = {"threatIntelligenceDetails": [{**details, "threatFileSha256": known}]}


def none(scene: Scene) -> None:
    """Say nothing; real findings have `evidence` as null now and then."""
    if scene.chance.likely(0.2):
        scene.service["evidence"] = None


def _entry(scene: Scene, name: str) -> dict[str, str | list[str]]:
    names = ("Malicious IP", "Scanner", "Botnet", "Tor Exit Node", "Cryptomining pool")
    return {"threatListName": name, "threatNames": [scene.chance.pick(names)]}
