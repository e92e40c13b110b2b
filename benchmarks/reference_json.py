"""The script people write: decode with the standard library, split the type, band the severity, encode."""

import json
import re
import sys
from pathlib import Path

TYPE = re.compile(r"^(\w+):(\w+)/([^.!]+)(?:\.([^!]+))?(?:!(.+))?$")


def label(score: float) -> str:
    """Give the severity label of a score."""
    if score >= 9:
        return "Critical"
    return "High" if score >= 7 else "Medium" if score >= 4 else "Low"


with Path(sys.argv[1]).open() as lines, Path(sys.argv[2]).open("w") as output:
    for line in lines:
        event = json.loads(line)
        detail = event.get("detail", event)
        parts = TYPE.match(detail.get("type", ""))
        if parts:
            event["threat_purpose"], event["threat_resource_affected"], event["threat_family"] = (
                parts.groups()[:3]
            )
        event["severity_label"] = label(detail.get("severity", 0))
        output.write(json.dumps(event) + "\n")
