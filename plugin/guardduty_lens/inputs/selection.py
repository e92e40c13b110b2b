"""Which files of an archive are wanted: accounts and days, as their names tell them.

Facts: Amazon GuardDuty user guide, "Exporting findings": `AWSLogs/{account}/GuardDuty/{region}/{yyyy}/{mm}/
{dd}/`; our own archive has the same parts (`aws/archive.py`).
"""

import re
from datetime import date, datetime

import msgspec

_DAY = re.compile(r"/(\d{4})/(\d{2})/(\d{2})/")


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """Accounts and days (UTC, both ends included) that are wanted; all of them where nothing is said."""

    accounts: frozenset[str] = frozenset()
    since: date | None = None
    until: date | None = None

    @property
    def is_all(self) -> bool:
        """Whether everything is wanted."""
        return not self.accounts and self.since is None and self.until is None

    def wants(self, name: str, changed: datetime) -> bool:
        """Tell of a key or path; its day is the one that it tells, else that of its last change (UTC)."""
        if self.accounts and self.accounts.isdisjoint(name.split("/")):
            return False
        day = day_of(name) or changed.date()
        return (self.since is None or day >= self.since) and (self.until is None or day <= self.until)


def day_of(name: str) -> date | None:
    """Give the day that a key or path tells, if any (`…/2026/01/31/…`)."""
    found = _DAY.search(name)
    try:
        return date(*map(int, found.groups())) if found else None
    except ValueError:
        return None


def group_of(name: str, place: str, selection: Selection | None = None) -> str:
    """Give what a file of a place belongs to; whoever reads it reads all of that.

    That is everything of its day in the place, as far as it is selected; else everything in the place.

    >>> group_of("s3://b/AWSLogs/1/GuardDuty/eu-west-1/2026/01/31/x.jsonl.gz", "s3://b/AWSLogs/")
    's3://b/AWSLogs/ 2026-01-31'
    >>> group_of("letters/a.jsonl", "letters/", Selection(since=date(2026, 1, 1)))
    'letters/ 2026-01-01 None'
    """
    selection = selection or Selection()
    day = day_of(name)
    words = [place, *sorted(selection.accounts)]
    if day is not None:
        words.append(str(day))
    elif selection.since is not None or selection.until is not None:
        words += [str(selection.since), str(selection.until)]
    return " ".join(words)
