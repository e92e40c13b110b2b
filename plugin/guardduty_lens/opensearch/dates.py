"""Dates as GuardDuty and those who pass its findings on write them, to and from milliseconds."""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

# 2025-02-25T20:40:06Z, with a fraction of any length, an offset, or a space for the T; a day alone.
_DATE = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)"
    r"(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?(?:\s?([Zz])|([+-])(\d\d):?(\d\d))?)?",
    re.ASCII,
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


@lru_cache(maxsize=4096)
def milliseconds(text: str) -> int | None:
    """Read a date as milliseconds since 1970, cut off, not rounded; None where it is none.

    Without an offset it is UTC.

    >>> milliseconds("1970-01-02T01:00:00.0019+01:00"), milliseconds("yesterday")
    (86400001, None)
    """
    match = _DATE.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, _, sign, *offset = match.groups()
    try:
        parsed = datetime(
            int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0), tzinfo=UTC
        )
    except ValueError:
        return None
    east = timedelta(hours=int(offset[0] or 0), minutes=int(offset[1] or 0))
    since = parsed - _EPOCH + (east if sign == "-" else -east)
    return since // _MILLISECOND + int(((fraction or "") + "000")[:3])


def iso(since_epoch: int) -> str:
    """Write milliseconds since 1970 as ISO 8601 in UTC, with milliseconds and Z.

    >>> iso(86400001)
    '1970-01-02T00:00:00.001Z'
    """
    seconds, rest = divmod(since_epoch, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:03d}Z"
