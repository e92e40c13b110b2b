"""`service.detection.sequence` of attack sequence findings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guardduty_lens.samples.sequence_resources import BUILDERS
from guardduty_lens.samples.tables import words

if TYPE_CHECKING:
    from guardduty_lens.samples.scene import Scene
    from guardduty_lens.samples.site import Part

MITRE = (
    ("Initial Access", "T1078.004 - Valid Accounts: Cloud Accounts"),
    ("Discovery", "T1087.004 - Account Discovery: Cloud Account"),
    ("Persistence", "T1098.003 - Account Manipulation: Additional Cloud Roles"),
    ("Defense Evasion", "T1562.008 - Impair Defenses: Disable or Modify Cloud Logs"),
    ("Credential Access", "T1552.005 - Unsecured Credentials: Cloud Instance Metadata API"),
    ("Execution", "T1059 - Command and Scripting Interpreter"),
    ("Exfiltration", "T1537 - Transfer Data to Cloud Account"),
    ("Impact", "T1496 - Resource Hijacking"),
)
"""Tactics and techniques, written as AWS writes them in indicators."""

CALLS = (
    ("cloudtrail", "DeleteTrail"),
    ("iam", "AttachRolePolicy"),
    ("iam", "CreateRole"),
    ("s3", "GetObject"),
)
FINDINGS = {
    "IAM": ("UnauthorizedAccess:IAMUser/TorIPCaller", "Persistence:IAMUser/AnomalousBehavior"),
    "S3": ("Discovery:S3/AnomalousBehavior", "Exfiltration:S3/AnomalousBehavior"),
    "EC2": ("CryptoCurrency:Runtime/BitcoinTool.B", "UnauthorizedAccess:EC2/SSHBruteForce"),
    "EKS": ("Execution:Runtime/NewBinaryExecuted", "PrivilegeEscalation:Runtime/RuncContainerEscape"),
    "ECS": ("Execution:Runtime/ReverseShell", "Impact:Runtime/CryptoMinerExecuted"),
}
"""Findings that are signals of a sequence, by its resource type."""


def sequence(scene: Scene) -> None:
    """Tell a sequence of two findings and one or two API calls by the same actor."""
    kind = scene.facts.resource
    remote = scene.remote()
    resources = BUILDERS[kind](scene)
    actor = _user(scene) if kind in ("IAM", "S3") else _process(scene)
    links = {
        "resourceUids": [resource["uid"] for resource in resources[:2]],
        "actorIds": [actor["id"]],
        "endpointIds": [remote["ipAddressV4"]],
    }
    attack = scene.chance.shuffled(MITRE)[: scene.chance.between(2, 4)]
    calls = scene.chance.shuffled(CALLS)[: scene.chance.between(1, 2)]
    signals = [_finding(scene, name, links) for name in FINDINGS[kind]]
    signals += [_call(scene, call, links) for call in calls]
    scene.words["signals"] = str(len(signals))
    scene.words["tactics"] = ", ".join(tactic for tactic, _ in attack)
    scene.words["techniques"] = ", ".join(technique for _, technique in attack)
    told = {
        "uid": scene.chance.hex(32),
        "description": f"{len(signals)} signals on {scene.words['who']} came one after the other.",
        "actors": [actor],
        "resources": resources,
        "endpoints": [_endpoint(remote)],
        "signals": signals,
        "sequenceIndicators": _indicators(scene, attack, calls),
    }
    if scene.chance.likely(0.2):
        told["additionalSequenceTypes"] = ["AttackSequence:IAM/CompromisedCredentials"]
    scene.service["detection"] = {"sequence": told}


def _user(scene: Scene) -> Part:
    key = scene.chance.pick(scene.site.access_keys)
    account = {"uid": scene.site.account, "account": "production"}
    user = {
        "name": key["userName"],
        "uid": key["principalId"],
        "type": key["userType"],
        "credentialUid": key["accessKeyId"],
        "account": account,
    }
    session = {
        "uid": scene.chance.hex(16),
        "mfaStatus": scene.chance.pick(("ENABLED", "DISABLED")),
        "createdTime": scene.seconds(before=7200),
        "issuer": scene.site.iam_arn("role/DataPipeline"),
    }
    return {"id": key["principalId"], "user": user, "session": session}


def _process(scene: Scene) -> Part:
    name, path, _, _ = scene.chance.pick(words("processes"))
    made = {"name": name, "path": path, "sha256": scene.chance.hex(64)}
    return {"id": scene.chance.uuid(), "process": made}


def _endpoint(remote: Part) -> Part:
    place = remote["geoLocation"]
    network = remote["organization"]
    return {
        "id": remote["ipAddressV4"],
        "ip": remote["ipAddressV4"],
        "domain": "c2.botnet.example",
        "port": 443,
        "location": {
            "city": remote["city"]["cityName"],
            "country": remote["country"]["countryName"],
            "lat": place["lat"],
            "lon": place["lon"],
        },
        "autonomousSystem": {"name": network["asnOrg"], "number": int(network["asn"])},
        "connection": {"direction": "INBOUND"},
    }


def _signal(scene: Scene, kind: str, name: str, uid: str, links: Part) -> Part:
    return {
        "uid": uid,
        "type": kind,
        "description": f"{name} was seen.",
        "name": name,
        "createdAt": scene.seconds(before=1800),
        "updatedAt": scene.seconds(),
        "firstSeenAt": scene.seconds(before=3600),
        "lastSeenAt": scene.seconds(),
        "count": scene.chance.between(1, 6),
        **links,
    }


def _finding(scene: Scene, name: str, links: Part) -> Part:
    site = scene.site
    uid = site.arn("guardduty", f"detector/{site.detector_id}/finding/{scene.chance.hex(32)}")
    indicators = [{"key": "MALICIOUS_IP", "values": links["endpointIds"], "title": "Malicious IP"}]
    return {**_signal(scene, "FINDING", name, uid, links), "severity": 5, "signalIndicators": indicators}


def _call(scene: Scene, call: tuple[str, str], links: Part) -> Part:
    service, operation = call
    name = f"{service}:{operation}"
    kind = "S3_DATA_EVENTS" if service == "s3" else "CLOUD_TRAIL"
    api = {"operation": operation, "service": f"{service}.amazonaws.com", "userAgent": "aws-cli/2.15.30"}
    indicators = [{"key": "HIGH_RISK_API", "values": [name], "title": "High risk API"}]
    signal = _signal(scene, kind, name, scene.chance.uuid(), links)
    return {**signal, "signalIndicators": indicators, "activities": [{"type": "API_CALL", "api": api}]}


def _indicators(scene: Scene, attack: list[tuple[str, str]], calls: list[tuple[str, str]]) -> list[Any]:
    names = [f"{service}:{operation}" for service, operation in calls]
    tactics = [tactic for tactic, _ in attack]
    techniques = [technique for _, technique in attack]
    address = scene.chance.pick(("TOR_IP", "MALICIOUS_IP", "SUSPICIOUS_NETWORK"))
    return [
        {"key": "ATTACK_TACTIC", "values": tactics, "title": "MITRE ATT&CK tactics"},
        {"key": "ATTACK_TECHNIQUE", "values": techniques, "title": "MITRE ATT&CK techniques"},
        {"key": "HIGH_RISK_API", "values": names, "title": "High risk APIs"},
        {"key": address, "values": [scene.words["remote"]], "title": "Suspicious address"},
    ]
