import ipaddress
import json
import re
from collections import Counter, defaultdict
from fnmatch import fnmatchcase
from statistics import mean

import pytest

from guardduty_lens.samples import generate_findings
from guardduty_lens.samples.plans import ROWS, plans
from guardduty_lens.samples.tables import active_types, table

COUNT, SEED = 3000, 11
RANKS = {"low": 2, "medium": 5, "high": 8, "critical": 9}
DOCUMENTATION = [
    ipaddress.ip_network(network)
    for network in (
        "192.0.2.0/24",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "10.0.0.0/8",
        "172.16.0.0/12",
        "2001:db8::/32",
    )
]
ACCOUNTS = {
    "111122223333",
    "444455556666",
    "123456789012",
    "777788889999",
    "000011112222",
    "222233334444",
    "888899990000",
    "999988887777",
}


@pytest.fixture(scope="module")
def findings():
    return list(generate_findings(COUNT, SEED))


@pytest.fixture(scope="module")
def updates(findings):
    """Pairs of a finding and its next delivery."""
    seen, pairs = {}, []
    for finding in findings:
        if finding["id"] in seen:
            pairs.append((seen[finding["id"]], finding))
        seen[finding["id"]] = finding
    return pairs


def leaves(value, name=""):
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner, name)
    else:
        yield name, value


def remote_addresses(finding):
    return [value for name, value in leaves(finding["service"].get("action")) if name == "ipAddressV4"]


def test_count_is_exact():
    for count in (0, 1, 7, 230):
        assert len(list(generate_findings(count, 1))) == count


def test_negative_count_is_refused_at_once():
    with pytest.raises(ValueError, match="negative"):
        generate_findings(-1, 1)


def test_equal_seeds_give_equal_findings_and_others_do_not(findings):
    assert list(generate_findings(COUNT, SEED)) == findings
    assert list(generate_findings(COUNT, SEED + 1)) != findings


def test_changing_a_finding_changes_no_other():
    spoiled = []
    for finding in generate_findings(500, 3):
        finding["resource"].clear()
        finding["service"].get("action", {}).clear()
        spoiled.append(finding)
    untouched = list(generate_findings(500, 3))
    assert all(finding["resource"] for finding in untouched)
    assert [finding["id"] for finding in spoiled] == [finding["id"] for finding in untouched]


def test_first_findings_cover_every_active_type_once(findings):
    names = [facts.name for facts in active_types()]
    first = [finding["type"] for finding in findings[: len(names)]]
    assert len(names) == 229
    assert sorted(first) == sorted(names)
    assert first != names
    other = [finding["type"] for finding in generate_findings(len(names), SEED + 1)]
    assert other != first
    assert sorted(other) == sorted(names)


def test_frequent_types_are_frequent_and_sequences_rare(findings):
    seen = Counter(finding["type"] for finding in findings[229:])
    assert seen.most_common(1)[0][0] == "Recon:EC2/PortProbeUnprotectedPort"
    anomalies = sum(number for name, number in seen.items() if name.endswith("IAMUser/AnomalousBehavior"))
    assert anomalies > 300
    assert sum(number for name, number in seen.items() if name.startswith("AttackSequence")) < 60


def test_every_pattern_of_every_table_is_used():
    names = [facts.name for facts in active_types()]

    def unused(rows):
        used = set()
        for name in names:
            used.add(next(row[0] for row in rows if fnmatchcase(name, row[0])))
        return {row[0] for row in rows} - used

    assert unused(ROWS) == set()
    assert unused(table("texts")["texts"]) == set()
    assert len(plans()) == len(names)


def test_resource_fits_the_type(findings):
    members = {
        "EC2": "instanceDetails",
        "Lambda": "lambdaDetails",
        "S3": "s3BucketDetails",
        "IAMUser": "accessKeyDetails",
        "Kubernetes": "eksClusterDetails",
        "Container": "containerDetails",
        "ECS": "ecsClusterDetails",
    }
    backups = ("ebsSnapshotDetails", "ec2ImageDetails", "recoveryPointDetails")
    for finding in findings:
        resource = finding["resource"]
        kind = finding["type"].partition(":")[2].partition("/")[0]
        if finding["type"].startswith("AttackSequence:"):
            assert resource == {"resourceType": "AttackSequence"}
        elif (
            "!Snapshot" in finding["type"] or "!AMI" in finding["type"] or "RecoveryPoint" in finding["type"]
        ):
            assert any(member in resource for member in backups)
        elif kind == "RDS":
            assert "rdsDbInstanceDetails" in resource or "rdsLimitlessDbDetails" in resource
        else:
            assert members.get(kind, "resourceType") in resource, finding["type"]


def test_action_fits_the_type(findings):
    for finding in findings:
        kind = finding["service"].get("action", {}).get("actionType")
        name = finding["type"]
        if name.endswith("!DNS") or "DomainRequest" in name:
            assert kind == "DNS_REQUEST", name
        elif "PortProbe" in name:
            assert kind == "PORT_PROBE"
        elif ":IAMUser/" in name:
            assert kind == "AWS_API_CALL"
        elif name.endswith(("BruteForce", "Portscan", "TorClient")) and ":RDS/" not in name:
            assert kind == "NETWORK_CONNECTION", name
        elif name.startswith("AttackSequence"):
            assert finding["service"]["detection"]["sequence"]["signals"]


