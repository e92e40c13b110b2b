"""What a script inside a shipper reads: the plan, and what a record is in the cluster, as one JSON document.

Unwrapping is Python's alone: a script takes EventBridge's layout, a bare finding in camelCase, and either as
text in one of `TEXT_KEYS`. Python extractors are left out.
"""

from typing import Any

import msgspec

from guardduty_lens.compilers.parameters import (
    GUARDDUTY_KINDS,
    IDENTITY_FIELDS,
    TEXT_KEYS,
    Regexes,
    interpreter_params,
)
from guardduty_lens.engine.plan import Plan
from guardduty_lens.opensearch.documents import LONGEST_ID_BYTES
from guardduty_lens.opensearch.names import Names

PLAN_FILE = "guardduty-plan.json"
"""The name of the file that a script reads."""


def script_plan(plan: Plan, names: Names, regexes: Regexes) -> dict[str, Any]:
    """Give the document; every script adds to it what only its shipper asks."""
    prefix = plan.field_prefix
    times = {name: f"{prefix}{name}" for name in ("ingested_at", "ingest_lag_seconds")}
    return interpreter_params(plan, regexes) | {
        "text_keys": list(TEXT_KEYS),
        "ours": sorted({*plan.keys, *times.values()}),
        "identity": {
            "keys": {field: f"{prefix}{field}" for field in IDENTITY_FIELDS},
            "log": names.log,
            "cloudtrail": names.cloudtrail,
            "kinds": list(GUARDDUTY_KINDS),
            "longest_id": LONGEST_ID_BYTES,
        },
        "times": times | {"of": [f"{prefix}eventLastSeen", "time", "eventTime"]},
    }


def plan_text(document: dict[str, Any]) -> str:
    """Write the document so that a difference between two of them can be read."""
    return msgspec.json.format(msgspec.json.encode(document), indent=1).decode() + "\n"
