"""The catalogue's JSON Schema, exported from its model, and the shorthand that the schema allows.

Editors read it (`# yaml-language-server: $schema=…`), and the linter's first step is to validate with it.
"""

import inspect
from typing import Any

import msgspec

from guardduty_lens.catalogue.model import OPERATION_NAMES, CatalogueFile

SCHEMA_ID = "urn:guardduty-lens:catalogue"


def catalogue_schema() -> dict[str, Any]:
    """Give the JSON Schema (2020-12) of a catalogue file.

    Narrower than the model in one thing: a key that is there has a value, never null (save in examples).
    """
    exported = plain_schema(msgspec.json.schema(CatalogueFile))
    definitions = exported["$defs"]
    definitions["Operation"] |= {"minProperties": 1, "maxProperties": 1}
    for owner in ("Entry", "Source"):
        properties = definitions[owner]["properties"]
        properties["operation"] = {"anyOf": [{"enum": list(OPERATION_NAMES)}, properties["operation"]]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        "title": "Catalogue file of guardduty-lens",
        **exported,
    }


def normalise(data: Any) -> Any:
    """Write shorthand out: `operation: number` becomes `operation: {number: {}}`.

    Gives new data and leaves the given alone; takes anything, and leaves what is no catalogue as it is.
    """
    if not isinstance(data, dict) or not isinstance(data.get("fields"), list):
        return data
    return data | {"fields": [_normalise_entry(entry) for entry in data["fields"]]}


def _normalise_entry(entry: Any) -> Any:
    entry = _normalise_operation(entry)
    if isinstance(entry, dict) and isinstance(entry.get("from"), list):
        return entry | {"from": [_normalise_operation(source) for source in entry["from"]]}
    return entry


def _normalise_operation(owner: Any) -> Any:
    if isinstance(owner, dict) and isinstance(owner.get("operation"), str):
        name = owner["operation"]
        return owner | {"operation": {name: {}}} if name in OPERATION_NAMES else owner
    return owner


def plain_schema(node: Any) -> Any:
    """Take null out of every choice, join what can be one `type`, and clean the descriptions."""
    if isinstance(node, list):
        return [plain_schema(item) for item in node]
    if not isinstance(node, dict):
        return node
    plain = {key: plain_schema(value) for key, value in node.items()}
    if plain.get("default", ...) is None:
        del plain["default"]
    if isinstance(plain.get("description"), str):
        plain["description"] = inspect.cleandoc(plain["description"])
    if "anyOf" in plain:
        plain |= _choice([item for item in plain.pop("anyOf") if item != {"type": "null"}])
    return plain


def _choice(alternatives: list[dict[str, Any]]) -> dict[str, Any]:
    if len(alternatives) == 1:
        return alternatives[0]
    if not all("type" in alternative for alternative in alternatives):
        return {"anyOf": alternatives}
    # Other keywords speak of one type each: minLength of strings, items of arrays.
    joined = {key: value for alternative in alternatives for key, value in alternative.items()}
    types = [alternative["type"] for alternative in alternatives]
    return joined | {"type": [name for name in types if name != "integer" or "number" not in types]}
