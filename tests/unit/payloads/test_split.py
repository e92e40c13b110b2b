import time
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardduty_lens.payloads import split
from guardduty_lens.payloads.limits import Limits
from guardduty_lens.payloads.pieces import REJECT_REASONS, Position
from guardduty_lens.payloads.split import BrokenSpan, Splitter
from guardduty_lens.payloads.unwrap import Unwrapper


def spans_of(data: bytes, *, size: int | None = None, limits: Limits | None = None):
    splitter = Splitter(Unwrapper((), limits).decode, limits)
    spans = []
    step = size or max(1, len(data))
    for start in range(0, len(data), step):
        spans += splitter.feed(data[start : start + step])
    return spans + list(splitter.close())


def brief(spans):
    """Values as they are, broken spans as (reason, bytes)."""
    return [(span.reason, span.raw) if isinstance(span, BrokenSpan) else span.value for span in spans]


def places(spans):
    return [(span.position.line, span.position.byte) for span in spans]


VALUES = [{"a": 1}, {"b": [2, "}"]}, {"c": {"d": None}}]


@pytest.mark.parametrize(
    "data",
    [
        b'{"a":1}\n{"b":[2,"}"]}\n{"c":{"d":null}}\n',
        b'{"a":1}\n{"b":[2,"}"]}\n{"c":{"d":null}}',
        b'{"a":1}\r\n{"b":[2,"}"]}\r\n{"c":{"d":null}}\r\n',
        b'\xef\xbb\xbf{"a":1}\n{"b":[2,"}"]}\n{"c":{"d":null}}\n',
        b'\xef\xbb\xbf{"a":1}\r\n\xef\xbb\xbf{"b":[2,"}"]}\r\n{"c":{"d":null}}\r\n',
        b'\n\n{"a":1}\n\n \t\n{"b":[2,"}"]}\n\r\n{"c":{"d":null}}\n\n',
        b'{"a":1}{"b":[2,"}"]}{"c":{"d":null}}',
        b'{"a":1} {"b":[2,"}"]}\t{"c":{"d":null}}',
        b'{"a":1},{"b":[2,"}"]},{"c":{"d":null}}',
        b'{"a":1},\n{"b":[2,"}"]},\n{"c":{"d":null}}\n',
        b'{"a":1}\n,{"b":[2,"}"]}\n,{"c":{"d":null}}\n',
        b'{"a":1}{"b":[2,"}"]}\n{"c":{"d":null}}\n',
        b'{\n  "a": 1\n}\n{\n  "b": [\n    2,\n    "}"\n  ]\n}\n{\n  "c": {\n    "d": null\n  }\n}\n',
        b'{\r\n  "a": 1\r\n}{\r\n  "b": [2, "}"]}\r\n{"c": {\r\n\r\n"d": null}}',
        b'\x1e{"a":1}\n\x1e{"b":[2,"}"]}\n\x1e{"c":{"d":null}}\n',
        b'  {"a":1}\n  {"b":[2,"}"]}\n  {"c":{"d":null}}\n',
    ],
)
@pytest.mark.parametrize("size", [None, 1, 2, 7])
def test_values_however_they_stand(data, size):
    spans = spans_of(data, size=size)
    assert brief(spans) == VALUES
    assert all(msgspec.json.decode(span.raw) == span.value for span in spans)


@pytest.mark.parametrize("data", [b"", b"\n", b" \r\n\t\n", b"\xef\xbb\xbf", b"\xef\xbb\xbf\r\n", b","])
def test_nothing_gives_nothing(data):
    assert spans_of(data) == []
    assert spans_of(data, size=1) == []


def test_arrays_and_texts_are_values():
    assert brief(spans_of(b'[1,{"a":2}]\n"{}"\n[]')) == [[1, {"a": 2}], "{}", []]


def test_the_bytes_of_a_value_are_those_that_came():
    data = b'  { "a" :1.50,\t"b":"\\u00e9\xc3\xa9" } \r\n{"c":2}'
    raw = [span.raw for span in spans_of(data)]
    assert raw == [b'{ "a" :1.50,\t"b":"\\u00e9\xc3\xa9" }', b'{"c":2}']


