"""Our templates on real servers: what they take, what they refuse, and what is found how."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from analysis import has_analysis, without_analysis
from finding_events import EVENT, event
from http_json import Server
from installed_cluster import PATHS
from maximal import maximal_finding

from guardduty_lens import Lens, Record
from guardduty_lens.aws_model import load_finding_model
from guardduty_lens.opensearch.names import Names
from guardduty_lens.opensearch.resources import Flavor, IndexOptions, Resource
from guardduty_lens.opensearch.templates import templates
from guardduty_lens.outputs.forms import flattened
from guardduty_lens.samples import generate_payloads

CORPUS = Path(__file__).parents[1] / "corpus"
EXAMPLE_FIELDS = Path(__file__).parents[2] / "examples" / "fields"
NAMES = Names("templates-")
LOG, STATE, CALLS = NAMES.log_index("2025-03"), NAMES.state_index, NAMES.cloudtrail_index("2025-03")

LENS = Lens(extractors=())


# --- servers with our templates -------------------------------------------------------------------------


@contextmanager
def installed(url: str, flavor: Flavor, lens: Lens = LENS, **more: Any) -> Iterator[Server]:
    """Give a server with our templates, and leave nothing of them or of their indices."""
    server = Server(url)
    resources = templates(lens.plan, NAMES, IndexOptions(replicas=0), flavor=flavor, **more)
    remove(server, resources)
    for each in resources:
        body = each.body if has_analysis(server) else without_analysis(each.body)
        answer = server.request("PUT", f"{PATHS[each.kind]}/{each.name}", body)
        assert answer == {"acknowledged": True}, answer
    try:
        yield server
    finally:
        remove(server, resources)


def remove(server: Server, resources: list[Resource]) -> None:
    for index in (NAMES.log, LOG, STATE, CALLS, NAMES.stats_index("2025-03")):
        server.request("DELETE", index)
    for each in reversed(resources):
        server.request("DELETE", f"{PATHS[each.kind]}/{each.name}")


@pytest.fixture(params=["opensearch", "elasticsearch"])
def flavor(request: pytest.FixtureRequest) -> Flavor:
    return request.param


@pytest.fixture
def server(flavor: Flavor, request: pytest.FixtureRequest) -> Iterator[Server]:
    with installed(request.getfixturevalue(f"{flavor}_url"), flavor) as server:
        yield server


@pytest.fixture
def opensearch(opensearch_url: str) -> Iterator[Server]:
    with installed(opensearch_url, "opensearch") as server:
        yield server


# --- documents -------------------------------------------------------------------------------------------


def records(payload: Any, lens: Lens = LENS) -> list[Record]:
    found = list(lens.process(payload))
    assert found
    assert all(isinstance(each, Record) for each in found), found
    return [each for each in found if isinstance(each, Record)]


def documents(*payloads: Any) -> list[bytes]:
    return [each.to_json() for payload in payloads for each in records(payload)]


@cache
def corpus() -> tuple[Record, ...]:
    return tuple(
        each
        for path in sorted(CORPUS.glob("*/*"))
        for each in LENS.process(path.read_bytes())
        if isinstance(each, Record)
    )


@cache
def samples() -> tuple[Record, ...]:
    return tuple(each for payload in generate_payloads(2000, 5, "mixed") for each in records(payload))


def maximal(text: Callable[[int], str]) -> dict[str, Any]:
    return event(maximal_finding(load_finding_model(), text))


def other_kinds() -> list[dict[str, Any]]:
    """Give events of the other kinds, in the shapes of AWS's event reference."""

    def other(kind: str, detail: dict[str, Any]) -> dict[str, Any]:
        return {**EVENT, "detail-type": f"GuardDuty {kind}", "detail": {"schemaVersion": "1.0", **detail}}

    bucket = {"bucketName": "shop", "objectKey": "a.exe", "eTag": "e", "versionId": "v", "s3Throttled": False}
    found = {"scanResultStatus": "THREATS_FOUND", "threats": [{"name": "EICAR-Test-File"}]}
    cluster = {"resourceType": "EKS", "eksClusterDetails": {"clusterName": "pay", "availableNodes": 3}}
    return [
        other(
            "Malware Protection Object Scan Result",
            {"scanStatus": "COMPLETED", "s3ObjectDetails": bucket, "scanResultDetails": found},
        ),
        other(
            "Malware Protection Object Scan Result",
            {"scanStatus": "SKIPPED", "s3ObjectDetails": bucket, "scanResultDetails": {"threats": None}},
        ),
        other(
            "Malware Protection Post Scan Action Failed",
            {
                "s3ObjectDetails": bucket,
                "postScanActions": [{"actionType": "TAGGING", "failureReason": "no"}],
            },
        ),
        other(
            "Runtime Protection Unhealthy",
            {
                "resourceAccountId": "111122223333",
                "currentStatus": "UNHEALTHY",
                "previousStatus": "HEALTHY",
                "resourceDetails": cluster,
                "issue": "Agent not reporting",
                "lastUpdatedAt": 1740515646000,
            },
        ),
        other(
            "Malware Protection Resource Status Error",
            {
                "s3BucketDetails": {"bucketName": "shop"},
                "resourceStatus": "ERROR",
                "statusReasons": [{"code": "INSUFFICIENT_PERMISSIONS"}],
                "eventTime": "2025-03-04T05:06:07Z",
            },
        ),
    ]


