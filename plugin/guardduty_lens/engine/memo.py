"""What follows from the finding type alone, worked out once a type, its JSON included.

A stack sees a few hundred types; their parts and ATT&CK names need not be looked up for every finding.
"""

from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from guardduty_lens.engine.oracle import Oracle
from guardduty_lens.engine.origins import fields_of_type, reads_only_type, writing_order
from guardduty_lens.engine.plan import Plan, PlanEntry, PlanSource
from guardduty_lens.payloads.json_text import encode_json

MOST_TYPES = 4_096
"""Types remembered; a type is text from outside, so their number must be bounded."""


class TypeMemo:
    """What follows from a finding type: the fields named in `fields`, and what `sources` of others give.

    Only live sources count: those that cannot give anything, by id, are in `dead`. Look a type up in
    `known` first, then call. Either gives a tuple: the JSON of the fields (see `json_members`), their
    values, None where there is none, and a list for each source.
    """

    def __init__(self, plan: Plan, dead: Collection[int] = ()) -> None:
        alive = {entry.field: _alive(entry, dead) for entry in plan.entries}
        self.fields = tuple(fields_of_type(plan.entries, lambda entry: alive[entry.field]))
        known = set(self.fields)
        entries = [
            msgspec.structs.replace(entry, sources=alive[entry.field])
            for entry in plan.entries
            if entry.field in known
        ]
        others = [
            (source, entry)
            for entry in plan.entries
            if entry.field not in known
            for source in alive[entry.field]
            if reads_only_type(source, known)
        ]
        self.sources = tuple(source for source, _ in others)
        entries += [_alone(source, entry, number) for number, (source, entry) in enumerate(others)]
        self._oracle = Oracle(msgspec.structs.replace(plan, entries=tuple(entries)))
        self._keys = {entry.field: entry.key for entry in entries}
        hidden = {entry.field for entry in entries if entry.hidden}
        self._order = [field for field in writing_order(plan.entries) if field in known - hidden]
        self.known: dict[str, tuple[Any, ...]] = {}
        """What has been worked out."""

    def number_of(self, source: PlanSource) -> int | None:
        """Give the place of a source among `sources`, or None."""
        return next((number for number, each in enumerate(self.sources) if each is source), None)

    def __call__(self, finding_type: str) -> tuple[Any, ...]:
        """Work out what follows from a type."""
        if len(self.known) >= MOST_TYPES:
            self.known.clear()
        known = self.known[finding_type] = self._work_out(finding_type)
        return known

    def _work_out(self, finding_type: str) -> tuple[Any, ...]:
        fields = self._oracle.fields({"detail": {"type": finding_type}})
        results = [fields.get(_name(number), []) for number in range(len(self.sources))]
        shown = {self._keys[field]: fields[field] for field in self._order if field in fields}
        members = json_members(encode_json(shown))
        return (members, *(fields.get(field) for field in self.fields), *results)


class Memos:
    """Type memos, shared by the functions in which the same follows from the type."""

    def __init__(self) -> None:
        self._memos: dict[tuple[Any, ...], TypeMemo] = {}

    def of(self, plan: Plan, alive: Mapping[str, list[PlanSource]]) -> TypeMemo:
        """Give the memo for a plan of which only some sources are alive."""
        dead = [
            id(source)
            for entry in plan.entries
            for source in entry.sources
            if not any(source is each for each in alive[entry.field])
        ]
        memo = TypeMemo(plan, set(dead))
        return self._memos.setdefault((memo.fields, *map(id, memo.sources)), memo)


def json_members(encoded: bytes) -> bytes:
    """Give the members of an encoded object, each with a comma before it, to be put after others."""
    return b"," + encoded[1:-1] if len(encoded) > len(b"{}") else b""


def _alive(entry: PlanEntry, dead: Collection[int]) -> tuple[PlanSource, ...]:
    return tuple(source for source in entry.sources if id(source) not in dead)


def _alone(source: PlanSource, entry: PlanEntry, number: int) -> PlanEntry:
    return msgspec.structs.replace(
        entry,
        field=_name(number),
        key="",
        cardinality="many",
        sources=(source,),
        when=None,
        default=None,
        hidden=True,
    )


def _name(number: int) -> str:
    return f"source {number}"
