"""The linter: golden messages, places, and that nothing makes it raise.

`UPDATE_GOLDEN=1 pytest tests/unit/catalogue/test_lint.py` writes the golden files anew.
"""

import os
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardduty_lens.catalogue.lint import lint_files
from guardduty_lens.catalogue.lint.names import RESERVED_NAMES
from guardduty_lens.catalogue.lint.runner import CHECKS, ExampleCheck
from guardduty_lens.catalogue.lint.scope import shipped_tables, subjects
from guardduty_lens.catalogue.lint.shape import shape_file
from guardduty_lens.catalogue.load import BUILTIN_GROUPS, builtin_files, builtin_tables
from guardduty_lens.catalogue.model import OPERATION_NAMES, CatalogueFile, Entry

FOLDER = Path(__file__).parents[2] / "catalogue"
VALID = sorted((FOLDER / "valid").glob("*.yml"))
INVALID = sorted((FOLDER / "invalid").glob("*.yml"))


def builtin_for(path: Path) -> tuple[Entry, ...] | None:
    """Files called shipped… are looked at as shipped ones, all others as a user's."""
    return None if path.stem.startswith("shipped") else SHIPPED


def lint(path: Path) -> list[str]:
    _, problems = lint_files({path.name: path.read_text("utf-8")}, builtin=builtin_for(path))
    return [str(problem) for problem in problems]


def lint_text(*texts: str, check_examples: ExampleCheck | None = None) -> list[str]:
    files = {f"{number}.yml": text for number, text in enumerate(texts, start=1)}
    _, problems = lint_files(files, builtin=SHIPPED, check_examples=check_examples)
    return [str(problem) for problem in problems]


SHIPPED: tuple[Entry, ...] = lint_files(
    {"shipped.yml": (FOLDER / "valid" / "shipped.yml").read_text("utf-8")}, builtin=None
)[0][0].fields


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.stem)
def test_valid_files_have_no_problem(path):
    assert lint(path) == []


@pytest.mark.parametrize("path", INVALID, ids=lambda path: path.stem)
def test_invalid_files_have_the_problems_of_their_golden_file(path):
    golden = path.with_suffix(".txt")
    found = "".join(f"{line}\n" for line in lint(path))
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(found, "utf-8")
    assert found == golden.read_text("utf-8")
    assert found


def test_seven_faults_are_seven_problems_each_in_its_place():
    places = [line.split(": ")[0] for line in lint(FOLDER / "invalid" / "seven.yml")]
    assert places == [
        "seven.yml:1:8",  # Ours
        "seven.yml:4:11",  # lable
        "seven.yml:14:25",  # eksClusterDetail
        "seven.yml:15:42",  # .name, where [*] is missing
        "seven.yml:23:45",  # parts
        "seven.yml:34:16",  # wrod
        "seven.yml:42:42",  # \s
    ]


def test_every_check_has_an_invalid_example():
    placed = [
        item
        for path in INVALID
        for item in subjects([shape_file(path.name, path.read_text("utf-8"))], builtin_for(path))
    ]
    without = [
        check.__name__ for check in CHECKS if not any(list(check(subject)) for _, _, subject in placed)
    ]
    assert without == []


def test_valid_files_use_every_operation():
    text = "".join(path.read_text("utf-8") for path in VALID)
    assert [name for name in OPERATION_NAMES if not re.search(rf"operation:\s+\{{?{name}\b", text)] == []


def test_no_message_speaks_of_json_schema():
    text = "".join(path.read_text("utf-8") for path in INVALID if path.suffix == ".txt")
    assert not re.search(r"schema|anyOf|additionalProperties|minItems|\$ref|Properties|<class", text)


def test_the_shipped_files_have_no_problem():
    _, problems = lint_files(builtin_files(), builtin=None)
    assert problems == []


def test_files_of_right_shape_are_given():
    good = (FOLDER / "valid" / "override.yml").read_text("utf-8")
    parsed, problems = lint_files({"a.yml": good, "b.yml": "fields: ["}, builtin=SHIPPED)
    assert [file.fields[0].field for file in parsed] == ["severity_label"]
    assert [problem.file for problem in problems] == ["b.yml"]


def test_all_files_are_told_of_at_once_in_order():
    texts = {path.name: path.read_text("utf-8") for path in reversed(INVALID)}
    _, problems = lint_files(texts, builtin=SHIPPED)
    assert problems == sorted(problems)
    assert {problem.file for problem in problems} >= texts.keys() - {"shipped_outside_model.yml"}


