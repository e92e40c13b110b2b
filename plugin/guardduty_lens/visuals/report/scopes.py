"""Accounts, severities and scopes of a report (see `data.py`)."""

from collections.abc import Sequence
from typing import Any

from guardduty_lens.visuals.report.data import Combination
from guardduty_lens.visuals.report.store import Store
from guardduty_lens.visuals.sql import Sql

MOST_ACCOUNTS = 200
"""Accounts that a page can filter by; those of fewer findings are one."""

OTHER_ACCOUNTS, NO_ACCOUNT, NO_LABEL = "other accounts", "no account", "Unknown"


class Scopes:
    """The accounts and severities of the findings, and the scopes met so far.

    `accounts` are by number of findings, `severities` the most severe first.
    """

    def __init__(self, store: Store) -> None:
        self.accounts = _accounts(store)
        self.severities = _severities(store)
        self.combinations: list[Combination] = []
        """By the numbers that records have."""
        self._numbers: dict[tuple[int, ...], int] = {}
        self._combine(store)

    def number(self, combinations: Sequence[int]) -> int:
        """Give the number of a scope, by the sorted numbers of its combinations."""
        return self._numbers.setdefault(tuple(combinations), len(self._numbers))

    def all(self) -> list[list[Combination]]:
        """Give every scope that has a number, in their order."""
        return [[self.combinations[each] for each in scope] for scope in self._numbers]

    def _combine(self, store: Store) -> None:
        accounts = {name: place for place, name in enumerate(self.accounts)}
        severities = {name: place for place, name in enumerate(self.severities)}
        numbers: dict[Combination, int] = {}
        rows = []
        for account, label, sample, archived in store.fetch(
            Sql("SELECT DISTINCT account_id, severity_label, is_sample, is_archived FROM log ORDER BY ALL")
        ):
            place = accounts.get(account or NO_ACCOUNT, len(accounts) - 1)
            combination = Combination(place, severities[label or NO_LABEL], bool(sample), bool(archived))
            rows.append((account, label, sample, archived, numbers.setdefault(combination, len(numbers))))
        self.combinations = list(numbers)
        store.combine(rows)


def _accounts(store: Store) -> list[str]:
    counted = store.fetch(
        Sql(
            "SELECT account_id FROM log GROUP BY account_id "
            "ORDER BY count(DISTINCT finding) DESC, account_id NULLS LAST"
        )
    )
    names = [account or NO_ACCOUNT for (account,) in counted]
    return names if len(names) <= MOST_ACCOUNTS else [*names[: MOST_ACCOUNTS - 1], OTHER_ACCOUNTS]


def _severities(store: Store) -> list[str]:
    ranked: list[tuple[Any, ...]] = store.fetch(
        Sql("SELECT severity_label FROM log GROUP BY 1 ORDER BY max(severity_rank) DESC NULLS LAST, 1")
    )
    return list(dict.fromkeys(label or NO_LABEL for (label,) in ranked))
