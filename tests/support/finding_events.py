"""A finding that tests lay their changes over, and its bytes in the two layouts that arrive most."""

import json
from copy import deepcopy
from typing import Any

from guardduty_lens.catalogue.examples import lay_over

EVENT: dict[str, Any] = {
    "version": "0",
    "id": "5a0b1f0e-0000-4000-8000-000000000001",
    "detail-type": "GuardDuty Finding",
    "source": "aws.guardduty",
    "account": "111122223333",
    "time": "2025-03-04T05:06:07Z",
    "region": "eu-west-1",
    "resources": [],
    "detail": {
        "schemaVersion": "2.0",
        "accountId": "111122223333",
        "region": "eu-west-1",
        "partition": "aws",
        "id": "f1",
        "arn": "arn:aws:guardduty:eu-west-1:111122223333:detector/d1/finding/f1",
        "type": "UnauthorizedAccess:EC2/SSHBruteForce",
        "severity": 8,
        "title": "prod-shop",
        "createdAt": "2025-03-04T05:00:00.000Z",
        "updatedAt": "2025-03-04T05:06:00.000Z",
        "resource": {
            "resourceType": "Instance",
            "accessKeyDetails": {"userName": "root"},
            "eksClusterDetails": {"name": "pay-prod"},
            "instanceDetails": {"instanceId": "i-99999999", "tags": [{"key": "team", "value": "shop"}]},
            "s3BucketDetails": [{"tags": [{"key": "a", "value": "b"}, {"key": "c"}, {"value": "d"}]}],
        },
        "service": {
            "archived": True,
            "count": 3,
            "featureName": "flow",
            "additionalInfo": {
                "sent": "12",
                "free": "7",
                "value": '{"notes": [{"text": "a"}], "sample": true}',
            },
            "action": {
                "actionType": "NETWORK_CONNECTION",
                "networkConnectionAction": {
                    "blocked": False,
                    "remoteIpDetails": {
                        "ipAddressV4": "198.51.100.7",
                        "country": {"countryName": "Peru"},
                        "geoLocation": {"lat": -12.04, "lon": -77.03},
                    },
                    "remotePortDetails": {"port": 22},
                },
            },
            "detection": {
                "sequence": {
                    "uid": "u1",
                    "endpoints": [{"location": {"lat": 1.5, "lon": -2}}, {"location": {"lat": 91, "lon": 2}}],
                    "sequenceIndicators": [
                        {"key": "ATTACK_TECHNIQUE", "values": ["T1110 - Brute Force", "T1078"]},
                        {"key": "ATTACK_TACTIC", "values": ["Credential Access"]},
                    ],
                }
            },
        },
    },
}
"""A finding in EventBridge's layout, with something for most operations of a catalogue."""


def event(detail: dict[str, Any] | None = None, **envelope: Any) -> dict[str, Any]:
    """Give EVENT with changes laid over it; a null takes a key away."""
    return lay_over(deepcopy(EVENT), {"detail": detail or {}, **envelope})


def compact(value: Any) -> bytes:
    """Give a value's JSON as AWS and msgspec write it: no blanks, UTF-8."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def enveloped(members: str = "", outer: str = "") -> bytes:
    """Give EVENT's JSON with more text at the end of `detail`, and at the end of the event."""
    text = compact(EVENT).decode()
    return f"{text[:-2]}{members}}}{outer}}}".encode()


def bare(members: str = "") -> bytes:
    """Give the JSON of EVENT's finding alone, with more text at its end."""
    return f"{compact(EVENT['detail']).decode()[:-1]}{members}}}".encode()
