"""The CloudFormation template: valid, and what each function may do is what it does, no more."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cfnlint.api import lint_file
from cfnlint.decode.cfn_yaml import load

FOLDER = Path(__file__).parents[2] / "pipelines/aws"
TEMPLATE = FOLDER / "template.yaml"

MAY = {
    "ArchivePolicy": {
        "s3:PutObject": "ArchiveBucket.Arn}/guardduty/*",
        "sns:Publish": "Topic",
        "kms:Decrypt": "TopicKey",
        "kms:GenerateDataKey": "TopicKey",
        "sqs:SendMessage": "ArchiveDeadLetterQueue",
        "logs:CreateLogStream": "ArchiveLogs",
        "logs:PutLogEvents": "ArchiveLogs",
    },
    "IndexPolicy": {
        "s3:GetObject": "ArchiveBucket.Arn}/*",
        "s3:ListBucket": "ArchiveBucket",
        "s3:PutObject": "DeadLetterBucket.Arn}/dead-letters/*",
        "sqs:ReceiveMessage": "IndexQueue",
        "sqs:DeleteMessage": "IndexQueue",
        "sqs:GetQueueAttributes": "IndexQueue",
        "es:ESHttpPost": "OpenSearchDomainArn'}]}, '/_bulk'",
        "es:ESHttpGet": "OpenSearchDomainArn'}]}, '/_index_template'",
        "kms:Decrypt": "ExportKey",
        "logs:CreateLogStream": "IndexLogs",
        "logs:PutLogEvents": "IndexLogs",
    },
}
"""By hand, from what the handlers call; a right that is added to the template must be added here."""


@pytest.fixture(scope="module")
def resources() -> dict[str, Any]:
    return load(str(TEMPLATE))["Resources"]


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def statements(node: Any) -> Iterator[dict[str, Any]]:
    """Give every statement of every policy under a node, also those under conditions."""
    if isinstance(node, list):
        for item in node:
            yield from statements(item)
    elif isinstance(node, dict):
        if "Effect" in node and "Action" in node:
            yield node
        for value in node.values():
            yield from statements(value)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yaml")), ids=lambda path: path.name)
def test_templates_are_valid_and_allow_nothing_by_wildcard(path: Path) -> None:
    assert [str(match) for match in lint_file(path)] == []
    found = load(str(path))["Resources"]
    actions = [action for each in statements(found) for action in listed(each["Action"])]
    assert actions
    assert [action for action in actions if "*" in action] == []
    for name, resource in found.items():
        if resource["Type"] == "AWS::KMS::Key":
            continue  # its policy speaks of itself
        for each in statements(resource):
            if each["Effect"] == "Allow" and "Resource" in each:
                assert "*" not in listed(each["Resource"]), name


@pytest.mark.parametrize("policy", MAY)
def test_a_function_may_what_it_does(policy: str, resources: dict[str, Any]) -> None:
    found = {
        action: str(each["Resource"])
        for each in statements(resources[policy])
        for action in listed(each["Action"])
    }
    assert found.keys() == MAY[policy].keys()
    for action, resource in MAY[policy].items():
        assert resource in found[action]


def test_buckets_are_private_encrypted_versioned_and_kept(resources: dict[str, Any]) -> None:
    buckets = [each for each in resources.values() if each["Type"] == "AWS::S3::Bucket"]
    assert len(buckets) == 2
    for bucket in buckets:
        properties = bucket["Properties"]
        assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
        assert "ServerSideEncryptionConfiguration" in properties["BucketEncryption"]
        assert properties["VersioningConfiguration"]["Status"] == "Enabled"
        assert properties["LifecycleConfiguration"]["Rules"]
        assert bucket["DeletionPolicy"] == "Retain"


def test_a_domain_is_private_encrypted_and_kept(resources: dict[str, Any]) -> None:
    domain = resources["Domain"]
    properties = domain["Properties"]
    assert domain["Condition"] == "MakesDomain"
    assert domain["DeletionPolicy"] == "Retain"
    assert properties["EncryptionAtRestOptions"]["Enabled"] is True
    assert properties["NodeToNodeEncryptionOptions"]["Enabled"] is True
    assert properties["DomainEndpointOptions"]["EnforceHTTPS"] is True
    allowed = list(statements(properties["AccessPolicies"]))
    assert [list(each["Principal"]) for each in allowed] == [["AWS"]] * 3  # nobody unsigned
    of_function = {each["Action"]: str(each["Resource"]) for each in allowed[:2]}
    assert of_function.keys() == {"es:ESHttpPost", "es:ESHttpGet"}
    assert "/_bulk" in of_function["es:ESHttpPost"]
    assert "/_index_template" in of_function["es:ESHttpGet"]


def test_settings_of_the_functions_are_read_by_them(resources: dict[str, Any]) -> None:
    from guardduty_lens.aws.settings import archive_settings, index_settings

    def environment(name: str) -> dict[str, str]:
        given = resources[name]["Properties"]["Environment"]["Variables"]
        return {key: "updates" if key == "LAYOUT" else "x" for key in given}

    assert archive_settings(environment("ArchiveFunction")).topic == "x"
    assert index_settings({"AWS_REGION": "eu-west-1", **environment("IndexFunction")}).region == "eu-west-1"


def test_handlers_exist(resources: dict[str, Any]) -> None:
    import importlib

    functions = [each for each in resources.values() if each["Type"] == "AWS::Lambda::Function"]
    assert len(functions) == 2
    for each in functions:
        module, _, name = each["Properties"]["Handler"].rpartition(".")
        assert callable(getattr(importlib.import_module(module), name))
