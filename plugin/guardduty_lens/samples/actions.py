"""`service.action` of network, DNS, API and database findings."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from guardduty_lens.samples import profiles
from guardduty_lens.samples.tables import first_match, table, words

if TYPE_CHECKING:
    from guardduty_lens.samples.scene import Scene
    from guardduty_lens.samples.site import Part

PORT_NAMES = {22: "SSH", 25: "SMTP", 53: "DNS", 80: "HTTP", 443: "HTTPS", 3306: "MySQL", 3389: "RDP"}
"""The ports that GuardDuty names; all others are `Unknown`."""
EMR_PORTS = [[8088, "Unknown"], [8042, "Unknown"], [19888, "Unknown"]]
LOW, HIGH = 2, 8
OWN_KINDS = {
    "AWS::EC2::Instance": "Instance",
    "AWS::Lambda::Function": "Lambda",
    "AWS::RDS::DBInstance": "RDSDBInstance",
}
"""Affected resources that are the finding's own, by its `resourceType`."""


class Link(NamedTuple):
    """How the connections of a type look."""

    protocol: str
    ports: tuple[int, ...]


LINKS: list[list[Any]] = [
    ["*SSHBruteForce", Link("TCP", (22,))],
    ["*RDPBruteForce", Link("TCP", (3389,))],
    ["*WinRMBruteForce", Link("TCP", (5985, 5986))],
    ["*Spambot", Link("TCP", (25,))],
    ["*DenialOfService.Dns", Link("UDP", (53,))],
    ["*DenialOfService.Udp*", Link("UDP", (80, 443))],
    ["*DenialOfService.UnusualProtocol", Link("47", (0,))],
    ["*UnusualDNSResolver", Link("UDP", (53,))],
    ["*UnusualDoHActivity", Link("TCP", (443,))],
    ["*UnusualDoTActivity", Link("TCP", (853,))],
    ["*PortSweep", Link("TCP", (445, 22, 3389))],
    ["*Portscan", Link("TCP", (797, 1433, 5900, 8080))],
    ["*BitcoinTool*", Link("TCP", (3333, 8333, 14444))],
    ["*Tor*", Link("TCP", (9001, 443, 9030))],
    ["*", Link("TCP", (80, 443, 8080, 4444, 6667))],
]


@cache
def _link(finding_type: str) -> Link:
    found: Link = first_match(LINKS, finding_type)[1]
    return found


def _port(number: int) -> Part:
    return {"port": number, "portName": PORT_NAMES.get(number, "Unknown")}


def _local(scene: Scene) -> tuple[str, str] | None:
    """Give the interface and the address of the instance; Lambda functions show none."""
    details = scene.resource.get("instanceDetails")
    if details is None:
        return None
    first = details["networkInterfaces"][0]
    return first["networkInterfaceId"], first["privateIpAddress"]


def _connect(scene: Scene, direction: str, remote_port: int, local_port: int) -> None:
    action: Part = {
        "connectionDirection": direction,
        "remoteIpDetails": scene.remote(),
        "remotePortDetails": _port(remote_port),
        "localPortDetails": _port(local_port),
        "protocol": _link(scene.facts.name).protocol,
        "blocked": scene.chance.likely(0.05),
    }
    local = _local(scene)
    if local is not None:
        action["localNetworkInterface"], address = local
        action["localIpDetails"] = {"ipAddressV4": address}
    scene.words["port"] = str(remote_port if direction == "OUTBOUND" else local_port)
    scene.act("NETWORK_CONNECTION", "networkConnectionAction", action)


def outbound(scene: Scene) -> None:
    """Connect from our side."""
    port = scene.chance.pick(_link(scene.facts.name).ports)
    _connect(scene, "OUTBOUND", port, scene.chance.between(32768, 60999))


def port_scan(scene: Scene) -> None:
    """Scan a remote host, with a sample of the ports."""
    outbound(scene)
    start = scene.chance.between(100, 900)
    scene.notes["portsScannedSample"] = [start + step for step in range(0, 60, 3)]


def traffic(scene: Scene) -> None:
    """Deviate from the baseline of traffic, in bytes or by port."""
    outbound(scene)
    scene.notes["inBytes"] = str(scene.chance.between(10**4, 10**6))
    scene.notes["outBytes"] = str(scene.chance.between(10**7, 10**9))
    scene.notes["unusual"] = int(scene.words["port"])


