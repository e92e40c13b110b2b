"""One event through the three ways that make a record: spliced, exact, and the plain interpreter."""

import json
from pathlib import Path
from typing import Any

from guardduty_lens.catalogue.examples import same_json
from guardduty_lens.catalogue.load import load_catalogue
from guardduty_lens.engine.engine import Engine
from guardduty_lens.engine.oracle import Oracle, added_fields
from guardduty_lens.engine.plan import compile_plan
from guardduty_lens.findings.severity import AWS, SeverityScheme
from guardduty_lens.payloads.pieces import Event, Position
from guardduty_lens.payloads.unwrap import Unwrapper
from guardduty_lens.record import Record


class Engines:
    """The three ways, for one catalogue."""

    def __init__(self, fields: Path | None = None, *, prefix: str = "", scheme: SeverityScheme = AWS) -> None:
        catalogue = load_catalogue(fields)
        self.plan = compile_plan(catalogue.entries, catalogue.tables, scheme, prefix)
        self.engine = Engine(self.plan)
        self.oracle = Oracle(self.plan)
        self.unwrapper = Unwrapper()

    def events(self, raw: bytes) -> list[dict[str, Any]]:
        """Give the events of a payload."""
        items = self.unwrapper.unwrap(self.unwrapper.decode(raw), raw, Position())
        assert all(isinstance(item, Event) for item in items), items
        return [item.value for item in items]

    def check(self, raw: bytes, *, spliced: bool | None = None) -> Record:
        """Require that all ways give the same record of a payload with one event, and give it.

        `spliced` says whether the spliced way takes it, where that matters.
        """
        by_splice = self.engine.splice(raw)
        if spliced is not None:
            assert (by_splice is not None) == spliced
        events = self.events(raw)
        if len(events) != 1:
            assert by_splice is None
            return self.engine.record(events[0] if events else {})
        exact = self.check_event(events[0])
        if by_splice is None:
            return exact
        assert by_splice.kind == exact.kind
        assert_same_added(by_splice.added_json(), exact.added_json())
        assert by_splice.fields == exact.fields
        assert same_json(strict_json(by_splice.to_json()), strict_json(exact.to_json()))
        return by_splice

    def check_event(self, event: dict[str, Any]) -> Record:
        """Require that the exact way gives what the plain interpreter gives."""
        exact = self.engine.record(event)
        expected = added_fields(self.plan, self.oracle.fields(event))
        added = strict_json(exact.added_json())
        assert same_json(added, json.loads(json.dumps(expected)))
        assert list(added) == list(expected)
        return exact


def assert_same_added(one: bytes, other: bytes) -> None:
    """Require the same added fields in the same order."""
    first, second = strict_json(one), strict_json(other)
    assert same_json(first, second)
    assert list(first) == list(second)


def strict_json(text: bytes) -> Any:
    """Decode JSON; a duplicate key, a NaN or an infinity is an error."""
    return json.loads(text.decode(), object_pairs_hook=_unique_pairs, parse_constant=_refused)


def _unique_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = [key for key, _ in pairs]
    assert len(keys) == len(set(keys)), f"duplicate keys among {keys}"
    return dict(pairs)


def _refused(constant: str) -> Any:
    raise AssertionError(f"{constant} is no JSON")


def empty_values(value: Any) -> list[Any]:
    """List what is empty in added fields: null, "", [] and {}, at any depth."""
    found = [value] if value is None or value in ("", [], {}) else []
    if isinstance(value, dict | list):
        members = value.values() if isinstance(value, dict) else value
        found += [item for member in members for item in empty_values(member)]
    return found
