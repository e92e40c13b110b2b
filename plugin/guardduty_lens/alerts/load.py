"""Alerts from their files: the shipped ones, and a user's besides."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from guardduty_lens.alerts.lint import lint_alerts
from guardduty_lens.alerts.model import Alert
from guardduty_lens.assets import asset_folder
from guardduty_lens.catalogue.load import user_files
from guardduty_lens.visuals.fields import Fields
from guardduty_lens.visuals.model import Test

BUILTIN = (
    "collection-altered",
    "log-bucket-altered",
    "no-logs",
    "account-silent",
    "phishing",
    "actor",
    "backdoor-ratio",
    "more-high-than-usual",
    "critical",
    "attack-sequence",
    "new-type",
    "surging",
    "credential-exfiltration",
    "open-too-long",
    "rejecting",
)
"""The shipped alerts: the seeds' seven first, with the second half of the third, then the others."""


class AlertError(ValueError):
    """Alert files with problems; `problems` lists all of them, each with its place."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def builtin_files() -> dict[str, str]:
    """Give the text of each shipped file by its name, in their order."""
    folder = asset_folder("alerts")
    return {f"alerts/{name}.yml": (folder / f"{name}.yml").read_text("utf-8") for name in BUILTIN}


def load_alerts(fields: Fields, folder: Path | None = None) -> list[Alert]:
    """Give the shipped alerts, and those of a user's folder: in place of one of the same id, else behind.

    Raises AlertError with all problems that the linter finds, CatalogueError where there is no file.
    """
    shipped, problems = lint_alerts(builtin_files(), fields)
    if folder is not None:
        own, of_own = lint_alerts(user_files(folder), fields)
        problems = [*problems, *of_own]
        shipped = list({each.id: each for each in [*shipped, *own]}.values())
    if problems:
        raise AlertError([str(problem) for problem in problems])
    return shipped


def with_parameters(alert: Alert, values: Mapping[str, Sequence[str]]) -> Alert | None:
    """Give an alert with a user's lists in the place of their names; None where one is lacking."""
    if any(not values.get(name) for name in alert.parameters):
        return None
    if not alert.parameters or alert.where is None:
        return alert
    where = [{field: _filled(test, values) for field, test in tests.items()} for tests in alert.where]
    return msgspec.structs.replace(alert, where=where)


def _filled(test: Test, values: Mapping[str, Sequence[str]]) -> Test:
    if test.is_ is None:
        return test
    filled = [
        each
        for value in test.is_
        for each in (values[value[1:]] if isinstance(value, str) and value.startswith("$") else [value])
    ]
    return msgspec.structs.replace(test, is_=filled)
