import datetime
import json
from decimal import Decimal
from types import MappingProxyType

import pytest

from guardduty_lens.payloads.json_text import decode_json, deepest, encode_json
from guardduty_lens.payloads.pieces import UnreadableError


def reason(raw: bytes, nesting: int | None = None) -> str:
    with pytest.raises(UnreadableError) as caught:
        decode_json(raw, nesting)
    return caught.value.reason


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"", "not_json"),
        (b"{", "not_json"),
        (b'{"a":1}x', "not_json"),
        (b"NaN", "not_json"),
        (b'"\\ud800"', "not_json"),
        (b"1" * 5000, "not_json"),
        (b'"\xff"', "not_utf8"),
        (b"\xff\xfe{\x00", "not_utf8"),
        (b"[" * 100_000 + b"]" * 100_000, "too_deep"),
        (b"[" * 100_000, "too_deep"),
    ],
)
def test_what_is_not_decoded(raw, expected):
    assert reason(raw) == expected


def test_nesting_is_counted_where_it_is_limited():
    assert decode_json(b'[{"a":[1]}]', 3) == [{"a": [1]}]
    assert reason(b'[{"a":[1]}]', 2) == "too_deep"
    assert decode_json(b'["[[[{{{"]', 1) == ["[[[{{{"]
    assert decode_json(b"[" * 300 + b"]" * 300, None)
    assert deepest(b'[{"a":[]},"]"]') == 3


def test_numbers_that_no_double_holds_stay_as_they_are():
    assert decode_json(b"[1e400,1.50]", None) == [Decimal("1e400"), 1.5]
    assert encode_json([Decimal("1e400"), 5.0, 2**70]) == b"[1E+400,5.0,%d]" % 2**70


def test_what_is_encoded():
    moment = datetime.datetime(2025, 1, 1, tzinfo=datetime.UTC)
    value = {"a": (1, MappingProxyType({"b": "\u00e9\n"})), "c": b"x", "d": moment}
    assert json.loads(encode_json(value)) == {
        "a": [1, {"b": "\u00e9\n"}],
        "c": "eA==",
        "d": "2025-01-01T00:00:00Z",
    }


def test_what_cannot_be_encoded():
    with pytest.raises(UnreadableError) as caught:
        encode_json({"a": "\ud800"})
    assert (caught.value.reason, caught.value.raw) == ("not_utf8", b'{"a": "\\ud800"}')
    deep: object = 1
    for _ in range(100_000):
        deep = [deep]
    for value in (deep, ["\ud800", deep]):
        with pytest.raises(UnreadableError) as caught:
            encode_json(value)
        assert caught.value.reason in {"too_deep", "not_utf8"}
    with pytest.raises(TypeError):
        encode_json({"a": object()})
