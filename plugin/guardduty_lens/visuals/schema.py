"""The JSON Schema of dashboard files, exported from the model, for editors and as the linter's first step."""

from typing import Any

import msgspec

from guardduty_lens.catalogue.schema import plain_schema
from guardduty_lens.visuals.model import Dashboard

SCHEMA_ID = "urn:guardduty-lens:dashboard"


def dashboard_schema() -> dict[str, Any]:
    """Give the JSON Schema (2020-12) of a dashboard file whose shorthand is written out."""
    exported = plain_schema(msgspec.json.schema(Dashboard))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        "title": "Dashboard file of guardduty-lens",
        **exported,
    }
