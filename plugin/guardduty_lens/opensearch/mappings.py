"""Mappings of documents: AWS's model of a finding, its envelope, and the fields that a plan adds.

Every leaf has a type that takes whatever scalar comes: what occurs in public findings is often not what the
model says. Only an object where a scalar belongs, and a scalar where an object belongs, is refused.
"""

from collections.abc import Mapping as ReadOnly

from guardduty_lens.aws_model import FindingModel, Shape
from guardduty_lens.engine.plan import Plan
from guardduty_lens.opensearch.leaves import ALL_WORDS, Leaves, Mapping, members

SEED_SPELLING = {"threat_resorce_affected": "threat_resource_affected"}
"""The second seed's spelling of a field, kept as an alias: the only one, since no document carries it."""

INGESTED_AT, INGEST_LAG, PIPELINE_FAILURE = "ingested_at", "ingest_lag_seconds", "lens_pipeline_failure"
"""Fields that are set when a record enters an index; they take the field prefix."""

PROSE = frozenset({"title", "description"})
DATES = frozenset({"createdAt", "updatedAt", "eventFirstSeen", "eventLastSeen", "launchTime"})
"""Members that the model calls strings, and that are dates."""
ADDRESSES = frozenset(
    {
        "ip",
        "ipAddressV4",
        "ipAddressV6",
        "ipv6Addresses",
        "privateIpAddress",
        "publicIp",
        "sourceIPAddress",
        "sourceIPs",
        "sourceIps",
    }
)
"""Members that the model calls strings, and that are addresses."""

# Spelled otherwise in AWS's documents and in findings than in the model.
_OTHER_SPELLINGS = {"LoginAttributes": "loginAttributes", "sourceIPs": "sourceIps"}

_SEED_ROLE = "detail.resource.instanceDetails.service.resourceRole"
_SEED_SEVERITY = "detail.resource.instanceDetails.severity"


def finding_properties(model: FindingModel, leaves: Leaves) -> Mapping:
    """Give the mapping of a finding, what is `detail` in a record, by AWS's JSON names."""
    root = model.shapes[model.root]
    return {
        spelling: _of_shape(name, model.shapes[member.shape], model, leaves)
        for name, member in root.members.items()
        for spelling in _spellings(name)
    }


def _spellings(name: str) -> set[str]:
    return {name, _OTHER_SPELLINGS.get(name, name)}


def _of_shape(name: str, shape: Shape, model: FindingModel, leaves: Leaves) -> Mapping:
    if shape.kind == "list" and shape.member:
        return _of_shape(name, model.shapes[shape.member.shape], model, leaves)
    if shape.is_open or shape.kind == "map" or (shape.kind == "structure" and not shape.members):
        return leaves.free()
    if shape.kind == "structure":
        below = {
            spelling: _of_shape(key, model.shapes[member.shape], model, leaves)
            for key, member in shape.members.items()
            for spelling in _spellings(key)
        }
        return members(**below)
    return _of_scalar(name, shape.kind, leaves)


def _of_scalar(name: str, kind: str, leaves: Leaves) -> Mapping:
    if kind == "timestamp":
        return leaves.date("epoch_second")
    if kind in ("integer", "long"):
        return leaves.number("long")
    if kind == "double":
        return leaves.number("double")
    if kind == "boolean":
        return leaves.flag()
    if name in DATES:
        return leaves.date()
    if name in ADDRESSES:
        return leaves.ip()
    return leaves.prose() if name in PROSE else leaves.text()


def document_properties(model: FindingModel, leaves: Leaves) -> Mapping:
    """Give the mapping of a record as it came: the envelope, `detail` of every kind, Security Hub's form."""
    detail = cloudtrail_properties(leaves) | _other_kinds(leaves) | finding_properties(model, leaves)
    _fill_the_seeds_paths(detail, leaves)
    texts = ("version", "id", "detail-type", "source", "account", "region", "resources")
    return {
        **{name: leaves.text() for name in texts},
        "time": leaves.date(),
        "detail": members(**detail),
        "asff": leaves.free(),
    }


def _fill_the_seeds_paths(detail: Mapping, leaves: Leaves) -> None:
    """Let role and severity be found where the second seed has them, inside instanceDetails."""
    role = detail["service"]["properties"]["resourceRole"]
    role["copy_to"] = [*role["copy_to"], _SEED_ROLE]
    detail["severity"]["copy_to"] = [_SEED_SEVERITY]
    number = leaves.number("double")
    instance = detail["resource"]["properties"]["instanceDetails"]["properties"]
    instance["severity"] = number | {"fields": {"numeric": number}}
    instance["service"] = members(resourceRole=leaves.text(), eventLastSeen=leaves.date())


def _other_kinds(leaves: Leaves) -> Mapping:
    """Map `detail` of malware scans, of coverage and of the health of protection plans."""
    texts = ("scanStatus", "resourceType", "resourceAccountId", "currentStatus", "previousStatus", "issue")
    free = ("s3ObjectDetails", "scanResultDetails", "resourceDetails", "s3BucketDetails")
    return {
        **{name: leaves.text() for name in texts},
        **{name: leaves.free() for name in free},
        "lastUpdatedAt": leaves.date(),
    }


def cloudtrail_properties(leaves: Leaves) -> Mapping:
    """Give the mapping of a CloudTrail record; what each service defines for itself is free-form."""
    texts = (
        *("eventVersion", "eventID", "eventSource", "eventName", "eventType", "eventCategory"),
        *("awsRegion", "userAgent", "errorCode", "errorMessage", "requestID", "sharedEventID"),
        *("apiVersion", "recipientAccountId", "vpcEndpointId", "vpcEndpointAccountId"),
    )
    free = ("userIdentity", "requestParameters", "responseElements", "additionalEventData", "tlsDetails")
    return {
        **{name: leaves.text() for name in texts},
        **{name: leaves.free() for name in free},
        "eventTime": leaves.date(),
        "sourceIPAddress": leaves.ip(),
        "readOnly": leaves.flag(),
        "managementEvent": leaves.flag(),
    }


def added_properties(plan: Plan, extra_fields: ReadOnly[str, str], leaves: Leaves) -> Mapping:
    """Give the mapping of the fields that we add: those of the plan, of extractors, and of entering an index.

    Raises ValueError where a field has a name that is not free.
    """
    types = {entry.key: entry.type for entry in plan.entries if not entry.hidden} | dict(extra_fields)
    prefix = plan.field_prefix
    own = _entering(leaves, prefix)
    own |= {
        f"{prefix}{alias}": {"type": "alias", "path": f"{prefix}{field}"}
        for alias, field in SEED_SPELLING.items()
        if f"{prefix}{field}" in types
    }
    if taken := sorted(types.keys() & own.keys()):
        raise ValueError(f"the field names {', '.join(taken)} are taken by what is set on entering an index")
    return {key: leaves.field(kind) for key, kind in types.items()} | own


def _entering(leaves: Leaves, prefix: str) -> Mapping:
    return {
        "@timestamp": leaves.date(),
        f"{prefix}{INGESTED_AT}": leaves.date(),
        f"{prefix}{INGEST_LAG}": leaves.number("double"),
        f"{prefix}{PIPELINE_FAILURE}": members(step=leaves.text(), message=leaves.prose()),
        f"{prefix}{ALL_WORDS}": leaves.words(),
    }
