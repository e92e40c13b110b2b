"""The nearest known name to an unknown one."""

from collections.abc import Iterable
from typing import Any

_LONGEST = 100
"""Characters: the comparison takes quadratic time, and no name of ours is longer."""


def did_you_mean(name: Any, known: Iterable[str]) -> str:
    """Give "; did you mean 'x'?", or nothing where no known name is near."""
    if not isinstance(name, str) or len(name) > _LONGEST:
        return ""
    import difflib  # only error messages need it; it costs start-up 6 ms

    near = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