def api_call(**changes: Any) -> dict[str, Any]:
    return {
        "eventVersion": "1.08",
        "eventID": "c1",
        "eventSource": "s3.amazonaws.com",
        "eventName": "PutBucketPolicy",
        "eventTime": "2025-03-04T05:06:07Z",
        "sourceIPAddress": "athena.amazonaws.com",
        "userIdentity": {"type": "Root", "sessionContext": {"attributes": {"mfaAuthenticated": "true"}}},
        "requestParameters": {
            "bucketName": "your-bucket-names",
            "policy": {"Statement": [{"Effect": "Allow"}]},
        },
        "responseElements": None,
        "resources": [{"ARN": "arn:aws:s3:::shop", "accountId": "111122223333", "type": "AWS::S3::Bucket"}],
        "readOnly": False,
        **changes,
    }


# --- what is taken ---------------------------------------------------------------------------------------


def test_nothing_of_the_corpus_or_of_samples_is_refused(server: Server) -> None:
    assert len(corpus()) > 100
    assert len(samples()) == 2000
    everything = [each.to_json() for each in (*corpus(), *samples())]
    assert server.load(LOG, everything) == []
    before = server.mapping(LOG)
    assert server.load(STATE, everything) == []
    assert server.mapping(LOG) == before
    assert server.mapping(STATE) == before
    assert server.count(LOG, "*") == len(everything)


def test_a_finding_with_all_that_aws_s_model_knows_is_taken(server: Server) -> None:
    texts = [
        lambda turn: f"word{turn}",
        lambda turn: "2025-03-04T05:06:07Z",
        lambda turn: "198.51.100.7",
        lambda turn: "",
    ]
    assert server.load(LOG, [json.dumps(maximal(text)).encode() for text in texts]) == []
    assert server.load(LOG, documents(*(maximal(text) for text in texts))) == []
    assert server.count(LOG, "word1") == 2
    assert server.count(LOG, "word0 AND word1") == 2
    assert server.count(LOG, "detail.service.detection.sequence.signals.createdAt:2025-02-25") == 8


def test_other_kinds_and_unknown_fields_are_taken_and_the_mapping_stays(server: Server) -> None:
    assert server.load(LOG, documents(event())) == []
    before = server.mapping(LOG)
    news = [
        event({"newPart": {"deep": [1, "a", {"b": None}]}, "service": {"newText": "n"}}),
        event({"newPart": "now a text", "service": {"newText": {"now": "an object"}}}),
        event({"service": {"additionalInfo": {"unusual": 22, "new": [1, "a"]}}}),
        event({"service": {"additionalInfo": {"unusual": {"isps": ["amazon.com"]}, "new": {"a": 1}}}}),
        event({"service": {"additionalInfo": None}, "resource": None}),
    ]
    trail = {**EVENT, "detail-type": "AWS API Call via CloudTrail", "detail": api_call()}
    assert server.load(LOG, documents(*news, *other_kinds(), trail)) == []
    shipped = {
        **records(event())[0].to_dict(),
        "shipper": {"host": "h1"},
        "message": "m",
        "asff": {"Id": "a"},
    }
    assert server.load(LOG, [json.dumps(shipped).encode()]) == []
    assert server.mapping(LOG) == before
    assert server.count(LOG, "record_kind:coverage AND detail.currentStatus:unhealthy") == 1
    assert server.count(LOG, "detail.eventName:putbucketpolicy") == 1
    assert server.count(LOG, "detail.service.additionalInfo.unusual:22") == 1
    assert server.count(LOG, "detail.scanResultDetails.threats.name:EICAR-Test-File") == 1


@pytest.mark.parametrize(
    "value", ["2025-02-25 20:40:06.721", "2025-02-25T20:40:06.721123456Z", "2025-02-25T22:40:06+02:00"]
)
def test_dates_are_found_in_every_spelling(opensearch: Server, value: str) -> None:
    detail = {"updatedAt": value, "service": {"eventLastSeen": value}}
    assert opensearch.load(LOG, documents(event(detail))) == []
    span = '["2025-02-25T20:40:06Z" TO "2025-02-25T20:40:07Z"]'
    for field in ("updated_at", "eventLastSeen", "detail.updatedAt", "detail.service.eventLastSeen"):
        assert opensearch.count(LOG, f"{field}:{span}") == 1