def test_custom_rules_are_named(findings):
    custom = {facts.name for facts in active_types() if facts.custom_rule}
    assert len(custom) == 25
    for finding in findings:
        assert ("customDetectionRuleName" in finding) == (finding["type"] in custom)


def test_severity_is_a_usual_number_near_the_types_default(findings):
    seen = defaultdict(set)
    for finding in findings:
        seen[finding["type"]].add(finding["severity"])
    for facts in active_types():
        assert seen[facts.name] <= {2, 5, 8, 9}
        default = RANKS.get(facts.severity.lower())
        if default and "BruteForce" not in facts.name:
            assert seen[facts.name] == {default}, facts.name
    assert seen["Recon:EC2/PortProbeUnprotectedPort"] == {2, 5}


def test_texts_are_filled_in(findings):
    for finding in findings:
        for text in (finding["title"], finding["description"]):
            assert text
            assert not re.search(r"[{}]|None", text), text
        assert len(finding["title"]) <= 200


def test_times_are_in_order(findings):
    for finding in findings:
        service = finding["service"]
        assert service["eventFirstSeen"] <= service["eventLastSeen"] <= finding["updatedAt"]
        assert service["eventFirstSeen"] <= finding["createdAt"] <= finding["updatedAt"]
        assert re.fullmatch(r"2026-0[12]-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", finding["updatedAt"])
    stamps = [finding["updatedAt"] for finding in findings]
    assert stamps == sorted(stamps)


def test_about_one_in_seven_is_an_update(findings, updates):
    assert 0.12 < len(updates) / (len(findings) - 229) < 0.18


def test_an_update_keeps_the_identity_and_moves_on(updates):
    for before, after in updates:
        for name in ("id", "arn", "createdAt", "type", "resource", "severity", "accountId"):
            assert before[name] == after[name]
        old, new = before["service"], after["service"]
        assert old["eventFirstSeen"] == new["eventFirstSeen"]
        assert old["eventLastSeen"] < new["eventLastSeen"]
        assert before["updatedAt"] < after["updatedAt"]
        assert old["count"] < new["count"]
    assert any(b["service"]["archived"] != a["service"]["archived"] for b, a in updates)


def test_an_update_has_the_latest_remote_address(updates):
    changed = [(b, a) for b, a in updates if remote_addresses(b) != remote_addresses(a)]
    assert len(changed) > len(updates) / 2
    for before, after in changed:
        gone = set(remote_addresses(before)) - set(remote_addresses(after))
        assert not any(re.search(rf"{re.escape(address)}(?!\d)", after["description"]) for address in gone)


def test_identities_look_like_awss(findings):
    for finding in findings:
        assert re.fullmatch(r"[0-9a-f]{32}", finding["id"])
        detector = finding["service"]["detectorId"]
        expected = f"{finding['region']}:{finding['accountId']}:detector/{detector}/finding/{finding['id']}"
        assert finding["arn"] == f"arn:{finding['partition']}:guardduty:{expected}"
        assert finding["service"]["serviceName"] == "guardduty"
        assert finding["service"]["featureName"]


def test_additional_info_repeats_its_free_keys_as_text(findings):
    for finding in findings:
        free = dict(finding["service"]["additionalInfo"])
        assert free.pop("type") == "default"
        assert json.loads(free.pop("value")) == free


def test_flags_and_places_vary(findings):
    assert 10 < sum(finding["service"]["archived"] for finding in findings) < COUNT / 10
    assert 10 < sum("sample" in finding["service"]["additionalInfo"] for finding in findings) < COUNT / 10
    assert len({finding["accountId"] for finding in findings}) == 7
    assert len({finding["region"] for finding in findings}) > 8
    assert {finding["partition"] for finding in findings} == {"aws", "aws-us-gov", "aws-cn"}
    assert {finding["service"]["resourceRole"] for finding in findings} == {"TARGET", "ACTOR"}


def test_only_addresses_for_documentation_occur(findings):
    text = json.dumps(findings)
    found = set(re.findall(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])", text))
    found |= {value for _, value in leaves(findings) if isinstance(value, str) and value.startswith("2001:")}
    assert len(found) > 400
    for address in found:
        parsed = ipaddress.ip_address(address)
        assert any(parsed in network for network in DOCUMENTATION), address


def test_only_account_ids_for_documentation_occur(findings):
    text = json.dumps(findings)
    assert set(re.findall(r"arn:[a-z-]+:[a-z0-9-]*:[a-z0-9-]*:(\d{12})", text)) <= ACCOUNTS
    assert {value for name, value in leaves(findings) if name == "accountId"} <= ACCOUNTS


def test_only_domains_for_documentation_occur(findings):
    allowed = re.compile(r"(^|\.)(example|example\.(com|net|org)|amazonaws\.com|compute\.internal)$")
    names = ("domain", "domainWithSuffix", "privateDnsName", "publicDnsName", "serviceName")
    for name, value in leaves([(f["service"].get("action"), f["resource"]) for f in findings]):
        assert name not in names or not value or allowed.search(value), value


def test_sizes_are_those_of_real_findings(findings):
    sizes = [len(json.dumps(finding, separators=(",", ":"), ensure_ascii=False)) for finding in findings]
    assert 3000 < mean(sizes) < 4200
    assert min(sizes) > 1000
    assert max(sizes) < 12_000