@pytest.mark.parametrize("size", [None, 1, 3])
def test_positions_of_values(size):
    data = b'\xef\xbb\xbf{"a":1}\n\r\n  {"b":2}{"c":3}\n{\n"d":4\n},\n{"e":5}'
    #        0   1   2   3      10  12   15     22     29   ^30      38  ^40
    assert places(spans_of(data, size=size)) == [(1, 3), (3, 15), (3, 22), (4, 30), (7, 41)]


@pytest.mark.parametrize("size", [None, 1, 3])
def test_positions_of_broken_spans(size):
    data = b'{"a":1}\nnot json\nat all\n{"b":2}\n{"c":tru}\n{"d":4}\n{"e":'
    #        0       8         17     24      32        42      50
    spans = spans_of(data, size=size)
    assert brief(spans) == [
        {"a": 1},
        ("not_json", b"not json\nat all"),
        {"b": 2},
        ("not_json", b'{"c":tru}'),
        {"d": 4},
        ("incomplete", b'{"e":'),
    ]
    assert places(spans) == [(1, 0), (2, 8), (4, 24), (5, 32), (6, 42), (7, 50)]


def test_positions_count_bytes_and_not_characters():
    spans = spans_of('{"a":"é😀"}\n{"b":1}'.encode())
    assert places(spans) == [(1, 0), (2, 15)]


@pytest.mark.parametrize("size", [None, 1])
@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"oops", [("not_json", b"oops")]),
        (b"oops\n", [("not_json", b"oops")]),
        (b"one\ntwo\n\nthree\n", [("not_json", b"one\ntwo\n\nthree")]),
        (b'one\ntwo\n{"a":1}\nthree\n', [("not_json", b"one\ntwo"), {"a": 1}, ("not_json", b"three")]),
        (b'one {"a":1}\n{"b":2}\n', [("not_json", b'one {"a":1}'), {"b": 2}]),
        (b'{"a":1} one\n{"b":2}\n', [{"a": 1}, ("not_json", b"one"), {"b": 2}]),
        (b'{"a":1}}\n{"b":2}\n', [{"a": 1}, ("not_json", b"}"), {"b": 2}]),
        (b"{'a':1}\n[2]\n", [("not_json", b"{'a':1}"), [2]]),
        (b'{"a":1,}\n{"b":2}\n', [("not_json", b'{"a":1,}'), {"b": 2}]),
        (b'{"a":01}\n{"b":2}\n', [("not_json", b'{"a":01}'), {"b": 2}]),
        (b'{"a":NaN}\n{"b":2}\n', [("not_json", b'{"a":NaN}'), {"b": 2}]),
        (b'{"a" 1}\n{"b":2}\n', [("not_json", b'{"a" 1}'), {"b": 2}]),
        (b'{1:1}\n{"b":2}\n', [("not_json", b"{1:1}"), {"b": 2}]),
        (b'{"a":[1}]\n{"b":2}\n', [("not_json", b'{"a":[1}]'), {"b": 2}]),
        (b'{"a":"\t"}\n{"b":2}\n', [("not_json", b'{"a":"\t"}'), {"b": 2}]),
        (b'{"a":"\\x"}\n{"b":2}\n', [("not_json", b'{"a":"\\x"}'), {"b": 2}]),
        (b'{\n  "a": {\n    oops\n  },\n  "b": [\n    {}\n  ]\n}\n{"c":3}\n', None),
        (b"\x00\x01\x02\n[1]\n", [("not_json", b"\x00\x01\x02"), [1]]),
        (b'{"a":"\xff"}\n{"b":2}\n', [("not_utf8", b'{"a":"\xff"}'), {"b": 2}]),
        (b'{"a":"\xed\xa0\x80"}\n{"b":2}\n', [("not_utf8", b'{"a":"\xed\xa0\x80"}'), {"b": 2}]),
    ],
)
def test_what_is_no_value_is_one_broken_span(data, expected, size):
    if expected is None:  # pretty-printed: no line within it starts the next value
        end = data.index(b"\n{" + b'"c"')
        expected = [("not_json", data[:end]), {"c": 3}]
    spans = spans_of(data, size=size)
    assert brief(spans) == expected
    assert {span.reason for span in spans if isinstance(span, BrokenSpan)} <= REJECT_REASONS.keys()


