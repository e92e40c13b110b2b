"""Twelve updates of ten findings, and what each panel that the seeds name shows of them, counted by hand.

f4 rises from Medium to High in its second update, f1 is seen on two days and has two network interfaces, f9
has two remote countries, and f3 two security groups on one interface.
"""

from typing import Any

from guardduty_lens.visuals.rows import Row

A, B, C = "111111111111", "222222222222", "333333333333"
MARCH_1, DAY = 1_740_787_200_000, 86_400_000
DAY_1, DAY_2, DAY_3, DAY_4 = (MARCH_1 + number * DAY for number in range(4))

Details = dict[str, Any]


def _update(
    number: int,
    finding_type: str,
    severity: float,
    account: str,
    region: str,
    day: int,
    *,
    action: Details | None = None,
    groups: tuple[tuple[str, ...], ...] = (),
    service: Details | None = None,
    count: int = 1,
) -> Details:
    moment = f"2025-03-{day:02}T10:{number:02}:00.000Z"
    interfaces = [{"securityGroups": [{"groupName": name} for name in names]} for names in groups]
    return {
        "version": "0",
        "id": f"e{number}-{count}",
        "detail-type": "GuardDuty Finding",
        "source": "aws.guardduty",
        "account": account,
        "time": moment,
        "region": region,
        "resources": [],
        "detail": {
            "schemaVersion": "2.0",
            "accountId": account,
            "region": region,
            "id": f"f{number}",
            "type": finding_type,
            "severity": severity,
            "createdAt": "2025-03-01T00:00:00.000Z",
            "updatedAt": moment,
            "resource": {"resourceType": "Instance", "instanceDetails": {"networkInterfaces": interfaces}},
            "service": {"count": count, "eventLastSeen": moment, "archived": False}
            | ({"action": action} if action else {})
            | (service or {}),
        },
    }


def _from(country: str) -> Details:
    return {"remoteIpDetails": {"country": {"countryName": country}}}


def _connection(country: str) -> Details:
    return {"actionType": "NETWORK_CONNECTION", "networkConnectionAction": _from(country)}


def _call(country: str) -> Details:
    return {"actionType": "AWS_API_CALL", "awsApiCallAction": _from(country)}


_PROBE = {
    "actionType": "PORT_PROBE",
    "portProbeAction": {"portProbeDetails": [_from("Peru"), _from("France")]},
}
_SEQUENCE = {"detection": {"sequence": {"uid": "s1", "endpoints": [{"location": {"country": "Germany"}}]}}}
_PHISHING = "Trojan:EC2/PhishingDomainRequest!DNS"
_CONTROL = "Backdoor:EC2/C&CActivity.B!DNS"
_SPAM = "Backdoor:EC2/Spambot"
_BRUTE = "UnauthorizedAccess:EC2/SSHBruteForce"
_BITCOIN = "CryptoCurrency:EC2/BitcoinTool.B!DNS"
_TOR = "Recon:IAMUser/TorIPCaller"
_LOGIN = "UnauthorizedAccess:IAMUser/ConsoleLoginSuccess.B"
_PORTS = "Recon:EC2/PortProbeUnprotectedPort"
_CREDENTIALS = "AttackSequence:IAM/CompromisedCredentials"
_WEST, _EAST = "eu-west-1", "us-east-1"

UPDATES = [
    _update(1, _PHISHING, 8, A, _WEST, 1, groups=(("web",), ("db",))),
    _update(2, _PHISHING, 6.9, A, _WEST, 1, groups=(("web",),)),
    _update(3, _CONTROL, 8.9, A, _EAST, 2, groups=(("web", "app"),)),
    _update(4, _SPAM, 5, B, _EAST, 2, action=_connection("Peru"), groups=(("mail",),)),
    _update(5, _BRUTE, 2, B, _EAST, 2, action=_connection("Peru"), groups=(("web",),)),
    _update(1, _PHISHING, 8, A, _WEST, 2, groups=(("web",), ("db",)), count=2),
    _update(4, _SPAM, 8, B, _EAST, 3, action=_connection("Peru"), groups=(("mail",),), count=2),
    _update(6, _BITCOIN, 7, B, _WEST, 3),
    _update(7, _TOR, 5, C, _WEST, 3, action=_call("Germany")),
    _update(8, _LOGIN, 5, C, _WEST, 3, action=_call("Germany")),
    _update(9, _PORTS, 2, C, _EAST, 3, action=_PROBE, groups=(("web",),)),
    _update(10, _CREDENTIALS, 9, A, _EAST, 4, service=_SEQUENCE),
]


