"""What AWS's functions are invoked with, and what they left behind."""

import json
from typing import Any

from http_json import Server


def counts(cluster: Server, prefix: str) -> tuple[int, int]:
    """Give the numbers of documents in the log and in the state."""
    cluster.expect("POST", f"{prefix}*/_refresh")
    names = (f"{prefix}guarddutylogs-*", f"{prefix}guardduty-findings")
    return tuple(cluster.expect("GET", f"{name}/_count")["count"] for name in names)


def letters(s3: Any) -> list[dict[str, Any]]:
    found = s3.list_objects_v2(Bucket="dead").get("Contents", [])
    bodies = [s3.get_object(Bucket="dead", Key=each["Key"])["Body"].read() for each in found]
    return [json.loads(line) for body in bodies for line in body.splitlines()]


def told(*keys: str, bucket: str = "archive") -> dict[str, Any]:
    """Give S3's notification of objects that were put."""
    return {
        "Records": [
            {
                "eventSource": "aws:s3",
                "eventName": "ObjectCreated:Put",
                "s3": {"bucket": {"name": bucket}, "object": {"key": key}},
            }
            for key in keys
        ]
    }


def queued(*bodies: Any) -> dict[str, Any]:
    """Give what Lambda is invoked with for messages of SQS."""
    return {
        "Records": [
            {
                "messageId": f"m{number}",
                "eventSource": "aws:sqs",
                "body": body if isinstance(body, str) else json.dumps(body),
            }
            for number, body in enumerate(bodies)
        ]
    }