def test_text_goes_on_at_an_indented_value_too():
    assert brief(spans_of(b'oops\n  {"a":1}\n')) == [("not_json", b"oops"), {"a": 1}]


@pytest.mark.parametrize("size", [None, 1])
@pytest.mark.parametrize(
    ("data", "expected"),
    [
        # A line that starts a value ends a broken one if it is indented no deeper.
        (b'  {"a":tru}\n  {"b":2}\n', [("not_json", b'{"a":tru}'), {"b": 2}]),
        (b'  {"a":tru,\n   {"b":2}\n', [("not_json", b'{"a":tru,\n   {"b":2}')]),
        (b'  {"a":1}{"b":tru\n  {"c":3}\n', [{"a": 1}, ("incomplete", b'{"b":tru'), {"c": 3}]),
        (b'{\n"a":1\n} {"b":[tru,\n {}]}\n[2]', [{"a": 1}, ("not_json", b'{"b":[tru,\n {}]}'), [2]]),
        # What may stand between values may stand before it.
        (b'{"a":tru}\n,{"b":2}\n', [("not_json", b'{"a":tru}'), {"b": 2}]),
        (b'\x1e{"a":\n\x1e{"b":2}\n', [("incomplete", b'{"a":'), {"b": 2}]),
        (b'oops\r\n\xef\xbb\xbf{"b":2}\n', [("not_json", b"oops"), {"b": 2}]),
        (b"oops\n" + b" " * 1000 + b"[2]", [("not_json", b"oops"), [2]]),
        # Every element of an array that is cut short on its own lines is a value of its own.
        (
            b'[\n{"a":1},\n{"b":2},\n{"c":',
            [("incomplete", b"["), {"a": 1}, {"b": 2}, ("incomplete", b'{"c":')],
        ),
    ],
)
def test_where_a_broken_span_ends(data, expected, size):
    assert brief(spans_of(data, size=size)) == expected


@pytest.mark.parametrize("size", [None, 1])
@pytest.mark.parametrize("scalar", [b"42", b"-1.5e3", b"null", b"true", b"false"])
def test_a_lone_scalar_is_a_value(scalar, size):
    value = msgspec.json.decode(scalar)
    assert brief(spans_of(b'{"a":1}\n%s \r\n{"b":2}\n%s' % (scalar, scalar), size=size)) == [
        {"a": 1},
        value,
        {"b": 2},
        value,
    ]
    for text in (scalar + b" apples", scalar + b"\noops", scalar + b"x"):
        assert brief(spans_of(text, size=size)) == [("not_json", text)]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b'{"a":', [("incomplete", b'{"a":')]),
        (b'{"a":"b', [("incomplete", b'{"a":"b')]),
        (b'{"a":1', [("incomplete", b'{"a":1')]),
        (b"[", [("incomplete", b"[")]),
        (b'"abc', [("incomplete", b'"abc')]),
        (b'{"a":tr', [("incomplete", b'{"a":tr')]),
        (b'{"a":"\\', [("incomplete", b'{"a":"\\')]),
        (b'{"a":[{"b":2},\n{"c":3}', [("incomplete", b'{"a":[{"b":2},'), {"c": 3}]),
        (b'{\n  "a": 1,\n  "b"', [("incomplete", b'{\n  "a": 1,\n  "b"')]),
        # Another value began inside it: the next line is not lost.
        (b'{"a":\n{"b":2}\n{"c":3}\n', [("incomplete", b'{"a":'), {"b": 2}, {"c": 3}]),
        (b'{"a":1\n{"b":2}\n', [("incomplete", b'{"a":1'), {"b": 2}]),
        (b'{"a":"b\n{"b":2}\n', [("incomplete", b'{"a":"b'), {"b": 2}]),
    ],
)
@pytest.mark.parametrize("size", [None, 1])
def test_values_that_end_early(data, expected, size):
    assert brief(spans_of(data, size=size)) == expected


