import csv
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardduty_lens.findings.type_grammar import (
    FINDING_TYPE_REGEX,
    FindingType,
    canonical_spelling,
    parse_finding_type,
    split_finding_type,
)

READINGS: list[Callable[[str], FindingType]] = [parse_finding_type, split_finding_type]
TABLE = Path(__file__).parents[2] / "data" / "finding_types.csv"


def read_table() -> list[dict[str, str]]:
    with TABLE.open(newline="") as file:
        return list(csv.DictReader(file))


def both(text: str) -> FindingType:
    by_regex, by_cuts = parse_finding_type(text), split_finding_type(text)
    assert by_regex == by_cuts
    return by_regex


def test_the_regex_is_the_documented_one():
    assert FINDING_TYPE_REGEX == (
        r"^(?P<purpose>[A-Za-z][A-Za-z0-9]*):(?P<resource>[A-Za-z][A-Za-z0-9]*)/(?P<family>[^.!/\s]+)"
        r"(?:\.(?P<variant>[^!\s]+))?(?:!(?P<artifact>\S+))?$"
    )


def test_the_table_has_260_types():
    assert len({row["type"] for row in read_table()}) == 260


@pytest.mark.parametrize("read", READINGS)
@pytest.mark.parametrize("row", read_table(), ids=lambda row: row["type"])
def test_every_type_of_the_table_equals_its_five_columns(read, row):
    assert read(row["type"]) == FindingType(
        row["type"],
        row["threat_purpose"],
        row["resource_type"],
        row["family"],
        row["mechanism_variant"] or None,
        row["artifact"] or None,
    )


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Backdoor:EC2/C&CActivity.B!DNS", ("Backdoor", "EC2", "C&CActivity", "B", "DNS")),
        ("Recon:EC2/Portscan", ("Recon", "EC2", "Portscan", None, None)),
        ("Recon:IAMUser/MaliciousIPCaller.Custom", ("Recon", "IAMUser", "MaliciousIPCaller", "Custom", None)),
        ("Trojan:EC2/DropPoint!DNS", ("Trojan", "EC2", "DropPoint", None, "DNS")),
        ("A:B/c", ("A", "B", "c", None, None)),
        ("A1:B2/3", ("A1", "B2", "3", None, None)),
        ("A:B/c.d.e", ("A", "B", "c", "d.e", None)),
        ("A:B/c!d.e", ("A", "B", "c", None, "d.e")),
        ("A:B/c!d!e", ("A", "B", "c", None, "d!e")),
        ("A:B/c.d!e/f", ("A", "B", "c", "d", "e/f")),
        ("A:B/c.d/e", ("A", "B", "c", "d/e", None)),
        ("A:B/c:d", ("A", "B", "c:d", None, None)),
        ("A:B/c..d", ("A", "B", "c", ".d", None)),
        ("A:B/é-ß_", ("A", "B", "é-ß_", None, None)),
        ("A:B/c\u00a0d", ("A", "B", "c\u00a0d", None, None)),
    ],
)
def test_parts(text, parts):
    assert both(text) == FindingType(text, *parts)
    assert both(text).parsed


NEAR_MISSES = [
    "",
    " ",
    ":",
    "/",
    ":/",
    "Recon",
    "Recon:",
    "Recon:EC2",
    "Recon:EC2/",
    "Recon/EC2/Portscan",
    "Recon/EC2:Portscan",
    "Recon EC2/Portscan",
    ":EC2/Portscan",
    "Recon:/Portscan",
    "Recon::EC2/Portscan",
    "Recon:EC2:S3/Portscan",
    "Recon:EC2//Portscan",
    "Recon:EC2/Port/scan",
    "Recon:EC2/.B",
    "Recon:EC2/!DNS",
    "Recon:EC2/Portscan.",
    "Recon:EC2/Portscan!",
    "Recon:EC2/Portscan.!DNS",
    "Recon:EC2/Portscan.B!",
    "Recon:EC2/Port scan",
    "Recon:EC2/Portscan.B C",
    "Recon:EC2/Portscan!D NS",
    "Recon:EC2/Port\tscan",
    " Recon:EC2/Portscan",
    "Recon:EC2/Portscan ",
    "Recon:EC2/Portscan\n",
    "Recon:EC2/Portscan\r\n",
    "\nRecon:EC2/Portscan",
    "Recon:EC2/Portscan.B\n",
    "Recon:EC2/Portscan!DNS\n",
    "Recon :EC2/Portscan",
    "Recon: EC2/Portscan",
    "Recon:EC2 /Portscan",
    "Recon:EC2/ Portscan",
    "Recon:EC2  Portscan",
    "Recon:EC2 ",
    "Recon:EC2 /",
    "Recon:EC2 .B",
    "Recon:EC2 Port scan",
    "1Recon:EC2/Portscan",
    "Recon:2EC/Portscan",
    "Re-con:EC2/Portscan",
    "Recon:EC_2/Portscan",
    "Récon:EC2/Portscan",
    "Recon:ÉC2/Portscan",
    "Recon:EC\u0662/Portscan",
    "Recon\uff1aEC2/Portscan",
    "\ufeffRecon:EC2/Portscan",
    "TTPs/",
    "TTPs/Discovery",
    "TTPs/Discovery/",
    "TTPs/Discovery/Recon:EC2",
    "TTPs/Discovery/Recon:EC2-",
    "TTPs/Discovery/Recon:-Portscan",
    "Software and Configuration Checks/Industry and Regulatory Standards",
    "(not a type)",
]


