"""An extractor for guardduty-lens: the team that owns what a finding is about.

The `team` tag of the resource says whose it is; where there is none, the account does, by a JSON file that
the environment variable OWNER_TEAMS names:

    {"accounts": {"111122223333": "payments"}, "contacts": {"payments": ["payments@example.com"]}}
"""

import json
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from guardduty_lens import Extractor, ExtractorField

TEAMS_FILE = "OWNER_TEAMS"
TAG = "team="


@cache
def teams() -> Mapping[str, Any]:
    """Read the file once; without one, only tags say who owns what.

    An unreadable one raises OSError or ValueError: each record then warns `extractor_failed:owner`.
    """
    path = os.environ.get(TEAMS_FILE)
    return json.loads(Path(path).read_text("utf-8")) if path else {}


def extract(_event: Mapping[str, Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    """Give the team and how to reach it. A value that is None or empty is left out.

    `_event` is the finding in EventBridge's layout, for what `fields`, the fields added so far, do not have.
    """
    tags = fields.get("resource_tags", ())
    tagged = next((tag.removeprefix(TAG) for tag in tags if tag.startswith(TAG)), None)
    team = tagged or teams().get("accounts", {}).get(fields.get("account_id"))
    return {"owner_team": team, "owner_contacts": teams().get("contacts", {}).get(team)}


EXTRACTOR = Extractor(
    name="owner",
    fields=(
        ExtractorField(name="owner_team", type="label", description="The team that owns the resource."),
        ExtractorField(
            name="owner_contacts",
            type="label",
            cardinality="many",
            description="Where that team is reached.",
        ),
    ),
    extract=extract,
)