def test_values_of_other_types_are_taken_and_found_where_they_can_be(server: Server) -> None:
    odd = event(
        {
            "severity": "high",
            "accountId": 111122223333,
            "createdAt": "yesterday",
            "service": {
                "archived": "True",
                "count": "many",
                "action": {
                    "networkConnectionAction": {"remoteIpDetails": {"ipAddressV4": "GeneratedFinding"}}
                },
            },
        }
    )
    assert server.load(LOG, documents(odd)) == []
    assert server.count(LOG, "detail.service.archived:True") == 1
    assert server.count(LOG, "detail.accountId:111122223333") == 1
    path = "detail.service.action.networkConnectionAction.remoteIpDetails.ipAddressV4"
    assert server.count(LOG, f"{path}.keyword:GeneratedFinding") == 1


def test_long_texts_are_taken_and_found_by_their_words(server: Server) -> None:
    long = event({"description": "\u00e9" * 40_000 + " needle", "title": "long"})
    longer = event(
        {"type": "Recon:EC2/" + "A." * 20_000, "customDetectionRuleName": "x-" * 20_000 + " needle"}
    )
    assert server.load(LOG, documents(long, longer)) == []
    assert server.count(LOG, "needle") == 2


# --- what is refused -------------------------------------------------------------------------------------


def test_an_object_where_a_text_belongs_is_refused_with_the_server_s_words(server: Server) -> None:
    good, bad = event(id="e1"), event({"title": {"en": "Portscan"}}, id="e2")
    [reason] = server.load(LOG, documents(good, bad))
    assert "failed to parse field [detail.title] of type [text]" in reason
    assert server.count(LOG, "*") == 1


def test_a_text_where_an_object_belongs_is_refused_with_the_server_s_words(server: Server) -> None:
    [reason] = server.load(LOG, documents(event({"resource": {"instanceDetails": "i-1"}})))
    assert "[detail.resource.instanceDetails] tried to parse field" in reason


def test_opensearch_has_one_limit_that_aws_s_model_has_not(flavor: Flavor, server: Server) -> None:
    """A free-form text of more than 32,766 bytes: `flat_object` has no way to leave it out."""
    refused = server.load(LOG, documents(event({"service": {"additionalInfo": {"free": "x" * 32_767}}})))
    assert len(refused) == (flavor == "opensearch")
    assert all("immense term" in reason for reason in refused)


# --- what is found ---------------------------------------------------------------------------------------

FINDINGS = [
    ("Backdoor:EC2/C&CActivity.B!DNS", 8.9, "ACTOR", "2025-03-04T23:59:59.999Z"),
    ("CryptoCurrency:EC2/BitcoinTool.B!DNS", 7, "ACTOR", "2025-03-05T00:00:00Z"),
    ("CryptoCurrency:EC2/BitcoinTool.B", 6.9, "TARGET", "2025-03-05T12:00:00+02:00"),
    ("Trojan:EC2/PhishingDomainRequest!DNS", 9, "ACTOR", "2025-03-07T01:02:03Z"),
    ("Discovery:S3/TorIPCaller", 5, "TARGET", "2025-03-07T01:02:03Z"),
]

QUERIES = [
    ("prod-shop", 5),
    ("phishing", 1),
    ("198.51.100.7", 5),
    ("bitcoin AND DNS", 1),
    ("one two three four five six seven eight nine ten words that nothing has", 0),
    ("threat_name:bitcointool", 2),
    ("threat_name:BitcoinTool.B", 2),
    ("threat_name:bitcoin", 2),
    ("threat_name.keyword:BitcoinTool.B", 2),
    ("threat_name:phishingdomainrequest", 1),
    ('threat_name:"C&CActivity.B"', 1),
    ('finding_type:"Backdoor:EC2/C&CActivity.B!DNS"', 1),
    ('detail.type:"C&CActivity"', 1),
    ("threat_purpose:backdoor", 1),
    ("threat_resorce_affected:EC2", 4),
    ("threat_resource_affected:s3", 1),
    ('source:"aws.guardduty"', 5),
    ("detail.resource.instanceDetails.service.resourceRole:ACTOR", 3),
    ("detail.resource.instanceDetails.severity:>=7", 3),
    ("detail.resource.instanceDetails.severity.numeric:(>6.9 AND <=8.9)", 2),
    ("remote_ips:198.51.100.0\\/24", 5),
    ("is_archived:true", 5),
    ("detail.service.archived:true", 5),
]


