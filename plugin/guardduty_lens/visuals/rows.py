"""What a panel shows, as plain data: the same from every engine that answers it."""

import msgspec

Key = str | int
"""A value as text (`true`, `false` of booleans), a group's label, or a time's start in epoch milliseconds."""

Value = float | int | str | list[str] | list[int] | None
"""A count, a figure, or a date in epoch milliseconds; None where no record has one.

In a row of a search, the values of a column: a list where there are several, each once, sorted.
"""


class Row(msgspec.Struct, frozen=True):
    """One bucket: what it is told apart by, a key a split, and its measures.

    Rows come in the order in which they are shown: values by the first measure, equal ones by value; groups
    as they are written, those without records too if there is no other split; times ascending, only those
    with records.
    """

    keys: tuple[Key, ...]
    values: tuple[Value, ...]
