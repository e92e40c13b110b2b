import copy
import csv
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardduty_lens.aws_model import Shape, load_finding_model
from guardduty_lens.payloads.pascal import is_pascal_finding, to_camel_case

DATA = Path(__file__).parents[2] / "data"
MODEL = load_finding_model()
CORPUS = sorted((DATA / "corpus" / "eventbridge_pascal_hybrid").glob("*.json"))
FINDING = {"Type": "Recon:EC2/Portscan", "Id": "1", "Service": {}, "Severity": 5}


def _rows() -> list[tuple[str, str]]:
    with (DATA / "schema_fields.csv").open(encoding="utf-8", newline="") as lines:
        return [(row["api_path"], row["json_path"]) for row in csv.DictReader(lines)]


def _build(path: str) -> Any:
    """Give the document that has one value, at the path: `A.B[].C`, `<key>` for a map's."""
    document: Any = "value"
    for part in reversed(path.split(".")):
        for _ in range(part.count("[]")):
            document = [document, document]
        document = {part.replace("[]", "").replace("<key>", "AWS::S3::Bucket"): document}
    return document


@pytest.mark.parametrize(("api_path", "json_path"), _rows())
def test_every_known_path_is_translated(api_path: str, json_path: str) -> None:
    assert to_camel_case(_build(api_path)) == _build(json_path)


@pytest.mark.parametrize(("api_path", "json_path"), _rows())
def test_camel_case_stays(api_path: str, json_path: str) -> None:
    assert to_camel_case(_build(json_path)) == _build(json_path)


@pytest.mark.parametrize(
    ("pascal", "camel"),
    [
        (
            {
                "Resource": {
                    "InstanceDetails": {"ProductCodes": [{"Code": "c", "ProductType": "marketplace"}]}
                }
            },
            {
                "resource": {
                    "instanceDetails": {
                        "productCodes": [{"productCodeId": "c", "productCodeType": "marketplace"}]
                    }
                }
            },
        ),
        (
            {"Service": {"Action": {"KubernetesApiCallAction": {"SourceIps": ["192.0.2.1"]}}}},
            {"service": {"action": {"kubernetesApiCallAction": {"sourceIPs": ["192.0.2.1"]}}}},
        ),
        (
            {"Service": {"Action": {"RdsLoginAttemptAction": {"LoginAttributes": [{"User": "u"}]}}}},
            {"service": {"action": {"rdsLoginAttemptAction": {"LoginAttributes": [{"user": "u"}]}}}},
        ),
        (
            {"Resource": {"EcsClusterDetails": {"TaskDetails": {"TaskCreatedAt": 1636625755.218}}}},
            {"resource": {"ecsClusterDetails": {"taskDetails": {"createdAt": 1636625755.218}}}},
        ),
        (
            {"Service": {"Detection": {"Sequence": {"Actors": [{"User": {"Account": {"Name": "n"}}}]}}}},
            {"service": {"detection": {"sequence": {"actors": [{"user": {"account": {"account": "n"}}}]}}}},
        ),
    ],
)
def test_the_odd_names(pascal: dict[str, Any], camel: dict[str, Any]) -> None:
    assert to_camel_case(pascal) == camel


def test_keys_of_maps_stay() -> None:
    feature = {"Unusual": [{"ProfileType": "FREQUENCY", "Observations": {"Text": ["x"]}}]}
    finding = {
        "Service": {"Detection": {"Anomaly": {"Profiles": {"Account": {"UserNames": feature["Unusual"]}}}}}
    }
    converted = to_camel_case(finding)["service"]["detection"]["anomaly"]["profiles"]
    assert converted == {
        "Account": {"UserNames": [{"profileType": "FREQUENCY", "observations": {"text": ["x"]}}]}
    }


def test_free_keys_of_additional_info_stay() -> None:
    info = {
        "Value": '{"sample":true}',
        "Type": "default",
        "sample": True,
        "UserAgent": {"FullUserAgent": "x"},
    }
    assert to_camel_case({"Service": {"AdditionalInfo": info}}) == {
        "service": {
            "additionalInfo": {
                "value": '{"sample":true}',
                "type": "default",
                "sample": True,
                "UserAgent": {"FullUserAgent": "x"},
            }
        }
    }


def test_a_key_whose_target_is_there_is_left_alone() -> None:
    finding = {"Id": "pascal", "id": "camel", "Resource": {"ResourceType": "x"}, "resource": None}
    assert to_camel_case(finding) == finding


def test_hybrids_are_converted_where_they_are_pascal() -> None:
    assert to_camel_case({"service": {"Count": 3}, "Severity": 2}) == {"service": {"count": 3}, "severity": 2}


@pytest.mark.parametrize("odd", [None, True, 7, 1.5, "text", [], [1, {"Arn": "x"}], {"Extra": {"Arn": 1}}])
def test_values_of_another_kind_and_unknown_keys_pass(odd: Any) -> None:
    finding = {"Service": {"Action": odd}, "Unknown": odd, "Id": odd}
    assert to_camel_case(finding) == {"service": {"action": odd}, "Unknown": odd, "id": odd}


def test_elements_of_another_kind_pass() -> None:
    buckets = [{"Arn": "a"}, "text", None, [{"Arn": "b"}]]
    assert to_camel_case({"Resource": {"S3BucketDetails": buckets}}) == {
        "resource": {"s3BucketDetails": [{"arn": "a"}, "text", None, [{"Arn": "b"}]]}
    }


