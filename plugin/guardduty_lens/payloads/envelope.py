"""EventBridge's envelope: told by its keys, put around a bare finding, completed where keys are missing."""

from collections.abc import Mapping
from typing import Any

from guardduty_lens.catalogue.operations.kind import FINDING_DETAIL_TYPE, GUARDDUTY_SOURCE, is_finding

_WORDS = ("detail-type", "source")


def is_envelope(value: Mapping[str, Any]) -> bool:
    """Tell whether an object is an EventBridge event, whole or with keys missing."""
    if "detail" not in value:
        return False
    return is_finding(value["detail"]) or any(key in value for key in _WORDS)


def complete(event: Mapping[str, Any]) -> dict[str, Any]:
    """Give a finding's event with the envelope keys that it lacks; keys that are there never change.

    Events without a finding under `detail` come back as they are.
    """
    detail = event.get("detail")
    if not is_finding(detail):
        return dict(event)
    return dict(event) | {key: value for key, value in envelope_of(detail).items() if key not in event}


def wrap(finding: Mapping[str, Any]) -> dict[str, Any]:
    """Put EventBridge's envelope around a bare finding in camelCase; it has no `id` of its own."""
    return envelope_of(finding) | {"detail": finding}


def envelope_of(finding: Mapping[str, Any]) -> dict[str, Any]:
    """Give the envelope of a bare finding, all but `detail`, in the order it is written."""
    envelope: dict[str, Any] = {
        "version": "0",
        "detail-type": FINDING_DETAIL_TYPE,
        "source": GUARDDUTY_SOURCE,
    }
    for key, origin in (("account", "accountId"), ("region", "region"), ("time", "updatedAt")):
        value = finding.get(origin)
        if type(value) is str and value:
            envelope[key] = value
    return envelope | {"resources": []}
