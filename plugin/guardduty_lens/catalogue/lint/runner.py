"""The linter's table of checks, and the run over all files."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from guardduty_lens.catalogue.lint import names, options, paths, uses, values
from guardduty_lens.catalogue.lint.scope import Placed, subjects
from guardduty_lens.catalogue.lint.shape import Shaped, shape_file
from guardduty_lens.catalogue.lint.subject import Check
from guardduty_lens.catalogue.model import CatalogueFile, Entry
from guardduty_lens.catalogue.problems import Problem

CHECKS: tuple[Check, ...] = (
    names.check_name_ends,
    names.check_reserved_name,
    names.check_duplicate,
    names.check_override,
    paths.check_sources,
    paths.check_condition_path,
    paths.check_outside_model,
    paths.check_kind_of_value,
    uses.check_fixed_code,
    uses.check_needs_source,
    uses.check_gives_type,
    uses.check_regex_source,
    uses.check_join,
    uses.check_condition,
    options.check_regex,
    options.check_split,
    options.check_bands,
    options.check_lookup,
    options.check_objects,
    options.check_template,
    options.check_parse_json,
    options.check_except,
    values.check_constant,
    values.check_default,
    values.check_examples_say,
    values.check_example_values,
    values.check_example_warnings,
)
"""Every check of an entry of right shape. A new one is a function, its line here, and an invalid example."""

ExampleCheck = Callable[[Sequence[CatalogueFile]], Iterable[tuple[str, int, str]]]
"""Runs the examples of files without other problems: field, example (from 0), and what does not hold."""


def lint_files(
    files: Mapping[str, str],
    *,
    builtin: Sequence[Entry] | None,
    check_examples: ExampleCheck | None = None,
) -> tuple[list[CatalogueFile], list[Problem]]:
    """Look at the texts of a catalogue's files, by name, in the order in which their entries run.

    `builtin` are the shipped entries in their order when the files are a user's, None when the files are
    the shipped ones. Gives the files of right shape, and all problems, sorted. Examples are run when there
    is no other problem. Never raises.
    """
    shaped = [shape_file(name, text) for name, text in files.items()]
    placed = list(subjects(shaped, builtin))
    problems = {problem for file in shaped for problem in file.problems}
    problems.update(_entry_problems(placed, CHECKS), _table_problems(shaped))
    parsed = [file.file for file in shaped if file.file is not None]
    if check_examples is not None and not problems:
        problems.update(_example_problems(placed, check_examples(parsed)))
    return parsed, sorted(problems)


def _entry_problems(placed: Iterable[Placed], checks: Iterable[Check]) -> Iterator[Problem]:
    for check in checks:
        for file, index, subject in placed:
            for where, message, offset, key in check(subject):
                at = ("fields", index, *where)
                yield file.document.problem(at, message, offset=offset, key=key)


def _table_problems(shaped: list[Shaped]) -> Iterator[Problem]:
    for file, fault in names.check_tables(shaped):
        yield file.document.problem(fault.where, fault.message, key=fault.key)


def _example_problems(
    placed: Iterable[Placed], failures: Iterable[tuple[str, int, str]]
) -> Iterator[Problem]:
    places = {subject.entry.field: (file, index) for file, index, subject in placed}
    for field, number, message in failures:
        file, index = places[field]
        yield file.document.problem(("fields", index, "examples", number), f"the example {message}")
