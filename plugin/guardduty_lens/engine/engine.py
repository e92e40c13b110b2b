"""The engine: bytes or decoded events to records, by the fastest path that gives the oracle's answer."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from guardduty_lens.catalogue.operations.kind import is_finding
from guardduty_lens.engine.compiled import CompiledPlan
from guardduty_lens.engine.lines import TakeLines, line_taker
from guardduty_lens.engine.oracle import Oracle
from guardduty_lens.engine.origins import LABEL, WARNINGS
from guardduty_lens.engine.plan import Plan
from guardduty_lens.engine.splice import Splicer
from guardduty_lens.engine.tree import NotGeneratedError
from guardduty_lens.extractors import Extractor
from guardduty_lens.payloads.json_text import encode_json
from guardduty_lens.payloads.pieces import UnreadableError
from guardduty_lens.record import Event, Record


class Engine:
    """Makes records.

    `splice` takes the bytes of the common shapes; `record` takes any event, decoded. Both give the same
    record: the added fields are the oracle's.
    """

    def __init__(self, plan: Plan, extractors: Sequence[Extractor] = (), nesting: int | None = None) -> None:
        self._plan = plan
        self._prefix = plan.field_prefix
        self._nesting = nesting
        self._extractors = tuple(extractors)
        self._oracle = Oracle(plan)
        extracted = [f"{self._prefix}{field.name}" for each in extractors for field in each.fields]
        self._ours = frozenset([*plan.keys, *extracted])
        self._compiled = _compiled(plan)
        self._splicer = (
            Splicer(self._compiled.strict, sorted(self._ours), self._prefix, nesting)
            if self._compiled
            else None
        )

    def splice(self, raw: bytes) -> Record | None:
        """Give the record of one payload's bytes, or None where it takes the exact path."""
        record = self._splicer.splice(raw) if self._splicer else None
        if record is None or not self._extractors:
            return record
        try:
            return self._extracted(record)
        except UnreadableError:  # deeper than it can be decoded as a whole: the exact path says so
            return None

    @cached_property
    def take_lines(self) -> TakeLines | None:
        """The loop that writes the records of ordinary lines, where there is one for this plan."""
        if self._splicer is None or self._extractors or self._nesting is not None:
            return None
        return line_taker(self._splicer, self._plan.scheme.default)

    def enrich(self, event: Mapping[str, Any]) -> Record:
        """Enrich one decoded event in EventBridge layout, by the spliced path if it takes its JSON.

        Raises UnreadableError where the event cannot be encoded.
        """
        return self.splice(encode_json(event)) or self.record(event)

    def record(self, event: Mapping[str, Any]) -> Record:
        """Enrich one decoded event by the exact path; keys of ours that it already has are taken away first.

        Raises UnreadableError where the event cannot be encoded.
        """
        cleared = {key: value for key, value in event.items() if key not in self._ours}
        source = Event(encode_json(cleared))
        record = self._generated(cleared, source) or self._by_oracle(cleared, source)
        return self._extracted(record) if self._extractors and record.kind == "finding" else record

    def _generated(self, event: Mapping[str, Any], source: Event) -> Record | None:
        if self._compiled is None or not is_finding(event.get("detail")):
            return None
        enriched = self._compiled.enriched(event)
        return None if enriched is None else Record("finding", source, *enriched, self._prefix)

    def _by_oracle(self, event: Mapping[str, Any], source: Event) -> Record:
        fields = self._oracle.fields(event)
        added = self._oracle.added(fields)
        label, warnings = fields.get(LABEL), fields.get(WARNINGS)
        return Record(fields["record_kind"], source, b"", added, b"", label, warnings, self._prefix)

    def _extracted(self, record: Record) -> Record:
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
        return record.with_fields(fields, warnings)


def _compiled(plan: Plan) -> CompiledPlan | None:
    try:
        return CompiledPlan(plan)
    except NotGeneratedError:
        return None
