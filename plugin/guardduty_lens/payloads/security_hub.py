"""Security Hub findings (ASFF) that came from GuardDuty: recognised, and their main parts given.

Names of the keys: AWS Security Finding Format, "Required top-level attributes" and the GuardDuty user
guide, "Integrating with AWS Security Hub". Mapping the rest back to GuardDuty's form is not done: the
original stays whole under `asff`, and such records carry the warning `asff_partial`.
"""

from collections.abc import Mapping
from typing import Any, TypeGuard

from guardduty_lens.catalogue.types import is_number
from guardduty_lens.payloads.envelope import wrap

_SEVERITY_OF_LABEL = {"LOW": 2, "MEDIUM": 5, "HIGH": 8, "CRITICAL": 9}
_RESOURCE_TYPES = {
    "AwsEc2Instance": "Instance",
    "AwsIamAccessKey": "AccessKey",
    "AwsS3Bucket": "S3Bucket",
    "AwsEksCluster": "EKSCluster",
    "AwsEcsCluster": "ECSCluster",
    "AwsLambdaFunction": "Lambda",
    "AwsRdsDbInstance": "RDSDBInstance",
    "AwsEc2Volume": "EBSVolume",
    "Container": "Container",
}


def is_guardduty_asff(value: Any) -> TypeGuard[dict[str, Any]]:
    """Tell whether a value is a Security Hub finding that GuardDuty sent."""
    if not isinstance(value, dict) or not isinstance(value.get("ProductArn"), str):
        return False
    return "/aws/guardduty" in value["ProductArn"] and isinstance(value.get("Types"), list)


def event_of_asff(asff: Mapping[str, Any]) -> dict[str, Any]:
    """Give the event of a Security Hub finding: its main parts as a finding, the original under `asff`."""
    return wrap(_finding(asff)) | {"asff": dict(asff)}


def _finding(asff: Mapping[str, Any]) -> dict[str, Any]:
    arn = _text(asff, "Id")
    product_fields = asff.get("ProductFields")
    fields = product_fields if isinstance(product_fields, dict) else {}
    parts = {
        "schemaVersion": "2.0",
        "accountId": asff.get("AwsAccountId"),
        "region": asff.get("Region") or _arn_part(arn, 3) or _arn_part(_text(asff, "ProductArn"), 3),
        "partition": _arn_part(arn, 1),
        "id": arn.rpartition("/")[2] or arn,
        "arn": arn,
        "type": _finding_type(asff),
        "resource": _resource(asff),
        "service": _service(asff, fields),
        "severity": _severity(asff.get("Severity")),
        "createdAt": asff.get("CreatedAt"),
        "updatedAt": asff.get("UpdatedAt"),
        "title": asff.get("Title"),
        "description": asff.get("Description"),
    }
    return {key: value for key, value in parts.items() if value is not None and value != ""}


def _text(source: Mapping[str, Any], key: str) -> str:
    value = source.get(key)
    return value if isinstance(value, str) else ""


def _arn_part(arn: str, number: int) -> str:
    parts = arn.split(":", 5)
    return parts[number] if len(parts) == 6 else ""


def _finding_type(asff: Mapping[str, Any]) -> str | None:
    types = [item for item in asff["Types"] if isinstance(item, str)]
    of_guardduty = [item for item in types if ":" in item]
    return next(iter(of_guardduty or types), None)


def _severity(severity: Any) -> Any:
    """Give GuardDuty's own score: `Product` is it; `Normalized` (0 to 100) and the label follow."""
    if not isinstance(severity, dict):
        return None
    if severity.get("Product") is not None:
        return severity["Product"]
    normalized = severity.get("Normalized")
    if is_number(normalized):
        return normalized / 10
    label = severity.get("Label")
    return _SEVERITY_OF_LABEL.get(label) if isinstance(label, str) else None


def _service(asff: Mapping[str, Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    def field(name: str) -> str:
        return _text(fields, f"aws/guardduty/service/{name}")

    service: dict[str, Any] = {
        "serviceName": "guardduty",
        "detectorId": _text(fields, "detectorId") or field("detectorId"),
        "eventFirstSeen": field("eventFirstSeen") or asff.get("FirstObservedAt"),
        "eventLastSeen": field("eventLastSeen") or asff.get("LastObservedAt"),
        "resourceRole": field("resourceRole"),
        "action": {"actionType": action} if (action := field("action/actionType")) else None,
    }
    archived, count = field("archived"), field("count")
    if archived in {"true", "false"} or asff.get("RecordState") == "ARCHIVED":
        service["archived"] = archived == "true" or asff.get("RecordState") == "ARCHIVED"
    if count.isascii() and count.isdigit() and len(count) < 16:
        service["count"] = int(count)
    if asff.get("Sample") is True or field("additionalInfo/sample") == "true":
        service["additionalInfo"] = {"sample": True}
    return {key: value for key, value in service.items() if value is not None and value != ""}


def _resource(asff: Mapping[str, Any]) -> dict[str, Any]:
    resources = asff.get("Resources")
    first = (
        next((item for item in resources if isinstance(item, dict)), {})
        if isinstance(resources, list)
        else {}
    )
    kind, identity = _text(first, "Type"), _text(first, "Id")
    resource: dict[str, Any] = {"resourceType": _RESOURCE_TYPES.get(kind, kind)} if kind else {}
    name = identity.rpartition("/")[2]
    match kind:
        case "AwsEc2Instance":
            resource["instanceDetails"] = {"instanceId": name}
        case "AwsS3Bucket":
            resource["s3BucketDetails"] = [{"arn": identity, "name": identity.rpartition(":")[2]}]
        case "AwsEksCluster":
            resource["eksClusterDetails"] = {"arn": identity, "name": name}
        case "AwsEcsCluster":
            resource["ecsClusterDetails"] = {"arn": identity, "name": name}
        case "AwsLambdaFunction":
            resource["lambdaDetails"] = {"functionArn": identity, "functionName": identity.rpartition(":")[2]}
        case "AwsRdsDbInstance":
            resource["rdsDbInstanceDetails"] = {
                "dbInstanceArn": identity,
                "dbInstanceIdentifier": identity.rpartition(":")[2],
            }
        case "AwsIamAccessKey":
            resource["accessKeyDetails"] = _access_key(first, identity)
    return resource


def _access_key(resource: Mapping[str, Any], identity: str) -> dict[str, Any]:
    details = resource.get("Details")
    key = details.get("AwsIamAccessKey") if isinstance(details, dict) else None
    key = key if isinstance(key, dict) else {}
    given = {
        "accessKeyId": key.get("AccessKeyId") or identity.rpartition(":")[2],
        "principalId": key.get("PrincipalId"),
        "userName": key.get("PrincipalName") or key.get("UserName"),
        "userType": key.get("PrincipalType"),
    }
    return {name: value for name, value in given.items() if value is not None}
