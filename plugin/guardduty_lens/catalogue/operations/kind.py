"""`kind`: what an event is. Fixed code, the same in every engine.

Names of the events: Amazon EventBridge events reference, "Amazon GuardDuty events", and the AWS Health
and CloudTrail pages of the EventBridge user guide.
"""

from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeGuard

from guardduty_lens.catalogue.model import KindOptions
from guardduty_lens.catalogue.operations.base import OperationSpec, Tables

Kind = Literal["finding", "malware_scan", "coverage", "health", "api_call", "other_aws", "other"]

KINDS: tuple[Kind, ...] = ("finding", "malware_scan", "coverage", "health", "api_call", "other_aws", "other")

# These carry nothing of ours beyond their kind.
FOREIGN_KINDS: frozenset[str] = frozenset({"other_aws", "other"})

FINDING_DETAIL_TYPE = "GuardDuty Finding"
GUARDDUTY_SOURCE = "aws.guardduty"

KIND_OF_DETAIL_TYPE: Mapping[str, Kind] = {
    "GuardDuty Malware Protection Object Scan Result": "malware_scan",
    "GuardDuty Malware Protection Post Scan Action Failed": "malware_scan",
    "GuardDuty Runtime Protection Healthy": "coverage",
    "GuardDuty Runtime Protection Unhealthy": "coverage",
    "GuardDuty Malware Protection Resource Status Active": "health",
    "GuardDuty Malware Protection Resource Status Warning": "health",
    "GuardDuty Malware Protection Resource Status Error": "health",
}

EVIDENCE_KEYS = ("service", "resource", "severity", "schemaVersion", "accountId")


def is_finding(value: Any) -> TypeGuard[dict[str, Any]]:
    """Tell whether a value is a finding in AWS's camelCase: type, id or arn, and two more marks."""
    if not isinstance(value, dict) or not _is_text(value.get("type")):
        return False
    if not (_is_text(value.get("id")) or _is_text(value.get("arn"))):
        return False
    return sum(value.get(key) is not None for key in EVIDENCE_KEYS) >= 2


def is_cloudtrail_record(value: Mapping[str, Any]) -> bool:
    """Tell whether an object is one record of a CloudTrail log file."""
    source = value.get("eventSource")
    return (
        type(source) is str
        and source.endswith(".amazonaws.com")
        and _is_text(value.get("eventVersion"))
        and _is_text(value.get("eventName"))
    )


def kind_of(event: Mapping[str, Any]) -> Kind:
    """Say what an event is, from the finding test, then `source` and `detail-type`."""
    detail = event.get("detail")
    if is_finding(detail):
        return "finding"
    source, detail_type = event.get("source"), event.get("detail-type")
    if type(source) is str and type(detail_type) is str:
        if detail_type.endswith(" via CloudTrail"):
            return "api_call"
        if source == GUARDDUTY_SOURCE and detail_type in KIND_OF_DETAIL_TYPE:
            return KIND_OF_DETAIL_TYPE[detail_type]
        if source == "aws.health" and isinstance(detail, dict) and detail.get("service") == "GUARDDUTY":
            return "health"
    return _kind_without_envelope(event, source)


def _kind_without_envelope(event: Mapping[str, Any], source: Any) -> Kind:
    if type(source) is str and source.startswith("aws."):
        return "other_aws"
    if is_cloudtrail_record(event):
        return "api_call"
    event_source = event.get("eventSource")
    return "other_aws" if type(event_source) is str and event_source.startswith("aws:") else "other"


def _is_text(value: Any) -> bool:
    return type(value) is str and value != ""


def _prepare(_options: KindOptions, _tables: Tables) -> Callable[[Mapping[str, Any]], Kind]:
    return kind_of


SPEC = OperationSpec("kind", "event", _prepare)
