"""The linter of catalogue files: every fault of every file at once, each with its place."""

from guardduty_lens.catalogue.lint.runner import lint_files
from guardduty_lens.catalogue.problems import Problem

__all__ = ["Problem", "lint_files"]