def test_order_is_kept_and_the_argument_unchanged() -> None:
    finding = {"Type": "t", "Unknown": 1, "AccountId": "a", "Arn": "b"}
    before = copy.deepcopy(finding)
    assert list(to_camel_case(finding)) == ["type", "Unknown", "accountId", "arn"]
    assert finding == before


@pytest.mark.parametrize("key", ["Service", "Resource", "Unknown", "AdditionalInfo", "S3BucketDetails"])
def test_deep_data_does_not_raise(key: str) -> None:
    finding: dict[str, Any] = {"Type": "t"}
    for _ in range(100_000):
        finding = {key: [finding]} if key == "S3BucketDetails" else {key: finding}
    to_camel_case(finding)


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_corpus_hybrids(path: Path) -> None:
    detail = json.loads(path.read_text(encoding="utf-8"))["detail"]
    assert is_pascal_finding(detail)
    converted = to_camel_case(detail)
    assert not is_pascal_finding(converted)
    assert converted["id"] == detail["Id"]
    assert converted["resource"]["resourceType"] == detail["Resource"]["ResourceType"]
    assert _unresolved(converted) == []


def test_a_finding_made_with_boto3() -> None:
    (path,) = (DATA / "corpus" / "api_finding").glob("*ffdd6d08.json")
    finding = json.loads(path.read_text(encoding="utf-8"))
    assert is_pascal_finding(finding)
    converted = to_camel_case(finding)
    assert converted["resource"]["s3BucketDetails"][0]["arn"].startswith("arn:aws:s3:::")
    assert _unresolved(converted) == []


def _unresolved(value: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Give the paths of a converted finding that AWS's model does not have."""
    if MODEL.resolve(path) is None:
        return [path]
    if isinstance(value, dict):
        return [found for key, inner in value.items() for found in _unresolved(inner, (*path, key))]
    if isinstance(value, list):
        return [found for inner in value for found in _unresolved(inner, (*path, "[*]"))]
    return []


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, True),
        ({"Id": None, "Arn": "arn"}, True),
        ({"Id": ""}, False),
        ({"Id": 7}, False),
        ({"Type": ""}, False),
        ({"Type": None}, False),
        ({"Severity": None}, False),
        ({"Severity": None, "AccountId": "1"}, True),
        ({"Service": None, "Severity": None, "SchemaVersion": "2.0", "Resource": {}}, True),
        ({"Severity": 0}, True),
    ],
)
def test_what_a_pascal_finding_is(changes: dict[str, Any], verdict: bool) -> None:
    assert is_pascal_finding({**FINDING, **changes}) is verdict


@pytest.mark.parametrize(
    "value", [None, [], "Type", 7, {}, {"type": "t", "id": "1", "service": {}, "severity": 1}]
)
def test_what_no_pascal_finding_is(value: object) -> None:
    assert not is_pascal_finding(value)


SHAPES = list(MODEL.shapes.values())
NAMES = st.sampled_from(
    sorted({n for s in SHAPES for name, member in s.members.items() for n in (name, member.api)})
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(NAMES | st.text(), inner), max_leaves=30
)
OBJECTS = st.dictionaries(NAMES | st.text(), JSON)


def _shaped(name: str, *, api: bool) -> st.SearchStrategy[Any]:
    """Give values of a shape, keys in the API's spelling or JSON's, sometimes of another kind."""
    shape = MODEL.shapes[name]
    if shape.kind == "structure":
        return _structures(shape, api=api)
    inner = shape.member or shape.value
    if inner is None:
        return SCALARS
    below = _later(inner.shape, api=api)
    values = (
        st.lists(below, max_size=2) if shape.kind == "list" else st.dictionaries(st.text(), below, max_size=2)
    )
    return values | SCALARS


def _later(name: str, *, api: bool) -> st.SearchStrategy[Any]:
    return st.deferred(lambda: _shaped(name, api=api))


def _structures(shape: Shape, *, api: bool) -> st.SearchStrategy[Any]:
    members = {
        (member.api if api else name): _later(member.shape, api=api) for name, member in shape.members.items()
    }
    few = st.sets(st.sampled_from(sorted(members)), max_size=4)
    return few.flatmap(lambda chosen: st.fixed_dictionaries({name: members[name] for name in sorted(chosen)}))


API_FINDINGS = _shaped(MODEL.root, api=True)
JSON_FINDINGS = _shaped(MODEL.root, api=False)


@given(OBJECTS | API_FINDINGS)
def test_conversion_is_idempotent_and_loses_nothing(finding: dict[str, Any]) -> None:
    converted = to_camel_case(finding)
    assert repr(to_camel_case(converted)) == repr(converted)
    assert _leaves(converted) == _leaves(finding)


@given(JSON_FINDINGS)
def test_camel_case_findings_are_unchanged(finding: dict[str, Any]) -> None:
    assert repr(to_camel_case(finding)) == repr(finding)


@given(API_FINDINGS)
def test_all_keys_of_an_api_finding_are_known_afterwards(finding: dict[str, Any]) -> None:
    assert _unresolved(to_camel_case(finding)) == []


@given(JSON)
def test_the_finding_test_takes_anything(value: Any) -> None:
    assert isinstance(is_pascal_finding(value), bool)


def _leaves(value: Any) -> list[str]:
    """Give the values of a document, in its order, without the names."""
    if isinstance(value, dict):
        return [leaf for inner in value.values() for leaf in _leaves(inner)]
    if isinstance(value, list):
        return [leaf for inner in value for leaf in _leaves(inner)]
    return [repr(value)]
