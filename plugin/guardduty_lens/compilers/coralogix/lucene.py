"""Tests of fields as a query in Lucene's syntax, as Coralogix's alerts take it."""

from collections.abc import Iterator

from guardduty_lens.alerts.model import AlertIndex
from guardduty_lens.visuals.fields import Fields
from guardduty_lens.visuals.kql import quoted_value
from guardduty_lens.visuals.model import AnyOf, Test


def lucene(index: AlertIndex, where: AnyOf | None, fields: Fields) -> str:
    """Give the query; without tests that of everything that is GuardDuty's.

    CloudTrail's records are asked for as they are, and as EventBridge brings them, in `detail`.
    """
    if where is None:
        return 'source:"aws.guardduty"'
    alternatives = [" AND ".join(_tests(index, tests, fields)) for tests in where]
    query = " OR ".join(f"({each})" for each in alternatives) if len(alternatives) > 1 else alternatives[0]
    return f"({query})"


def _tests(index: AlertIndex, tests: dict[str, Test], fields: Fields) -> Iterator[str]:
    for field, test in tests.items():
        names = [fields.name(index, field)]
        if index == "cloudtrail":
            names.append(f"detail.{field}")
        if test.is_ is not None:
            yield _either(names, f"({' OR '.join(map(quoted_value, test.is_))})")
        if test.not_ is not None:
            values = " OR ".join(map(quoted_value, test.not_))
            yield f"NOT {_either(names, f'({values})')}"
        if test.exists is not None:
            yield ("" if test.exists else "NOT ") + _either(names, "*")
        if test.from_ is not None or test.below is not None:
            low = "*" if test.from_ is None else quoted_value(test.from_)
            high = "*" if test.below is None else quoted_value(test.below)
            yield _either(names, f"[{low} TO {high}}}")


def _either(names: list[str], value: str) -> str:
    parts = [f"{name}:{value}" for name in names]
    return parts[0] if len(parts) == 1 else f"({' OR '.join(parts)})"
