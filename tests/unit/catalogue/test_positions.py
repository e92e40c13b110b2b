"""YAML as plain data with places."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardduty_lens.catalogue.positions import MAX_DEPTH, MAX_SIZE, Document, read_yaml
from guardduty_lens.catalogue.problems import Problem


def places(document: Document, *wheres: tuple[str | int, ...]) -> list[tuple[int, int]]:
    problems = [document.problem(where, "") for where in wheres]
    return [(problem.line, problem.column) for problem in problems]


def messages(text: str) -> list[str]:
    return [str(problem) for problem in read_yaml(text, "a.yml").problems]


@pytest.mark.parametrize(
    ("written", "data"),
    [
        ("5", 5),
        ("-5", -5),
        ("0", 0),
        ("1.5", 1.5),
        (".5", 0.5),
        ("-1.", -1.0),
        ("1e3", 1000.0),
        ("1.5E-3", 0.0015),
        ("true", True),
        ("false", False),
        ("null", None),
        ("~", None),
        ("", None),
    ],
)
def test_these_plain_scalars_are_no_text(written, data):
    value = read_yaml(f"a: {written}", "a.yml").data["a"]
    assert (value, type(value)) == (data, type(data))


@pytest.mark.parametrize(
    "written",
    [
        *("yes", "no", "on", "off", "True", "FALSE", "Null", "y"),
        *("2024-01-02", "2024-01-02T03:04:05Z", "12:30:45", "0x1f", "0o17", "012345678901", "1_000", "+5"),
        *(".inf", "-.INF", ".nan", "1e999", "1.2.3", "9" * 101, "."),
        *('"5"', "'true'", '""', "'null'"),
    ],
)
def test_all_other_scalars_are_text(written):
    assert read_yaml(f"a: {written}", "a.yml").data == {"a": written.strip("\"'")}


def test_keys_are_always_text():
    assert read_yaml("{404: a, true: b, ~: c, 2024-01-02: d, '': e}", "a.yml").data == {
        "404": "a",
        "true": "b",
        "~": "c",
        "2024-01-02": "d",
        "": "e",
    }


def test_an_empty_file_is_null():
    for text in ("", "# nothing\n", "---\n", "\ufeff"):
        document = read_yaml(text, "a.yml")
        assert (document.data, document.problems) == (None, ())


def test_places_count_from_one():
    document = read_yaml("a:\n  - b: 1\n    c: [x, {d: y}]\n", "a.yml")
    assert document.data == {"a": [{"b": 1, "c": ["x", {"d": "y"}]}]}
    assert places(document, (), ("a",), ("a", 0), ("a", 0, "c"), ("a", 0, "c", 0), ("a", 0, "c", 1, "d")) == [
        (1, 1),
        (2, 3),
        (2, 5),
        (3, 8),
        (3, 9),
        (3, 16),
    ]


def test_a_key_has_its_own_place():
    document = read_yaml("a:\n  b: 1\n", "a.yml")
    assert document.problem(("a", "b"), "no", key=True) == Problem("a.yml", 2, 3, "no")
    assert document.problem(("a", "b"), "no") == Problem("a.yml", 2, 6, "no")


def test_what_is_not_written_stands_where_its_parent_stands():
    document = read_yaml("a:\n  b: number\n", "a.yml")
    assert places(document, ("a", "b", "number", "x"), ("a", "c"), ("z",)) == [(2, 6), (2, 3), (1, 1)]


def test_a_byte_order_mark_takes_no_column():
    assert messages("\ufeffa: b: c") == messages("a: b: c")


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("a: bcd", 6),
        ("a: 'bcd'", 7),
        ('a: "bcd"', 7),
        ("a: 'b''cd'", 4),  # written otherwise than it reads: the scalar's own place
        (r'a: "b\x63d"', 4),
        ("a: |\n  bcd\n", 4),
    ],
)
def test_a_character_of_a_text_has_a_place(text, column):
    assert read_yaml(text, "a.yml").problem(("a",), "", offset=2).column == column


def test_repeated_keys_are_told_and_the_first_one_counts():
    document = read_yaml("a: 1\nb: {c: 2, c: 3}\na: 4\n", "a.yml")
    assert document.data == {"a": 1, "b": {"c": 2}}
    assert document.problems == ()
    assert [str(problem) for problem in document.duplicates] == [
        "a.yml:2:11: the key 'c' is already in line 2; only one can count",
        "a.yml:3:1: the key 'a' is already in line 1; only one can count",
    ]


def test_everything_refused_is_told_at_once():
    text = "a: &x 1\nb: *x\n<<: {}\nc: !!str 2\n[d]: 3\n"
    assert messages(text) == [
        "a.yml:1:4: no anchors: take &x away",
        "a.yml:2:4: no aliases: write out what *x stands for",
        "a.yml:3:1: no merges: write the keys out instead of '<<'",
        "a.yml:4:4: no tags: take !!str away",
        "a.yml:5:1: a key is a text, no list or mapping",
    ]


def test_a_quoted_merge_sign_is_a_key():
    assert read_yaml("'<<': 1", "a.yml").data == {"<<": 1}


def test_python_tags_make_nothing():
    document = read_yaml("!!python/object/apply:os.system [echo]", "a.yml")
    assert [problem.message for problem in document.problems] == [
        "no tags: take !!python/object/apply:os.system away"
    ]


def test_aliases_do_not_multiply():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
    assert len(read_yaml("\n".join(lines), "a.yml").problems) == 30 + 29 * 9


def test_one_document():
    assert messages("a: 1\n---\nb: 2\n") == ["a.yml:2:1: a file holds one document: no second '---'"]


# A key is a value inside its mapping, so the one of the last mapping is already too deep.
@pytest.mark.parametrize(("opening", "column"), [("[", 41), ("{a: ", 158), ("- ", 81), ("? ", 81)])
def test_depth_is_bounded(opening, column):
    for depth in (MAX_DEPTH, 100_000):
        problems = read_yaml(opening * depth + "x", "a.yml").problems
        assert len(problems) == 1
    assert problems[0].message == f"more than {MAX_DEPTH} values inside each other"
    assert problems[0].column == column


def test_the_last_depth_is_taken():
    document = read_yaml("- " * (MAX_DEPTH - 1) + "x", "a.yml")
    assert document.problems == ()
    assert document.values[(0,) * (MAX_DEPTH - 1)].column == 2 * (MAX_DEPTH - 1) + 1


def test_size_is_bounded():
    assert messages("#" * (MAX_SIZE + 1)) == [f"a.yml:1:1: the file has more than {MAX_SIZE:,} characters"]


@pytest.mark.parametrize(
    "text",
    [
        r'"\U00110000"',
        r'"\UFFFFFFFF"',
        f"%YAML 1.{'1' * 5000}\n---\na",
        '"\\ud800"',
        '{"\\udc00": 1}',
        "\ud800",
        "\x00",
    ],
)
def test_what_crashes_other_readers_is_a_problem(text):
    assert len(messages(text)) == 1


def test_problems_sort_as_they_are_read():
    problems = [
        Problem("b", 1, 1, "x"),
        Problem("a", 10, 1, "x"),
        Problem("a", 2, 3, "b"),
        Problem("a", 2, 3, "a"),
    ]
    assert [str(problem) for problem in sorted(problems)] == ["a:2:3: a", "a:2:3: b", "a:10:1: x", "b:1:1: x"]


NESTED = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text("ab: #'\"\\é\n", max_size=8),
    lambda below: (
        st.lists(below, max_size=3) | st.dictionaries(st.text("abc", max_size=3), below, max_size=3)
    ),
    max_leaves=10,
)


@given(NESTED)
def test_json_is_read_as_json(data):
    import json

    assert read_yaml(json.dumps(data), "a.yml").data == data


@given(st.text() | st.text("ab:-[]{}&*!|>'\"\\%@`#,? \n\t<~0.e", max_size=60))
def test_any_text_is_read_or_refused(text):
    document = read_yaml(text, "a.yml")
    for problem in document.problems + document.duplicates:
        assert problem.line >= 1
        assert problem.column >= 1
    assert_plain(document.data)


def assert_plain(data):
    assert data is None or type(data) in (str, int, float, bool, list, dict)
    assert type(data) is not float or math.isfinite(data)
    for item in data.values() if isinstance(data, dict) else data if isinstance(data, list) else ():
        assert_plain(item)