@pytest.mark.parametrize("size", [None, 1, 5])
@pytest.mark.parametrize(
    "data",
    [
        b'{"a":1}\n{"b":"' + b"x" * 30 + b'"}\n{"c":3}\n',
        b'{"a":1}\n{"b":\n"' + b"x" * 30 + b'"}\n{"c":3}\n',
        b'{"a":1}\n[1,2,3,4,5,6,7,8,9,10,11,12,13]\n{"c":3}\n',
        b'{"a":1}\n[1,2,3,4,5,6,7,8,9,10,11,12,13]{"d":4}\n{"c":3}\n',
    ],
)
def test_a_value_over_the_limit_is_broken_and_its_neighbours_pass(data, size):
    spans = spans_of(data, size=size, limits=Limits(value_bytes=20))
    assert [span.value for span in spans if not isinstance(span, BrokenSpan)] == [{"a": 1}, {"c": 3}]
    # It may come in parts, so that it need not be held.
    broken = [span for span in spans if isinstance(span, BrokenSpan)]
    assert {span.reason for span in broken} == {"too_large"}
    assert all(span.raw for span in broken)
    parts = b"".join(span.raw for span in broken)
    assert b"".join(parts.split()) == b"".join(data[8 : data.index(b'\n{"c"')].split())
    assert broken[0].position == Position(2, 8)


def test_a_value_of_just_the_limit_passes():
    assert brief(spans_of(b'{"a":"45678901234567"}', limits=Limits(value_bytes=22))) == [
        {"a": "45678901234567"}
    ]
    [broken] = spans_of(b'{"a":"456789012345678"}', limits=Limits(value_bytes=22))
    assert broken.reason == "too_large"


def test_endless_text_is_not_held():
    splitter = Splitter(Unwrapper().decode, Limits(value_bytes=1000))
    spans = []
    for _ in range(100):
        spans += splitter.feed(b"x" * 500)
    spans += splitter.close()
    assert sum(len(span.raw) for span in spans) == 50_000
    assert max(len(span.raw) for span in spans) <= 2000
    assert all(span.raw for span in spans)


@pytest.mark.parametrize("newline", [b"", b"\n"])
def test_one_long_line(newline):
    value = {"a": ["x" * 99] * 15_000}
    data = msgspec.json.encode(value)
    assert len(data) > 1024 * 1024
    assert brief(spans_of(data + newline, size=65_536)) == [value]
    assert brief(spans_of(data + newline)) == [value]


@pytest.mark.parametrize("newline", [b"", b"\n"])
def test_many_values_on_one_long_line_take_no_long_time(newline):
    one = msgspec.json.encode({"ids": ["f" * 9] * 120})
    number = 600_000 // len(one)
    started = time.process_time()
    spans = spans_of(one * number + newline)
    taken = time.process_time() - started
    assert len(spans) == number
    assert taken < 0.7


@pytest.mark.parametrize(
    "data",
    [
        b'{"a":\n' * 30_000,
        b"[\n" * 60_000,
        b'{"a":1,"b":"xx\n' * 20_000,
        b'{"a":1}' * 20_000,
        b"oops\n" * 200_000,
        b"{" * 500_000,
        b'{"a":"' + b"x" * 5_000_000,
        b"x\n" + b" " * 2_000_000,
    ],
    ids=lambda data: data[:12],
)
def test_time_grows_no_faster_than_the_input(data):
    started = time.process_time()
    spans_of(data, size=65_536)
    assert time.process_time() - started < 3


def test_lines_that_are_not_waited_for_give_the_same_spans(monkeypatch):
    data = (b'{"a":"' + b"x" * 90 + b'"}{"b":[2]}') * 5 + b'\n{"c":3}\n{"d":"' + b"y" * 90 + b'"}\n4\n[5]'
    whole = spans_of(data)
    monkeypatch.setattr(split, "_LINE_PATIENCE", 50)
    for size in (1, 7, 60, len(data)):
        assert spans_of(data, size=size) == whole


def test_what_is_very_large_comes_in_parts_of_twice_the_limit():
    value = b'{"a":"' + b"x" * 5000 + b'"}'
    spans = spans_of(value + b'\n{"b":2}\n', size=100, limits=Limits(value_bytes=1000))
    assert [span.raw for span in spans[:-1]] == [value[:2000], value[2000:4000], value[4000:]]
    assert {span.reason for span in spans[:-1]} == {"too_large"}
    assert [span.position.byte for span in spans[:-1]] == [0, 2000, 4000]
    assert spans[-1].value == {"b": 2}