ENTRY = """\
fields:
  - field: {field}
    type: label
    description: d
    from: [{source}]
    examples: [{{given: {{}}, gives_nothing: true}}]
"""


def test_a_field_of_two_files_names_both_places():
    one, two = ENTRY.format(field="a", source="account"), ENTRY.format(field="a", source="region")
    assert lint_text(one, two) == ["2.yml:2:12: the field 'a' is already defined at 1.yml:2:12"]


def test_a_table_of_two_files_names_both_places():
    entry, table = ENTRY.format(field="a", source="account"), "tables: {mine: {a: b}}\n"
    other = ENTRY.format(field="b", source="account")
    assert lint_text(table + entry, table + other) == [
        "2.yml:1:10: the table 'mine' is already defined in 1.yml"
    ]


def test_fields_of_an_earlier_file_are_read_and_those_of_a_later_one_are_not():
    one, two = ENTRY.format(field="a", source="b"), ENTRY.format(field="b", source="account")
    assert lint_text(two, one) == []
    assert lint_text(one, two) == [
        "1.yml:5:12: 'b' is set later (at 2.yml:2:12): a field reads those set before it"
    ]


def test_a_built_in_field_reads_those_before_its_own_place_though_they_are_replaced():
    replaced = ENTRY.format(field="threat_purpose", source="threat_family")
    message = "'threat_family' is set after 'threat_purpose', which keeps its place in the built-in order"
    assert lint_text(replaced) == [f"1.yml:5:12: {message}"]
    assert lint_text(ENTRY.format(field="threat_family", source="threat_purpose")) == []


def test_examples_are_run_when_there_is_no_other_problem():
    calls = []

    def check_examples(files: list[CatalogueFile]) -> list[tuple[str, int, str]]:
        calls.append(files)
        return [("a", 0, "gives 'x', not nothing")]

    good = ENTRY.format(field="a", source="account")
    expected = ["1.yml:6:16: the example gives 'x', not nothing"]
    assert lint_text(good, check_examples=check_examples) == expected
    assert [file.fields[0].field for file in calls[0]] == ["a"]
    lint_text(ENTRY.format(field="a", source="acount"), check_examples=check_examples)
    assert len(calls) == 1


def test_the_tables_are_those_that_are_loaded():
    assert shipped_tables() == builtin_tables().keys() | {"severity_ranks"}


def test_no_shipped_field_has_a_reserved_name():
    names = {
        line.split()[-1]
        for text in builtin_files().values()
        for line in text.splitlines()
        if "- field:" in line
    }
    assert len(names) > len(BUILTIN_GROUPS)
    assert names & RESERVED_NAMES.keys() == set()


def test_a_numeric_option_beyond_64_bits_is_a_problem():
    text = (
        ENTRY.format(field="a", source="account")
        + "    operation: {split: {at: [a], part: 1"
        + "0" * 80
        + "}}\n"
    )
    assert len(lint_text(text)) == 1


LINES = sorted({line for path in VALID + INVALID for line in path.read_text("utf-8").splitlines()})


@settings(max_examples=200, deadline=None)
@given(st.text())
def test_any_text_is_told_of(text):
    lint_text(text)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(LINES), max_size=30))
def test_any_lines_are_told_of(lines):
    lint_text("\n".join(["fields:", *lines]))


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_mutated_files_never_raise(data):
    text = data.draw(st.sampled_from(VALID + INVALID)).read_text("utf-8")
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        end = min(len(text), start + data.draw(st.integers(0, 12)))
        middle = data.draw(
            st.sampled_from(["", "a", "[*]", "null", "{}", "[]", "7", "true", "\\", "'", ": ", "\n", "é"])
        )
        text = text[:start] + middle + text[end:]
    for builtin in (None, SHIPPED):
        lint_files({"a.yml": text}, builtin=builtin)


SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5)


@st.composite
def swapped(draw, node):
    """Draw plain data of which some parts are something else."""
    if draw(st.integers(0, 60)) == 0:
        return draw(SCALARS | st.just([]) | st.just({}))
    if isinstance(node, dict):
        return {key: draw(swapped(value)) for key, value in node.items()}
    return [draw(swapped(item)) for item in node] if isinstance(node, list) else node


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_swapped_values_never_raise(data):
    import json

    from guardduty_lens.catalogue.positions import read_yaml

    path = data.draw(st.sampled_from([path for path in VALID + INVALID if not path.stem.startswith("yaml")]))
    changed = data.draw(swapped(read_yaml(path.read_text("utf-8"), path.name).data))
    lint_files({"a.yml": json.dumps(changed)}, builtin=SHIPPED)
