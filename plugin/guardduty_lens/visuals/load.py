"""Dashboards from their files: the shipped ones, and a user's besides."""

from pathlib import Path

from guardduty_lens.assets import asset_folder
from guardduty_lens.catalogue.load import user_files
from guardduty_lens.visuals.fields import Fields
from guardduty_lens.visuals.lint import lint_dashboards
from guardduty_lens.visuals.model import Dashboard

BUILTIN = (
    "overview",
    "triage",
    "network",
    "identity",
    "workloads",
    "data",
    "attack-sequences",
    "attack",
    "pipeline",
)
"""The shipped dashboards, in the order of their links and tabs."""


class DashboardError(ValueError):
    """Dashboard files with problems; `problems` lists all of them, each with its place."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def builtin_files() -> dict[str, str]:
    """Give the text of each shipped file by its name, in their order."""
    folder = asset_folder("dashboards")
    return {f"dashboards/{name}.yml": (folder / f"{name}.yml").read_text("utf-8") for name in BUILTIN}


def load_dashboards(fields: Fields, folder: Path | None = None) -> list[Dashboard]:
    """Give the shipped dashboards, and those of a user's folder: in place of one of the same id, else behind.

    Raises DashboardError with all problems that the linter finds.
    """
    shipped, problems = lint_dashboards(builtin_files(), fields)
    if folder is not None:
        own, of_own = lint_dashboards(user_files(folder), fields, known=[each.id for each in shipped])
        problems = [*problems, *of_own]
        dashboards = {each.id: each for each in [*shipped, *own]}
        shipped = list(dashboards.values())
    if problems:
        raise DashboardError([str(problem) for problem in problems])
    return shipped
