"""The function `filter`: enriches what passes through Firehose, record by record.

What comes is what Firehose takes: events of EventBridge, CloudWatch Logs subscriptions (gzip), findings in
any shape. Each record is answered: `Ok` with its records, a line each; `Dropped` what a transport says of
itself; `ProcessingFailed` what cannot be read, which Firehose then keeps, raw, under its error prefix.
"""

import base64
import binascii
import logging
from collections.abc import Mapping
from functools import cache
from typing import Any

from guardduty_lens.aws.metrics import publish
from guardduty_lens.lens import Lens
from guardduty_lens.payloads.pieces import Rejected

_log = logging.getLogger(__name__)

MOST_BYTES = 5_500_000
"""Of an answer: Lambda takes 6 MB of a synchronous one. Records beyond it fail, and Firehose keeps them."""


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Answer the records of an invocation by Firehose, in their order."""
    answered: list[dict[str, str]] = []
    size = 0
    for record in event["records"]:
        answer = _answer(record)
        size += len(answer["data"])
        if size > MOST_BYTES and answer["result"] == "Ok":
            size -= len(answer["data"])
            answer = _failed(record)
        answered.append(answer)
    results = [answer["result"] for answer in answered]
    publish("transform", {result: results.count(result) for result in ("Ok", "Dropped", "ProcessingFailed")})
    return {"records": answered}


def _answer(record: Mapping[str, Any]) -> dict[str, str]:
    try:
        payload = base64.b64decode(record["data"], validate=True)
    except (binascii.Error, ValueError):
        return _failed(record)
    found = list(_lens().process(payload, "firehose"))
    rejected = next((item for item in found if isinstance(item, Rejected)), None)
    if rejected is not None:
        _log.warning("record %s: %s: %s", record["recordId"], rejected.reason, rejected.message)
        return _failed(record)
    if not found:
        return {"recordId": record["recordId"], "result": "Dropped", "data": record["data"]}
    lines = b"".join(item.to_json() + b"\n" for item in found if not isinstance(item, Rejected))
    return {"recordId": record["recordId"], "result": "Ok", "data": base64.b64encode(lines).decode()}


def _failed(record: Mapping[str, Any]) -> dict[str, str]:
    return {"recordId": record["recordId"], "result": "ProcessingFailed", "data": record["data"]}


@cache
def _lens() -> Lens:
    return Lens()
