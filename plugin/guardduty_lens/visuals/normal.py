"""The shorthand of dashboard files, and its long form.

`where: {region: x}` is `where: [{region: {is: [x]}}]`; `by: region` is `by: [{field: region}]`;
`measures: [updates, {max: time}]` is `[{of: updates}, {of: max, field: time}]`; `columns: [a]` is
`[{field: a}]`.
"""

from collections.abc import Callable
from typing import Any

_FIGURES = ("min", "max", "avg", "sum")


def normal(data: Any) -> Any:
    """Write shorthand out. Gives new data, takes anything, and leaves what is no dashboard as it is."""
    if not isinstance(data, dict) or not isinstance(data.get("panels"), list):
        return data
    return data | {"panels": [_panel(panel) for panel in data["panels"]]}


def _panel(panel: Any) -> Any:
    if not isinstance(panel, dict):
        return panel
    writers: dict[str, Callable[[Any], Any]] = {
        "where": normal_where,
        "by": lambda by: _each(by, _split),
        "measures": lambda measures: _each(measures, _measure),
        "columns": lambda columns: _each(columns, _column),
    }
    return {key: writers[key](value) if key in writers else value for key, value in panel.items()}


def _each(value: Any, write: Callable[[Any], Any]) -> Any:
    return [write(item) for item in (value if isinstance(value, list) else [value])]


def normal_where(where: Any) -> Any:
    """Write the shorthand of tests out."""
    return [
        {field: _test(test) for field, test in tests.items()} if isinstance(tests, dict) else tests
        for tests in (where if isinstance(where, list) else [where])
    ]


def _test(test: Any) -> Any:
    if not isinstance(test, dict):
        return {"is": _list(test)}
    return {key: _list(value) if key in ("is", "not") else value for key, value in test.items()}


def _list(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


def _split(split: Any) -> Any:
    if isinstance(split, str):
        return {"field": split}
    if isinstance(split, dict) and isinstance(split.get("groups"), dict):
        return split | {"groups": {label: normal_where(where) for label, where in split["groups"].items()}}
    return split


def _measure(measure: Any) -> Any:
    if isinstance(measure, str):
        return {"of": measure}
    figure = next((key for key in _FIGURES if isinstance(measure, dict) and key in measure), None)
    if figure is None:
        return measure
    rest = {key: value for key, value in measure.items() if key != figure}
    return {"of": figure, "field": measure[figure]} | rest


def _column(column: Any) -> Any:
    return {"field": column} if isinstance(column, str) else column
