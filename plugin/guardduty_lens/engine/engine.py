"""The engine: bytes or decoded events to records, by the fastest path that gives the oracle's answer."""

from collections.abc import Mapping, Sequence
from typing import Any

from guardduty_lens.catalogue.operations.kind import is_finding
from guardduty_lens.engine.compiled import CompiledPlan
from guardduty_lens.engine.generate import NotGeneratedError
from guardduty_lens.engine.oracle import Oracle, added_fields
from guardduty_lens.engine.plan import Plan
from guardduty_lens.engine.splice import Splicer
from guardduty_lens.extractors import Extractor
from guardduty_lens.payloads.json_text import encode_json
from guardduty_lens.record import Record

WARNINGS = "lens_warnings"


class Engine:
    """Makes records.

    `splice` takes the bytes of the common shapes; `record` takes any event, decoded. Both give the same
    record: the added fields are the oracle's.
    """

    def __init__(self, plan: Plan, extractors: Sequence[Extractor] = ()) -> None:
        self._plan = plan
        self._prefix = plan.field_prefix
        self._extractors = tuple(extractors)
        self._oracle = Oracle(plan)
        extracted = [f"{self._prefix}{field.name}" for each in extractors for field in each.fields]
        self._ours = frozenset([*plan.keys, *extracted])
        self._compiled = _compiled(plan)
        self._splicer = Splicer(self._compiled.strict, sorted(self._ours)) if self._compiled else None

    def splice(self, raw: bytes) -> Record | None:
        """Give the record of one payload's bytes, or None where it takes the exact path."""
        spliced = self._splicer.splice(raw) if self._splicer else None
        if spliced is None or self._compiled is None:
            return None
        record = Record("finding", spliced.head, spliced.added, self._compiled.fields)
        return self._extracted(record, spliced.head) if self._extractors else record

    def record(self, event: Mapping[str, Any]) -> Record:
        """Enrich one event in EventBridge layout; keys of ours that it already has are taken away first."""
        cleared = {key: value for key, value in event.items() if key not in self._ours}
        head = encode_json(cleared)[:-1]
        record = self._generated(cleared, head) or self._by_oracle(cleared, head)
        return self._extracted(record, head) if self._extractors and record.kind == "finding" else record

    def _generated(self, event: Mapping[str, Any], head: bytes) -> Record | None:
        if self._compiled is None or not is_finding(event.get("detail")):
            return None
        added = self._compiled.added(event)
        return Record("finding", head, added, self._compiled.fields, event) if added is not None else None

    def _by_oracle(self, event: Mapping[str, Any], head: bytes) -> Record:
        fields = self._oracle.fields(event)
        return Record(
            fields["record_kind"], head, added_fields(self._plan, fields), self._without_prefix, event
        )

    def _extracted(self, record: Record, head: bytes) -> Record:
        """Let the user's own extractors add their fields; what fails is warned of."""
        fields = dict(record.fields)
        warnings = [*fields.pop(WARNINGS, ())]
        for extractor in self._extractors:
            made, well = extractor.run(record.event, fields)
            fields |= made
            if not well:
                warnings.append(f"extractor_failed:{extractor.name}")
        if warnings:
            fields[WARNINGS] = warnings
        added = {f"{self._prefix}{name}": value for name, value in fields.items()}
        return Record(record.kind, head, added, self._without_prefix, record.event)

    def _without_prefix(self, added: Mapping[str, Any]) -> dict[str, Any]:
        return {key[len(self._prefix) :]: value for key, value in added.items()}


def _compiled(plan: Plan) -> CompiledPlan | None:
    try:
        return CompiledPlan(plan)
    except NotGeneratedError:
        return None