def of_type(number: int, type_: str, severity: float, role: str, seen: str) -> dict[str, Any]:
    detail = {"id": f"f{number}", "type": type_, "severity": severity}
    return event({**detail, "service": {"resourceRole": role, "eventLastSeen": seen}}, id=f"e{number}")


@pytest.fixture(scope="module")
def found(opensearch_url: str) -> Iterator[Server]:
    findings = [of_type(number, *each) for number, each in enumerate(FINDINGS)]
    with installed(opensearch_url, "opensearch") as server:
        assert server.load(LOG, documents(*findings)) == []
        yield server


@pytest.mark.parametrize(("query", "expected"), QUERIES)
def test_a_query(found: Server, query: str, expected: int) -> None:
    assert found.count(LOG, query) == expected


def test_aggregations_by_keyword_and_by_day(found: Server) -> None:
    aggregations = {
        "types": {"terms": {"field": "threat_name.keyword"}},
        "roles": {"terms": {"field": "detail.service.resourceRole.keyword"}},
        "days": {
            "date_histogram": {"field": "eventLastSeen", "calendar_interval": "day", "format": "yyyy-MM-dd"}
        },
    }
    answer = found.request("POST", f"{LOG}/_search", {"size": 0, "aggs": aggregations})["aggregations"]
    counts = {
        name: {each.get("key_as_string", each["key"]): each["doc_count"] for each in answer[name]["buckets"]}
        for name in aggregations
    }
    assert counts == {
        "types": {"BitcoinTool.B": 2, "C&CActivity.B": 1, "PhishingDomainRequest": 1, "TorIPCaller": 1},
        "roles": {"ACTOR": 3, "TARGET": 2},
        "days": {"2025-03-04": 1, "2025-03-05": 2, "2025-03-06": 0, "2025-03-07": 2},
    }


# --- other indices ---------------------------------------------------------------------------------------


def test_cloudtrail_records_are_found_by_what_services_define(server: Server) -> None:
    calls = [
        api_call(),
        api_call(eventID="c2", requestParameters=None, resources=None, errorCode="AccessDenied"),
    ]
    assert server.load(CALLS, documents(*calls)) == []
    assert server.count(CALLS, "requestParameters.bucketName:your-bucket-names") == 1
    assert (
        server.count(CALLS, "eventName.keyword:/PutBucketAcl|PutBucketPolicy/ AND errorCode:AccessDenied")
        == 1
    )


def test_counters_of_runs_are_numbers(server: Server) -> None:
    run = {"@timestamp": "2025-03-04T05:06:07.000Z", "run_id": "r1"}
    lines = [{**run, **LENS.counters.summary()}, {**run, "payloads": 3, "rejected": {"not_json": 2}}]
    index = NAMES.stats_index("2025-03")
    assert server.load(index, [json.dumps(each).encode() for each in lines]) == []
    assert server.count(index, "rejected.not_json:>=2 AND run_id:r1") == 1


def test_the_first_seed_s_form(flavor: Flavor, request: pytest.FixtureRequest) -> None:
    lines = []
    for record in (*corpus(), *samples()[:100]):
        buffer = bytearray()
        flattened(record, buffer)
        lines.append(bytes(buffer))
    probe = "service.action.portProbeAction.portProbeDetails.0.remoteIpDetails.country.countryName.keyword"
    with installed(request.getfixturevalue(f"{flavor}_url"), flavor, flat=True) as server:
        assert server.load(NAMES.log, lines) == []
        [field] = server.request("GET", f"{NAMES.log}/_mapping/field/{probe}").values()
        assert probe in field["mappings"]


# --- the user's own fields -------------------------------------------------------------------------------


def test_a_user_s_fields_are_mapped_and_found(opensearch_url: str) -> None:
    lens = Lens(fields=EXAMPLE_FIELDS, extractors=())
    [record] = records(event(), lens)
    document = {**record.to_dict(), "owner_cost": 2.5}
    with installed(opensearch_url, "opensearch", lens, extra_fields={"owner_cost": "double"}) as server:
        assert server.load(LOG, [json.dumps(document).encode()]) == []
        assert server.count(LOG, "environment:PRODUCTION AND business_unit.keyword:pay") == 1
        assert server.count(LOG, "production") == 1
        assert server.count(LOG, "owner_cost:>2") == 1


def test_there_is_room_for_a_thousand_fields_of_a_user(opensearch_url: str) -> None:
    many = {f"own_{number}": "label" for number in range(1000)}
    [record] = records(event())
    document = {**record.to_dict(), "own_999": "Last"}
    with installed(opensearch_url, "opensearch", extra_fields=many) as server:
        assert server.load(LOG, [json.dumps(document).encode()]) == []
        assert server.count(LOG, "own_999:last") == 1
