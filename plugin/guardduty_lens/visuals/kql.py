"""Conditions as KQL, the query language of Dashboards: what a person can read, and change, there."""

from collections.abc import Sequence

from guardduty_lens.visuals.fields import Fields
from guardduty_lens.visuals.model import AnyOf, Index, Scalar, Test


def kql(index: Index, alternatives: AnyOf, fields: Fields) -> str:
    """Give the query of alternatives of tests; empty where everything passes.

    >>> from guardduty_lens.visuals.model import Test
    >>> fields = Fields({"log": {"title": "text", "severity_score": "double"}})
    >>> kql("log", [{"title": Test(is_=["a", "b"]), "severity_score": Test(from_=7)}], fields)
    'title.keyword: ("a" or "b") and severity_score >= 7'
    """
    written = [_all_of(index, tests, fields) for tests in alternatives]
    if "" in written:
        return ""
    return written[0] if len(written) == 1 else " or ".join(f"({each})" for each in written)


def _all_of(index: Index, tests: dict[str, Test], fields: Fields) -> str:
    parts = [part for field, test in tests.items() for part in _test(fields.counted(index, field), test)]
    return " and ".join(parts)


def _test(name: str, test: Test) -> list[str]:
    parts = []
    if test.is_ is not None:
        parts.append(f"{name}: {_values(test.is_)}")
    if test.not_ is not None:
        parts.append(f"not {name}: {_values(test.not_)}")
    if test.exists is not None:
        parts.append(f"{name}: *" if test.exists else f"not {name}: *")
    bounds = ((">=", test.from_), ("<", test.below))
    return parts + [f"{name} {sign} {quoted_value(bound)}" for sign, bound in bounds if bound is not None]


def _values(values: Sequence[Scalar]) -> str:
    written = [quoted_value(value) for value in values]
    return written[0] if len(written) == 1 else f"({' or '.join(written)})"


def quoted_value(value: Scalar) -> str:
    """Write a value; of a text only quotes and backslashes mean anything, in Lucene's syntax as well."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return str(value)
