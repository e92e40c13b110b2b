"""What is said of a place where there is nothing to read: what was looked for, and what is there instead."""

from itertools import islice
from pathlib import Path
from typing import Any

from guardduty_lens.inputs.files import PATTERNS, expand, files_below
from guardduty_lens.inputs.s3_archive import Location, listed
from guardduty_lens.inputs.s3_notifications import holds_findings
from guardduty_lens.inputs.selection import Selection

_MOST_LISTED = 1000


def nothing_in_folder(folder: Path) -> str:
    """Say what was looked for in a folder that has none of it."""
    others = sorted(files_below(folder))
    advice = f", such as {others[0]}; name a file itself to have it read" if others else ""
    return (
        f"nothing to read in {folder}: looked for {PATTERNS} in it and below, "
        f"and saw {_number(len(others), 'other file')}{advice}"
    )


def nothing_selected(place: Path, selection: Selection) -> str:
    """Say that files are there, and none of those that were asked for."""
    return f"nothing to read in {place}: {_of(selection, len(expand([place])))}"


def nothing_in_bucket(s3: Any, location: Location, selection: Selection) -> str:
    """Say what was looked for at a location that has none of it. Raises CannotListError."""
    keys = [each.key for each in islice(listed(s3, location), _MOST_LISTED)]
    if not keys:
        return f"nothing to read at {location}: no key begins with {location.prefix!r}; see how it is spelled"
    several = "at least " if len(keys) == _MOST_LISTED else ""
    fitting = sum(map(holds_findings, keys))
    if fitting:
        return f"nothing to read at {location}: {several}{_of(selection, fitting)}"
    return (
        f"nothing to read at {location}: looked for keys of findings and records, "
        f"and saw {several}{_number(len(keys), 'other object')}, such as {keys[0]}"
    )


def _of(selection: Selection, number: int) -> str:
    asked = [
        *(f"--account {account}" for account in sorted(selection.accounts)),
        *([f"--since {selection.since}"] if selection.since else []),
        *([f"--until {selection.until}"] if selection.until else []),
    ]
    return f"{_number(number, 'file')} there, none of them within {' '.join(asked)}"


def _number(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
