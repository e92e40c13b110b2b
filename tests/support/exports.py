"""GuardDuty's own exports, as it puts them into a bucket: gzipped lines under account, region and day."""

import gzip
from collections import defaultdict
from typing import Any

import msgspec

from guardduty_lens.samples import generate_findings

PREFIX = "AWSLogs"


def exports(count: int, seed: int = 7, *, findings_each: int = 10) -> dict[str, bytes]:
    """Give objects by their keys: sample findings, by account, region and day of their update."""
    folders = defaultdict(list)
    for finding in generate_findings(count, seed):
        day = finding["updatedAt"][:10].replace("-", "/")
        folders[f"{PREFIX}/{finding['accountId']}/GuardDuty/{finding['region']}/{day}"].append(finding)
    objects = {}
    for folder, findings in folders.items():
        for at in range(0, len(findings), findings_each):
            lines = b"".join(msgspec.json.encode(each) + b"\n" for each in findings[at : at + findings_each])
            objects[f"{folder}/{at:06}.jsonl.gz"] = gzip.compress(lines, mtime=0)
    return objects


def put_all(s3: Any, bucket: str, objects: dict[str, bytes]) -> None:
    """Put objects into a bucket."""
    for key, body in objects.items():
        s3.put_object(Bucket=bucket, Key=key, Body=body)
