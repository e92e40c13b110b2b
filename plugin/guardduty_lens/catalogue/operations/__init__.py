"""The operations of the catalogue: a closed set, one file each, in this table.

A new one costs five engines (CONTRIBUTING.md says which files).
"""

from guardduty_lens.catalogue.operations import (
    bands,
    case,
    constant,
    finding_type,
    kind,
    lookup,
    number,
    objects,
    parse_json,
    path,
    regex,
    split,
    template,
    text,
    warnings,
)
from guardduty_lens.catalogue.operations.base import OperationSpec

OPERATIONS: dict[str, OperationSpec] = {
    "path": path.SPEC,
    "kind": kind.SPEC,
    "warnings": warnings.SPEC,
    "finding_type": finding_type.SPEC,
    "regex": regex.SPEC,
    "split": split.SPEC,
    "bands": bands.SPEC,
    "lookup": lookup.SPEC,
    "objects": objects.SPEC,
    "template": template.SPEC,
    "number": number.SPEC,
    "text": text.SPEC,
    "constant": constant.SPEC,
    "case": case.SPEC,
    "parse_json": parse_json.SPEC,
}

__all__ = ["OPERATIONS", "OperationSpec"]