@pytest.mark.parametrize("text", NEAR_MISSES)
def test_near_misses_do_not_parse(text):
    result = both(text)
    assert not result.parsed
    assert result[1:] == (None,) * 5


@pytest.mark.parametrize("text", [text for text in NEAR_MISSES if "EC2 " not in text])
def test_what_does_not_parse_keeps_its_text(text):
    assert both(text).canonical == text


@pytest.mark.parametrize(
    ("spelling", "canonical"),
    [
        ("Backdoor:EC2/C&amp;CActivity.B!DNS", "Backdoor:EC2/C&CActivity.B!DNS"),
        ("Backdoor:EC2/C\\u0026CActivity.B!DNS", "Backdoor:EC2/C&CActivity.B!DNS"),
        ("Recon:EC2 PortProbeUnprotectedPort", "Recon:EC2/PortProbeUnprotectedPort"),
        ("Backdoor:EC2 C&CActivity.B!DNS", "Backdoor:EC2/C&CActivity.B!DNS"),
        ("Backdoor:EC2 C&amp;CActivity.B!DNS", "Backdoor:EC2/C&CActivity.B!DNS"),
        ("TTPs/Command and Control/Backdoor:EC2-C&amp;CActivity.B!DNS", "Backdoor:EC2/C&CActivity.B!DNS"),
    ],
)
def test_other_spellings_become_canonical(spelling, canonical):
    assert canonical_spelling(spelling) == canonical
    assert both(spelling) == both(canonical)
    assert both(spelling).parsed


# GuardDuty user guide, "Integrating with AWS Security Hub", table of finding types: one row of each kind.
ASFF_SPELLINGS = [
    ("TTPs/AttackSequence:IAM/CompromisedCredentials", "AttackSequence:IAM/CompromisedCredentials"),
    ("TTPs/Command and Control/Backdoor:EC2-C&CActivity.B!DNS", "Backdoor:EC2/C&CActivity.B!DNS"),
    ("TTPs/Initial Access/UnauthorizedAccess:EC2-SSHBruteForce", "UnauthorizedAccess:EC2/SSHBruteForce"),
    ("TTPs/Defense Evasion/Stealth:S3-ServerAccessLoggingDisabled", "Stealth:S3/ServerAccessLoggingDisabled"),
    ("TTPs/Discovery/Recon:EC2-PortProbeEMRUnprotectedPort", "Recon:EC2/PortProbeEMRUnprotectedPort"),
    ("TTPs/Execution/Execution:EC2-MaliciousFile!Snapshot", "Execution:EC2/MaliciousFile!Snapshot"),
    ("TTPs/Object/Object:S3-MaliciousFile", "Object:S3/MaliciousFile"),
    (
        "TTPs/CredentialAccess/CredentialAccess:Kubernetes-MaliciousIPCaller.Custom",
        "CredentialAccess:Kubernetes/MaliciousIPCaller.Custom",
    ),
    (
        "TTPs/Credential Access/CredentialAccess:RDS-AnomalousBehavior.FailedLogin",
        "CredentialAccess:RDS/AnomalousBehavior.FailedLogin",
    ),
    (
        "Software and Configuration Checks/Backdoor:EC2.C&CActivity.B",
        "Backdoor:EC2/C&CActivity.B",
    ),
    ("TTPs/Policy:IAMUser-RootCredentialUsage", "Policy:IAMUser/RootCredentialUsage"),
    ("TTPs/PenTest:IAMUser/KaliLinux", "PenTest:IAMUser/KaliLinux"),
    ("TTPs/PenTest:S3-KaliLinux", "PenTest:S3/KaliLinux"),
    ("TTPs/Impact:S3-AnomalousBehavior.Delete", "Impact:S3/AnomalousBehavior.Delete"),
    ("TTPs/Discovery:S3-AnomalousBehavior", "Discovery:S3/AnomalousBehavior"),
    ("Effects/Data Exfiltration/Trojan:EC2-DropPoint!DNS", "Trojan:EC2/DropPoint!DNS"),
    (
        "Effects/Resource Consumption/CryptoCurrency:Lambda-BitcoinTool.B",
        "CryptoCurrency:Lambda/BitcoinTool.B",
    ),
    (
        "Effects/Data Exposure/Policy:S3-BucketBlockPublicAccessDisabled",
        "Policy:S3/BucketBlockPublicAccessDisabled",
    ),
    ("Unusual Behaviors/VM/Behavior:EC2-NetworkPortUnusual", "Behavior:EC2/NetworkPortUnusual"),
    (
        "Unusual Behaviors/User/ResourceConsumption:IAMUser-ComputeResources",
        "ResourceConsumption:IAMUser/ComputeResources",
    ),
    (
        "Software and Configuration Checks/AWS Security Best Practices/Policy:Kubernetes-ExposedDashboard",
        "Policy:Kubernetes/ExposedDashboard",
    ),
    (
        "Software and Configuration Checks/PrivilegeEscalation:Runtime-SuspiciousCommand",
        "PrivilegeEscalation:Runtime/SuspiciousCommand",
    ),
]

