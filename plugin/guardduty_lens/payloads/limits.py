"""Bounds on what one payload may cost."""

from typing import NamedTuple


class Limits(NamedTuple):
    """Bounds on what one payload may cost; what passes one is rejected with its reason."""

    value_bytes: int = 64 * 1024 * 1024
    """Size of one JSON value, in bytes, and of what one compressed part unpacks to."""

    wrappings: int = 16
    """Wrappers around an event: SNS in SQS is two."""

    events: int = 100_000
    """Events in one payload."""

    nesting: int | None = None
    """Levels of objects and arrays in one JSON value; None: what the JSON decoder takes, about 1,000 on
    Python 3.11. AWS's own stay below 20."""
