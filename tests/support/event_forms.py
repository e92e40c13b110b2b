"""Documents in the forms that an engine outside of Python takes, and what is expected of them."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from guardduty_lens import Lens, Record
from guardduty_lens.catalogue.operations.kind import is_finding
from guardduty_lens.payloads.envelope import complete, wrap
from guardduty_lens.samples import generate_findings

TESTS = Path(__file__).parents[1]

FORMS = 6


def of_corpus() -> list[dict[str, Any]]:
    lens = Lens(extractors=())
    files = sorted(path for path in (TESTS / "corpus").glob("*/*") if path.is_file())
    found = [item for path in files for item in lens.process(path.read_bytes())]
    assert all(isinstance(item, Record) for item in found)
    return [item.event for item in found]


def of_samples() -> list[dict[str, Any]]:
    return [wrap(finding) for finding in generate_findings(2_000, seed=5)]


def documents_of(events: Sequence[dict[str, Any]], shift: int = 0) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Give each event's layout, and it in one of the forms, the forms by turns, from `shift` on."""
    forms = (
        lambda value: value,
        lambda value: value["detail"],
        lambda value: {"message": json.dumps(value), "host": {"name": "shipper-1"}},
        lambda value: {"log": json.dumps(value["detail"]), "@timestamp": "2025-01-01T00:00:00Z"},
        lambda value: {"message": json.dumps(value["detail"], ensure_ascii=False)},
        lambda value: {"log": json.dumps(value, indent=1)},
    )
    assert len(forms) == FORMS
    for turn, value in enumerate(events, shift):
        is_bare = turn % len(forms) in {1, 3, 4}
        if not is_finding(value.get("detail")):
            yield value, value
        else:
            layout = wrap(value["detail"]) if is_bare else complete(value)
            yield layout, forms[turn % len(forms)](value)


def identity(layout: dict[str, Any], added: dict[str, Any]) -> str | None:
    """Give the `_id` of an event, None where the server chooses one."""
    kind = added["record_kind"]
    if kind != "finding":
        is_ours = kind not in {"other", "other_aws"} or layout.get("source") == "aws.guardduty"
        own = layout.get("id") if is_ours else None
        return own if isinstance(own, str) and own else None
    own = added.get("finding_id") or added["finding_arn"].rsplit("/", 1)[-1]
    count = added.get("event_count")
    digits = "" if count is None else str(int(count))
    archived = "true" if added["is_archived"] else "false"
    made = f"{own}_{added.get('updated_at', '')}_{digits}_{archived}"
    return made if own and len(made.encode()) <= 512 else None


UPDATED = "2025-03-04T05:06:00.000Z"
"""When the finding of `finding_events.EVENT` was updated."""

PLACES: list[tuple[dict[str, Any], dict[str, Any], str, str]] = [
    ({}, {}, "guarddutylogs-2025.03", f"f1_{UPDATED}_3_true"),
    ({"updatedAt": None}, {}, "guarddutylogs-2025.03", "f1__3_true"),
    ({"updatedAt": "2024-12-31 23:59:59"}, {}, "guarddutylogs-2024.12", "f1_2024-12-31 23:59:59_3_true"),
    ({"updatedAt": "2024-13-01"}, {}, "guarddutylogs-2025.03", "f1_2024-13-01_3_true"),
    ({"id": None}, {}, "guarddutylogs-2025.03", f"f1_{UPDATED}_3_true"),
    ({"service": {"count": 8.0}}, {}, "guarddutylogs-2025.03", f"f1_{UPDATED}_8_true"),
    ({"service": {"count": None}}, {}, "guarddutylogs-2025.03", f"f1_{UPDATED}__true"),
    ({"service": {"archived": None}}, {}, "guarddutylogs-2025.03", f"f1_{UPDATED}_3_false"),
    ({"updatedAt": None}, {"time": "2026-01-02T00:00:00Z"}, "guarddutylogs-2026.01", "f1__3_true"),
]
"""Changes of that finding and of its envelope, and the index and `_id` that it then has."""

SCAN = {
    "source": "aws.guardduty",
    "detail-type": "GuardDuty Malware Protection Object Scan Result",
    "id": "e7",
    "account": "111122223333",
    "time": "2024-05-06T07:08:09Z",
    "detail": {"scanStatus": "COMPLETED"},
}
CALL = {
    "eventVersion": "1.08",
    "eventSource": "guardduty.amazonaws.com",
    "eventName": "DeleteDetector",
    "eventID": "c9",
    "eventTime": "2024-02-03T04:05:06Z",
}
