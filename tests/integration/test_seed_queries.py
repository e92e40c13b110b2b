"""The seeds' queries on the real server, each with a count written by hand from the records below.

They stand as the two documents have them, but for typographical repairs: curly quotes are straight, the
stray `)` of the first is gone, the line's own blanks are kept. The first document's path of the country
leaves `service.` out, which its own flattening keeps.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from finding_events import event
from opensearchpy import OpenSearch

from guardduty_lens.cli.main import main

PREFIX = "seeds-"


def _finding(number: int, type_: str, severity: float, role: str, **resource: Any) -> dict[str, Any]:
    return event(
        detail={
            "id": f"f{number}",
            "type": type_,
            "severity": severity,
            "updatedAt": f"2025-03-04T05:{number:02}:00.000Z",
            "service": {"resourceRole": role},
            "resource": resource or {"resourceType": "Instance"},
        },
        id=f"e{number}",
    )


FINDINGS = [
    _finding(1, "Trojan:EC2/PhishingDomainRequest!DNS", 8, "ACTOR"),
    _finding(2, "Trojan:EC2/PhishingDomainRequest!DNS", 6.9, "ACTOR"),
    _finding(3, "Backdoor:EC2/C&CActivity.B!DNS", 8.9, "ACTOR"),
    _finding(4, "Backdoor:EC2/Spambot", 5, "ACTOR"),
    _finding(5, "UnauthorizedAccess:EC2/SSHBruteForce", 2, "TARGET"),
    _finding(6, "CryptoCurrency:EC2/BitcoinTool.B!DNS", 7, "ACTOR"),
    _finding(7, "Recon:IAMUser/TorIPCaller", 9, "TARGET", resourceType="AccessKey", instanceDetails=None),
]


def _call(number: int, source: str, name: str, bucket: str | None = None) -> dict[str, Any]:
    return {
        "eventVersion": "1.08",
        "eventID": f"c{number}",
        "eventSource": source,
        "eventName": name,
        "eventTime": "2025-03-04T05:06:07Z",
        "awsRegion": "eu-west-1",
        "requestParameters": {"bucketName": bucket} if bucket else None,
    }


CALLS = [
    _call(1, "guardduty.amazonaws.com", "CreateFilter"),
    _call(2, "guardduty.amazonaws.com", "UpdateThreatIntelSet"),
    _call(3, "guardduty.amazonaws.com", "DeleteDetector"),
    _call(4, "guardduty.amazonaws.com", "ListDetectors"),
    _call(5, "iam.amazonaws.com", "CreateFilter"),
    _call(6, "s3.amazonaws.com", "PutBucketAcl", "your-bucket-names"),
    _call(7, "s3.amazonaws.com", "PutBucketPolicy", "your-bucket-names"),
    _call(8, "s3.amazonaws.com", "PutBucketPolicy", "another-bucket"),
    _call(9, "s3.amazonaws.com", "GetBucketAcl", "your-bucket-names"),
]

CLOUDTRAIL, LOG = "guardduty-cloudtrail-*", "guarddutylogs*"

QUERIES = [
    (
        CLOUDTRAIL,
        'eventSource:"guardduty.amazonaws.com" AND eventName.keyword:/CreateFilter|DeleteDetector|DelteIPSeet'
        "|DeleteMember|DeletePublishingDestination|DisableOrganizationAdminAccount|StopMonitoringMembers"
        "|UpdateDetector|UpdateIPSet|UpdatePublishingDestination|UpdateThreatIntelSet/",
        3,
    ),
    (
        CLOUDTRAIL,
        'eventSource:"s3.amazonaws.com" AND (eventName:PutBucketAcl OR eventName:PutBucketPolicy) '
        "AND requestParameters.bucketName:your-bucket-names",
        2,
    ),
    (LOG, 'source:"aws.guardduty"', 7),
    (LOG, "threat_name:phishingdomainrequest", 2),
    (LOG, "detail.resource.instanceDetails.service.resourceRole:actor", 5),
    (LOG, "threat_purpose:backdoor", 2),
    (
        LOG,
        'source:"aws.guardduty" AND detail.resource.instanceDetails.severity.numeric:(>6.9 AND <=8.9)',
        3,
    ),
]


@pytest.fixture(scope="module")
def client(opensearch_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenSearch]:
    folder = tmp_path_factory.mktemp("seeds")
    source = folder / "in.jsonl"
    source.write_text("".join(json.dumps(each) + "\n" for each in [*FINDINGS, *CALLS]))
    to = ["--url", opensearch_url, "--index-prefix", PREFIX]
    _run("install", *to)
    _run("filter", str(source), "--to", "opensearch", *to, "--dead-letters", str(folder / "dead.jsonl"))
    client = OpenSearch(opensearch_url)
    client.indices.refresh(index=f"{PREFIX}*")
    yield client
    _run("uninstall", "--yes", "--with-data", *to)
    client.close()


def _run(*arguments: str) -> None:
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize(("index", "query", "expected"), QUERIES)
def test_a_query_of_the_second_document(client: OpenSearch, index: str, query: str, expected: int) -> None:
    found = client.count(index=f"{PREFIX}{index}", body={"query": {"query_string": {"query": query}}})
    assert found["count"] == expected


def test_the_first_document_s_map_of_countries(opensearch_url: str, tmp_path: Path) -> None:
    """The flattened form: types, and terms of a country, by the field that the document names."""
    prefix = "seeds-flat-"
    probe = {
        "actionType": "PORT_PROBE",
        "networkConnectionAction": None,
        "portProbeAction": {"portProbeDetails": [{"remoteIpDetails": {"country": {"countryName": "Peru"}}}]},
    }
    findings = [
        event(detail={"id": f"p{number}", "service": {"action": probe}}, id=f"e{number}")
        for number in (1, 2, 2)
    ]
    source = tmp_path / "in.jsonl"
    source.write_text("".join(json.dumps(each) + "\n" for each in findings))
    to = ["--url", opensearch_url, "--index-prefix", prefix]
    _run("install", "--flat", *to)
    _run("filter", str(source), "--to", "opensearch", "--flat", *to, "--dead-letters", str(tmp_path / "dead"))
    client = OpenSearch(opensearch_url)
    client.indices.refresh(index=f"{prefix}*")
    field = "service.action.portProbeAction.portProbeDetails.0.remoteIpDetails.country.countryName.keyword"
    terms = {"terms": {"field": field, "order": {"_count": "desc"}, "size": 5}}
    found = client.search(
        index=f"{prefix}guarddutylogs",
        body={"size": 0, "track_total_hits": True, "aggs": {"countries": terms}},
    )
    assert found["hits"]["total"]["value"] == 2
    assert found["aggregations"]["countries"]["buckets"] == [{"key": "Peru", "doc_count": 2}]
    _run("uninstall", "--yes", "--with-data", *to)
    client.close()
