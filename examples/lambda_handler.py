"""guardduty-lens in an AWS Lambda function, behind EventBridge, SNS, SQS, Kinesis or CloudWatch Logs."""

from collections.abc import Iterator
from typing import Any

from guardduty_lens import Lens, Record

lens = Lens()


def records(event: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Give the records of whatever invoked the function. Raises ValueError where something is unreadable."""
    for item in lens.process(event):
        if not isinstance(item, Record):
            raise ValueError(f"{item.reason} at {item.position}: {item.message}")
        yield item.to_dict()


def handler(event: dict[str, Any], _context: object) -> list[dict[str, Any]]:
    """Return the records; a real function would send them on. An error makes Lambda try the event again."""
    return list(records(event))