def test_what_is_up_to_twice_the_limit_comes_whole():
    value = b'{"a":"' + b"x" * 30 + b'"}'
    [span] = spans_of(value, size=1, limits=Limits(value_bytes=20))
    assert (span.reason, span.raw) == ("too_large", value)


def test_many_levels_on_one_line_of_a_long_stream():
    data = b'{"a":' * 100_000 + b"1" + b"}" * 100_000
    assert brief(spans_of(b'[1]\n%s\n{"b":2}' % data)) == [[1], ("too_deep", data), {"b": 2}]


def test_nesting_of_just_the_limit_passes():
    limits = Limits(nesting=3)
    assert brief(spans_of(b'[{"a":[1]}]', limits=limits)) == [[{"a": [1]}]]
    assert brief(spans_of(b'[{"a":["[[[[{{{{"]}]', limits=limits)) == [[{"a": ["[[[[{{{{"]}]]
    assert brief(spans_of(b'[{"a":[[]]}]', limits=limits)) == [("too_deep", b'[{"a":[[]]}]')]


SEEDS = [
    b'{"a":1}\n{"b":"x\\"y"}\r\n{"c":[1,2.5e3,{"d":null}]}\n',
    b'{\n  "a": {\n    "b": [1, 2]\n  }\n}\n{"c":"\xc3\xa9"}{"d":true}',
    b'\xef\xbb\xbf[{"a":1},\n{"b":2}]\nnot json\n{"e":"f',
    b'"{\\"a\\":1}"\n  {"b":"\\ud83d\\ude00"},\n\n{"c":-0.1}',
]


@st.composite
def mutated(draw):
    data = bytearray(draw(st.sampled_from(SEEDS)) + draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(data)))
        match draw(st.sampled_from(["insert", "delete", "cut", "copy"])):
            case "insert":
                data[at:at] = bytes([draw(st.sampled_from(list(b'{}[]",:\\\n\r \t1xe\xef\xbb\xbf\xff\x00')))])
            case "delete":
                del data[at : at + draw(st.integers(1, 3))]
            case "cut":
                del data[at:]
            case "copy":
                data[at:at] = data[at : at + draw(st.integers(1, 12))]
    return bytes(data)


def chunked(data: bytes, cuts: list[int], limits: Limits | None):
    splitter = Splitter(Unwrapper((), limits).decode, limits)
    edges = sorted({0, *(cut % (len(data) + 1) for cut in cuts), len(data)})
    spans = []
    for start, end in pairwise(edges):
        spans += splitter.feed(data[start:end])
    return spans + list(splitter.close())


@given(mutated(), st.lists(st.integers(0, 300), max_size=8))
@settings(derandomize=True, max_examples=1500, deadline=None)
def test_any_chunking_gives_the_same_spans(data, cuts):
    whole = spans_of(data)
    assert chunked(data, cuts, None) == whole
    assert spans_of(data, size=1) == whole


@given(mutated(), st.lists(st.integers(0, 300), max_size=8), st.integers(1, 60))
@settings(derandomize=True, max_examples=1000, deadline=None)
def test_any_chunking_gives_the_same_spans_under_a_small_limit(data, cuts, limit):
    limits = Limits(value_bytes=limit)
    assert chunked(data, cuts, limits) == spans_of(data, limits=limits)


@given(mutated())
@settings(derandomize=True, max_examples=1500, deadline=None)
def test_spans_stand_where_they_say_and_leave_nothing_out(data):
    at = 0
    between = b" \t\r\n,\x1e\x0b\x0c\xef\xbb\xbf"
    for span in spans_of(data):
        start = span.position.byte
        assert data[start : start + len(span.raw)] == span.raw
        assert span.raw
        assert span.position.line == 1 + data.count(b"\n", 0, start)
        assert not data[at:start].strip(between)
        at = start + len(span.raw)
    assert not data[at:].strip(between)
