"""The JSON Schema of catalogue files."""

from pathlib import Path

import msgspec
import pytest
from jsonschema import Draft202012Validator

from guardduty_lens.catalogue.load import builtin_catalogue, builtin_files, catalogue_of_builtin_files
from guardduty_lens.catalogue.model import OPERATION_NAMES, CatalogueFile
from guardduty_lens.catalogue.positions import read_yaml
from guardduty_lens.catalogue.schema import catalogue_schema, normalise

VALID = sorted((Path(__file__).parents[2] / "catalogue" / "valid").glob("*.yml"))


def validate(data):
    return [error.message for error in Draft202012Validator(catalogue_schema()).iter_errors(data)]


def test_it_is_a_schema():
    schema = catalogue_schema()
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"]
    assert schema["title"]


def test_it_knows_every_key_of_the_model():
    definitions = catalogue_schema()["$defs"]
    assert set(definitions["CatalogueFile"]["properties"]) == {"group", "about", "tables", "fields"}
    assert set(definitions["Operation"]["properties"]) == set(OPERATION_NAMES)
    assert all(definition["additionalProperties"] is False for definition in definitions.values())
    assert all(definition["description"] for definition in definitions.values())


def test_no_key_may_be_null_save_what_an_example_gives():
    def nulls(node, where=""):
        if isinstance(node, dict):
            if node.get("type") == "null" or "null" in node.get("type", ()):
                yield where
            for key, value in node.items():
                yield from nulls(value, f"{where}/{key}")

    assert list(nulls(catalogue_schema())) == []


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.stem)
def test_valid_files_are_valid_before_and_after_the_shorthand_is_written_out(path):
    data = read_yaml(path.read_text("utf-8"), path.name).data
    assert validate(data) == []
    assert validate(normalise(data)) == []
    msgspec.convert(normalise(data), CatalogueFile)


def test_the_shipped_files_are_valid():
    for name, text in builtin_files().items():
        data = read_yaml(text, name).data
        assert validate(data) == [], name
        assert validate(normalise(data)) == [], name


@pytest.mark.parametrize("name", OPERATION_NAMES)
def test_shorthand_is_written_out(name):
    data = {"fields": [{"operation": name, "from": ["a", {"path": "b", "operation": name}]}]}
    long = {name: {}}
    assert normalise(data) == {
        "fields": [{"operation": long, "from": ["a", {"path": "b", "operation": long}]}]
    }
    assert data["fields"][0]["operation"] == name


@pytest.mark.parametrize(
    "data",
    [
        *(None, 3, "fields", [], {}, {"fields": 3}, {"fields": [3, None, [], {}]}),
        {"fields": [{"operation": "numbr", "from": 3}, {"operation": 3, "from": [3, {"operation": []}]}]},
    ],
)
def test_what_is_no_catalogue_stays(data):
    assert normalise(data) == data


def test_what_is_read_at_start_up_is_what_the_yaml_files_say():
    # `make docs` writes it.
    assert builtin_catalogue() == catalogue_of_builtin_files()