ASFF_IRREGULAR_SPELLINGS = [
    # The category is the purpose.
    ("TTPs/Credential Access/IAMUser-AnomalousBehavior", "CredentialAccess:IAMUser/AnomalousBehavior"),
    ("TTPs/Defense Evasion/IAMUser-AnomalousBehavior", "DefenseEvasion:IAMUser/AnomalousBehavior"),
    ("TTPs/Discovery/IAMUser-AnomalousBehavior", "Discovery:IAMUser/AnomalousBehavior"),
    ("TTPs/Discovery/RDS-MaliciousIPCaller", "Discovery:RDS/MaliciousIPCaller"),
    ("TTPs/Discovery/RDS-TorIPCaller", "Discovery:RDS/TorIPCaller"),
    ("TTPs/Exfiltration/IAMUser-AnomalousBehavior", "Exfiltration:IAMUser/AnomalousBehavior"),
    ("TTPs/Impact/IAMUser-AnomalousBehavior", "Impact:IAMUser/AnomalousBehavior"),
    ("TTPs/Initial Access/IAMUser-AnomalousBehavior", "InitialAccess:IAMUser/AnomalousBehavior"),
    ("TTPs/Persistence/IAMUser-AnomalousBehavior", "Persistence:IAMUser/AnomalousBehavior"),
    ("TTPs/Privilege Escalation/IAMUser-AnomalousBehavior", "PrivilegeEscalation:IAMUser/AnomalousBehavior"),
    # The category is the family.
    (
        "TTPs/AnomalousBehavior/CredentialAccess:Kubernetes-SecretsAccessed",
        "CredentialAccess:Kubernetes/AnomalousBehavior.SecretsAccessed",
    ),
    (
        "TTPs/AnomalousBehavior/Discovery:Kubernetes-PermissionChecked",
        "Discovery:Kubernetes/AnomalousBehavior.PermissionChecked",
    ),
    (
        "TTPs/AnomalousBehavior/Execution:Kubernetes-ExecInPod",
        "Execution:Kubernetes/AnomalousBehavior.ExecInPod",
    ),
    (
        "TTPs/AnomalousBehavior/PrivilegeEscalation:Kubernetes-RoleCreated",
        "PrivilegeEscalation:Kubernetes/AnomalousBehavior.RoleCreated",
    ),
    (
        "TTPs/AnomalousBehavior/Persistence:Kubernetes-WorkloadDeployed!ContainerWithSensitiveMount",
        "Persistence:Kubernetes/AnomalousBehavior.WorkloadDeployed!ContainerWithSensitiveMount",
    ),
    # Hyphens within the name.
    ("TTPs/DefenseEvasion/EC2:Unusual-DNS-Resolver", "DefenseEvasion:EC2/UnusualDNSResolver"),
    ("TTPs/DefenseEvasion/EC2:Unusual-DoH-Activity", "DefenseEvasion:EC2/UnusualDoHActivity"),
    ("TTPs/DefenseEvasion/EC2:Unusual-DoT-Activity", "DefenseEvasion:EC2/UnusualDoTActivity"),
]


@pytest.mark.parametrize(("spelling", "canonical"), ASFF_SPELLINGS + ASFF_IRREGULAR_SPELLINGS)
def test_security_hub_spellings(spelling, canonical):
    known = {row["type"] for row in read_table()}
    assert canonical in known
    assert both(spelling) == both(canonical)
    assert both(spelling).canonical == canonical


@given(st.text(alphabet=":/.! -&A1aé\n\u00a0\x1c\ufeffT", max_size=24))
@settings(derandomize=True, max_examples=3000, deadline=None)
def test_regex_equals_cuts_near_the_grammar(text):
    both(text)


_WORDS = st.sampled_from(
    ["", "A", "Recon", "EC2", "2A", "é", "C&CActivity", "TTPs", "Effects", "&amp;", "\\u0026"]
)
_MARKS = st.sampled_from(["", ":", "/", ".", "!", " ", "-", "\n", "//", "/Defense Evasion/"])


@given(st.lists(st.tuples(_WORDS, _MARKS), max_size=7))
@settings(derandomize=True, max_examples=3000, deadline=None)
def test_regex_equals_cuts_on_parts_of_types(parts):
    both("".join(word + mark for word, mark in parts))


@given(st.text())
@settings(derandomize=True, max_examples=1000, deadline=None)
def test_regex_equals_cuts_on_any_text(text):
    both(text)


@pytest.mark.parametrize("read", READINGS)
@pytest.mark.parametrize(
    "text", ["A:" * 50_000, "A:B/" + "c." * 50_000, "TTPs/" + "a/" * 50_000, "A" * 100_000]
)
def test_long_texts_take_no_long_time(read, text):
    read(text)
