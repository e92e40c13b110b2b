import csv
import json
from pathlib import Path

import pytest

from guardduty_lens.aws_model import ANYTHING, Shape, load_finding_model

MODEL = load_finding_model()
SCHEMA = Path(__file__).parents[2] / "data" / "schema_fields.csv"
MODEL_TYPES = {"string(enum)": "string"}


def _rows() -> list[dict[str, str]]:
    with SCHEMA.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def _steps(json_path: str) -> list[str]:
    return [step for part in json_path.split(".") for step in part.replace("[]", " [*]").split()]


@pytest.mark.parametrize("row", _rows(), ids=lambda row: row["json_path"])
def test_every_known_path_resolves_to_its_type(row: dict[str, str]) -> None:
    shape = MODEL.resolve(_steps(row["json_path"]))
    assert shape is not None
    assert shape.kind == MODEL_TYPES.get(row["type"], row["type"])
    assert set(shape.enum) >= set(filter(None, row["enum_values"].split("|")))


def test_the_model_names_its_source_and_root() -> None:
    assert MODEL.source.startswith("botocore ")
    assert MODEL.source.endswith(", guardduty 2017-11-28")
    assert MODEL.resolve(()) is MODEL.shapes["Finding"]


def test_the_model_is_read_once() -> None:
    assert load_finding_model() is MODEL


@pytest.mark.parametrize(
    "path",
    [
        ("resource", "s3BucketDetails", "arn"),
        ("resource", "s3BucketDetails", "[*]", "nothing"),
        ("resource", "[*]"),
        ("resource", "S3BucketDetails"),
        ("id", "more"),
        ("service", "action", "awsApiCallAction", "affectedResources", "AWS::S3::Bucket", "more"),
        ("Id",),
        ("",),
    ],
)
def test_what_the_model_does_not_know_gives_none(path: tuple[str, ...]) -> None:
    assert MODEL.resolve(path) is None


def test_a_match_step_goes_to_list_elements() -> None:
    path = ("service", "detection", "sequence", "sequenceIndicators", "[key=ATTACK_TACTIC]", "values", "[*]")
    shape = MODEL.resolve(path)
    assert shape is not None
    assert shape.kind == "string"


def test_maps_take_any_key() -> None:
    shape = MODEL.resolve(("service", "action", "awsApiCallAction", "affectedResources", "AWS::S3::Bucket"))
    assert shape is not None
    assert shape.kind == "string"


def test_additional_info_is_open_below_its_known_members() -> None:
    info = ("service", "additionalInfo")
    opened = MODEL.resolve(info)
    assert opened is not None
    assert opened.is_open
    assert MODEL.resolve((*info, "sample")) is ANYTHING
    assert MODEL.resolve((*info, "unusual", "[*]", "deeper")) is ANYTHING
    assert MODEL.resolve((*info, "value")) == Shape(kind="string")
    assert MODEL.resolve((*info, "value", "more")) is None
    assert MODEL.resolve((*info, "[*]")) is None


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (("resource", "s3BucketDetail"), "s3BucketDetails"),
        (("resource", "S3BucketDetails", "[*]", "arn"), "s3BucketDetails"),
        (("resource", "s3BucketDetails", "arn"), "[*]"),
        (("severty",), "severity"),
    ],
)
def test_the_nearest_name_comes_first(path: tuple[str, ...], name: str) -> None:
    assert MODEL.suggest(path)[0] == name


@pytest.mark.parametrize("path", [(), ("severity",), ("zzzzzzzz",), ("id", "more"), ("resource", "[*]")])
def test_nothing_near_suggests_nothing(path: tuple[str, ...]) -> None:
    assert MODEL.suggest(path) == ()


def _inner(shape: Shape) -> list[str]:
    references = [reference.shape for reference in (shape.member, shape.key, shape.value) if reference]
    return references + [member.shape for member in shape.members.values()]


def test_no_shape_holds_itself() -> None:
    def descend(name: str, above: tuple[str, ...]) -> None:
        assert name not in above
        for inner in _inner(MODEL.shapes[name]):
            descend(inner, (*above, name))

    descend(MODEL.root, ())


def test_every_reference_is_there_and_every_shape_is_used() -> None:
    used = {MODEL.root} | {name for shape in MODEL.shapes.values() for name in _inner(shape)}
    assert used == set(MODEL.shapes)


def test_no_api_name_is_the_json_name_of_another_member() -> None:
    for shape in MODEL.shapes.values():
        for name, member in shape.members.items():
            assert member.api == name or member.api not in shape.members


def test_the_file_is_written_stably() -> None:
    path = Path(__file__).parents[3] / "plugin" / "guardduty_lens" / "aws_model" / "finding.json"
    text = path.read_text(encoding="utf-8")
    assert text == json.dumps(json.loads(text), indent=2, sort_keys=True, ensure_ascii=False) + "\n"
