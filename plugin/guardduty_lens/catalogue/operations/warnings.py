"""`warnings`: the codes of what could not be understood, in a fixed order. Fixed code."""

from collections.abc import Callable, Mapping
from typing import Any

from guardduty_lens.catalogue.model import WarningsOptions
from guardduty_lens.catalogue.operations.base import OperationSpec, Tables
from guardduty_lens.catalogue.operations.kind import FINDING_DETAIL_TYPE, GUARDDUTY_SOURCE
from guardduty_lens.findings.type_grammar import parse_finding_type

WARNING_CODES = ("type_not_parsed", "severity_unusable", "fan_out_capped", "kind_guessed", "asff_partial")
"""Codes of the catalogue; `extractor_failed:<name>` comes from Python extractors as well."""


def finding_warnings(
    finding_type: str, score: Any, envelope: tuple[Any, Any], *, capped: bool, asff: bool
) -> list[str]:
    """List what could not be understood of a finding.

    `score` is its severity score or None, `envelope` its `detail-type` and `source`, `capped` whether an
    array was longer than is looked at, `asff` whether it was made of a Security Hub finding.
    """
    held = (
        not parse_finding_type(finding_type).parsed,
        score is None or not 0 <= score <= 10,
        capped,
        envelope != (FINDING_DETAIL_TYPE, GUARDDUTY_SOURCE),
        asff,
    )
    return [code for code, holds in zip(WARNING_CODES, held, strict=True) if holds] if any(held) else []


def warnings_of(event: Mapping[str, Any], fields: Mapping[str, Any], capped: bool) -> list[str]:
    """List what could not be understood of an event whose other fields are already there."""
    if fields.get("record_kind") != "finding":
        return []
    envelope = (event.get("detail-type"), event.get("source"))
    asff = isinstance(event.get("asff"), dict)
    score = fields.get("severity_score")
    return finding_warnings(event["detail"]["type"], score, envelope, capped=capped, asff=asff)


def _prepare(_options: WarningsOptions, _tables: Tables) -> Callable[..., list[str]]:
    return warnings_of


SPEC = OperationSpec("warnings", "run", _prepare, many=True)