def _rows(*rows: tuple[Any, ...]) -> list[Row]:
    """Give rows of keys and, last, one measure."""
    return [Row(keys=tuple(row[:-1]), values=(row[-1],)) for row in rows]


EXPECTED: dict[str, list[Row]] = {
    "findings": _rows((10,)),
    "updates": _rows((12,)),
    "critical": _rows((1,)),
    "high": _rows((4,)),
    "medium": _rows((4,)),
    "low": _rows((2,)),
    "attack-by-country": _rows(("DE", 3), ("PE", 3), ("FR", 1)),
    "top-countries": _rows(("Germany", 3), ("Peru", 3), ("France", 1)),
    "attack-types": _rows(
        (_PHISHING, 2),
        (_CREDENTIALS, 1),
        (_CONTROL, 1),
        (_SPAM, 1),
        (_BITCOIN, 1),
        (_PORTS, 1),
        (_TOR, 1),
        (_BRUTE, 1),
        (_LOGIN, 1),
    ),
    "types-per-purpose": _rows(
        ("Backdoor", _CONTROL, 1),
        ("Backdoor", _SPAM, 1),
        ("Recon", _PORTS, 1),
        ("Recon", _TOR, 1),
        ("Trojan", _PHISHING, 2),
        ("UnauthorizedAccess", _BRUTE, 1),
        ("UnauthorizedAccess", _LOGIN, 1),
        ("AttackSequence", _CREDENTIALS, 1),
        ("CryptoCurrency", _BITCOIN, 1),
    ),
    "trend-all": _rows(
        ("High", DAY_1, 1),
        ("High", DAY_2, 2),
        ("High", DAY_3, 2),
        ("Medium", DAY_1, 1),
        ("Medium", DAY_2, 1),
        ("Medium", DAY_3, 2),
        ("Low", DAY_2, 1),
        ("Low", DAY_3, 1),
        ("Critical", DAY_4, 1),
    ),
    "trend-high": _rows((DAY_1, 1), (DAY_2, 2), (DAY_3, 2), (DAY_4, 1)),
    "trend-medium": _rows((DAY_1, 1), (DAY_2, 1), (DAY_3, 2)),
    "affected-resources": _rows(("EC2", 5), ("IAMUser", 2), ("IAM", 1)),
    "purposes-high": _rows(("Backdoor", 2), ("AttackSequence", 1), ("CryptoCurrency", 1), ("Trojan", 1)),
    "purposes-medium": _rows(("Backdoor", 1), ("Recon", 1), ("Trojan", 1), ("UnauthorizedAccess", 1)),
    "threats-by-account": _rows(
        (A, "High", 2),
        (A, "Critical", 1),
        (A, "Medium", 1),
        (B, "High", 2),
        (B, "Medium", 1),
        (C, "Medium", 2),
    ),
    "threats-by-security-group": _rows(
        ("web", "High", 2),
        ("web", "Medium", 1),
        ("app", "High", 1),
        ("db", "High", 1),
        ("mail", "High", 1),
        ("mail", "Medium", 1),
    ),
    "high-by-region": _rows((_EAST, 3), (_WEST, 2)),
    "medium-by-region": _rows((_WEST, 3), (_EAST, 1)),
}
"""What each panel of the overview shows, but for its list of findings."""

NEWEST_FIRST = ["f10", "f9", "f8", "f7", "f6", "f4", "f5", "f4", "f3", "f1", "f2", "f1"]
"""The list of findings, by id: those of a day by their number."""