def brute_force(scene: Scene) -> None:
    """Guess passwords: mostly against our instance (low), sometimes from it (high)."""
    port = scene.chance.pick(_link(scene.facts.name).ports)
    if scene.chance.likely(0.8):
        scene.role, scene.severity = "TARGET", LOW
        _connect(scene, "INBOUND", scene.chance.between(32768, 60999), port)
    else:
        scene.role, scene.severity = "ACTOR", HIGH
        _connect(scene, "OUTBOUND", port, scene.chance.between(32768, 60999))


def port_probe(scene: Scene) -> None:
    """Probe one to three ports of an instance."""
    local = _local(scene)
    address = local[1] if local else "10.0.0.1"
    probes = [_probe(scene, address) for _ in range(scene.chance.pick((1, 1, 1, 2, 3)))]
    action = {"blocked": scene.chance.likely(0.05), "portProbeDetails": probes}
    scene.notes["threatName"] = "Scanner"
    scene.act("PORT_PROBE", "portProbeAction", action)


def _probe(scene: Scene, address: str) -> Part:
    port, name = scene.chance.pick(EMR_PORTS if "EMR" in scene.facts.name else words("ports"))
    return {
        "localPortDetails": {"port": port, "portName": name},
        "localIpDetails": {"ipAddressV4": address},
        "remoteIpDetails": scene.remote(),
    }


@cache
def _domains(finding_type: str) -> list[str]:
    found: list[str] = first_match(words("domains"), finding_type)[1]
    return found


def dns(scene: Scene) -> None:
    """Query a bad domain name."""
    domain = scene.chance.pick(_domains(scene.facts.name))
    scene.words["domain"] = domain
    action: Part = {
        "domain": domain,
        "protocol": scene.chance.pick(("UDP", "UDP", "TCP", "0")),
        "blocked": scene.chance.likely(0.1),
        "domainWithSuffix": ".".join(domain.split(".")[-2:]),
    }
    if scene.chance.likely(0.1):
        action["vpcOwnerAccountId"] = scene.site.account
    scene.notes["domain"] = domain
    scene.act("DNS_REQUEST", "dnsRequestAction", action)


@cache
def _calls(finding_type: str) -> list[list[str]]:
    found: list[list[str]] = first_match(table("apis")["calls"], finding_type)[1]
    return found


def api_call(scene: Scene) -> None:
    """Call an API that the type is about, from outside or through an AWS service."""
    chance = scene.chance
    service, api, kind = chance.pick(_calls(scene.facts.name))
    scene.words["api"] = api
    action: Part = {"api": api, "serviceName": f"{service}.amazonaws.com", "callerType": "Remote IP"}
    if chance.likely(0.04):
        action["callerType"] = "Domain"
        scene.words["remote"] = chance.pick(words("callers"))
        action["domainDetails"] = {"domain": scene.words["remote"]}
    else:
        action["remoteIpDetails"] = scene.remote()
        action["userAgent"] = chance.pick(words("user_agents"))
    if chance.likely(0.2):
        action["errorCode"] = chance.pick(words("error_codes"))
    if chance.likely(0.1):
        action["remoteAccountDetails"] = {"accountId": "999988887777", "affiliated": chance.likely(0.5)}
    action["affectedResources"] = _affected(scene, kind)
    scene.act("AWS_API_CALL", "awsApiCallAction", action)


def _affected(scene: Scene, kind: str) -> dict[str, str]:
    if not kind:
        return {}
    if kind.startswith("AWS::S3"):
        return {kind: scene.words.get("bucket", "example-ledger-prod")}
    if OWN_KINDS.get(kind) == scene.resource["resourceType"]:
        return {kind: scene.words["who"]}
    name: str = table("apis")["affected"][kind]
    return {kind: name}


def unusual_api_call(scene: Scene) -> None:
    """Call an API that the profile of the caller says is unusual."""
    api_call(scene)
    scene.notes.update(profiles.api_profile(scene))


def database_login(scene: Scene) -> None:
    """Log in to a database, or try to; a mere probe names no user."""
    chance = scene.chance
    action: Part = {"remoteIpDetails": scene.remote()}
    failed = chance.between(1, 400) if "Failed" in scene.facts.name or "Brute" in scene.facts.name else 0
    passed = chance.between(1, 3) if "Success" in scene.facts.name else 0
    if failed or passed:
        user = scene.resource["rdsDbUserDetails"]
        attempt = {"user": user["user"], "application": user["application"]}
        attempts = {"failedLoginAttempts": failed, "successfulLoginAttempts": passed}
        action["LoginAttributes"] = [{**attempt, **attempts}]
    if "Anomalous" in scene.facts.name:
        scene.service["detection"] = {"anomaly": profiles.anomaly(scene, "RdsUser", scene.words["user"])}
    scene.act("RDS_LOGIN_ATTEMPT", "rdsLoginAttemptAction", action)
