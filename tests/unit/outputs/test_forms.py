import json

import pytest

from guardduty_lens import Lens
from guardduty_lens.outputs.forms import added_only, flatten, flattened, whole


def deep(levels, bottom):
    value = bottom
    for level in range(levels, 0, -1):
        value = {f"a{level}": value}
    return value


# What npm's `flat` 5 gives for `flatten(value, {maxDepth: 10})`.
@pytest.mark.parametrize(
    ("value", "flat"),
    [
        ({}, {}),
        ({"a": None, "b": True, "c": "x", "d": 1.5}, {"a": None, "b": True, "c": "x", "d": 1.5}),
        ({"a": {"b": 1, "c": {"d": 2}}}, {"a.b": 1, "a.c.d": 2}),
        ({"a": [1, {"b": 2}, [3, [4]]]}, {"a.0": 1, "a.1.b": 2, "a.2.0": 3, "a.2.1.0": 4}),
        ({"a": {}, "b": [], "c": {"d": {}, "e": [[]]}}, {"a": {}, "b": [], "c.d": {}, "c.e.0": []}),
        ({"a.b": {"c": 1}}, {"a.b.c": 1}),
        ({"a.b": 1, "a": {"b": 2}}, {"a.b": 2}),
        ({"a": {"b": 2}, "a.b": 1}, {"a.b": 1}),
        ({"": {"a": 1}, "b": {"": {"c": 3}}}, {"a": 1, "b..c": 3}),
        (deep(10, 1), {"a1.a2.a3.a4.a5.a6.a7.a8.a9.a10": 1}),
        (deep(11, 1), {"a1.a2.a3.a4.a5.a6.a7.a8.a9.a10": {"a11": 1}}),
        (deep(9, [{"b": 1}]), {"a1.a2.a3.a4.a5.a6.a7.a8.a9.0": {"b": 1}}),
        (deep(10, [{"b": 1}]), {"a1.a2.a3.a4.a5.a6.a7.a8.a9.a10": [{"b": 1}]}),
    ],
)
def test_flatten_is_npm_flat_with_max_depth_10(value, flat):
    before = json.dumps(value)
    assert flatten(value) == flat
    assert json.dumps(value) == before


def test_flatten_to_another_depth():
    assert flatten({"a": {"b": {"c": 1}}}, 1) == {"a": {"b": {"c": 1}}}
    assert flatten({"a": {"b": {"c": 1}}}, 2) == {"a.b": {"c": 1}}


FINDING = {
    "type": "Recon:EC2/Portscan",
    "id": "f1",
    "severity": 5,
    "service": {"count": 2, "archived": False},
    "resource": {"tags": []},
}


def record(payload):
    [item] = Lens(extractors=()).process(payload)
    return item


def written(form, item):
    buffer = bytearray(b"before")
    form(item, buffer)
    assert buffer.startswith(b"before")
    return bytes(buffer[6:])


def test_whole():
    item = record(FINDING)
    decoded = json.loads(written(whole, item))
    assert decoded == item.to_dict()
    assert decoded["detail"] == FINDING
    assert decoded["source"] == "aws.guardduty"
    assert decoded["severity_label"] == "Medium"
    assert b"\n" not in written(whole, item)


def test_added_only():
    item = record(FINDING)
    decoded = json.loads(written(added_only, item))
    assert decoded == item.added()
    assert decoded["threat_name"] == "Portscan"
    assert not decoded.keys() & {"detail", "source", "version", "resources"}


def test_flattened_is_the_content_of_detail_and_our_fields():
    item = record(FINDING)
    assert json.loads(written(flattened, item)) == item.added() | {
        "type": "Recon:EC2/Portscan",
        "id": "f1",
        "severity": 5,
        "service.count": 2,
        "service.archived": False,
        "resource.tags": [],
    }


def test_flattened_without_an_object_under_detail_is_the_event():
    assert json.loads(written(flattened, record({"a": {"b": [1]}}))) == {"a.b.0": 1, "record_kind": "other"}
    event = {"source": "aws.x", "detail": "text", "b": {"c": 1}}
    assert json.loads(written(flattened, record(event))) == {
        "source": "aws.x",
        "detail": "text",
        "b.c": 1,
        "record_kind": "other_aws",
    }


def test_our_fields_win_over_keys_of_the_same_name():
    finding = FINDING | {"finding_id": "theirs", "severity_label": {"a": 1}}
    flat = json.loads(written(flattened, record(finding)))
    assert flat["finding_id"] == "f1"
    assert flat["severity_label"] == "Medium"


@pytest.mark.parametrize("form", [whole, added_only, flattened])
def test_no_duplicate_keys(form):
    wrapped = {"detail": FINDING | {"finding_id": "x"}, "finding_id": "y", "severity_rank": 9}
    pairs = []

    def collect(items):
        keys = [key for key, _ in items]
        pairs.append(len(keys) == len(set(keys)))
        return dict(items)

    json.loads(written(form, record(wrapped)), object_pairs_hook=collect)
    assert all(pairs)


@pytest.mark.parametrize("form", [whole, added_only, flattened])
def test_the_field_prefix_reaches_every_form(form):
    [item] = Lens(extractors=(), field_prefix="gd_").process(FINDING)
    decoded = json.loads(written(form, item))
    assert decoded["gd_threat_name"] == "Portscan"
    assert decoded["gd_record_kind"] == "finding"
    assert not decoded.keys() & {"threat_name", "record_kind"}


@pytest.mark.parametrize("form", [whole, flattened])
def test_numbers_leave_as_they_came(form):
    numbers = '"severity":5.0,"big":123456789012345678901234567890,"tiny":-0.0,"long":9007199254740993'
    out = written(form, record('{"type":"A:B/c","id":"f","service":{},' + numbers + "}")).decode()
    assert numbers in out


@pytest.mark.parametrize("form", [whole, flattened])
@pytest.mark.parametrize("key", ["severity", "x"])
def test_a_number_beyond_a_double_leaves_as_it_came(form, key):
    finding = {"type": "A:B/c", "id": "f", "service": {}, "severity": 5, key: 77}
    out = written(form, record(json.dumps(finding).replace("77", "1e400"))).decode()
    assert f'"{key}":1e400' in out.lower().replace("e+", "e").replace('": ', '":')
    json.loads(out)


@pytest.mark.parametrize("form", [whole, flattened])
def test_text_leaves_with_the_same_meaning(form):
    text = '"é😀\\u0000\\ud83d\\ude00 \\u2028</script>"'
    finding = '{"type":"A:B/c","id":"f","service":{},"severity":5,"u":' + text + "}"
    out = json.loads(written(form, record(finding)))
    assert out.get("detail", out)["u"] == json.loads(text) == "é😀\x00😀 \u2028</script>"
