"""Exchanges recorded with the real plugins: tests/data/recordings, a request and its response a line."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from guardduty_lens.opensearch.cluster import ClusterError, words_of

_FOLDER = Path(__file__).parents[1] / "data/recordings"


@cache
def recording(name: str) -> list[dict[str, Any]]:
    """Give the exchanges of a file, in the order they were run."""
    return [json.loads(line) for line in (_FOLDER / f"{name}.jsonl").read_text().splitlines()]


def exchange(name: str, method: str, path: str, body: Any) -> Any:
    """Give the body answered to a request that was recorded. Raises LookupError for one that was not."""
    for each in recording(name):
        asked = each["request"]
        if (asked["method"], asked["path"], asked["body"]) == (method, path, body):
            return each["response"]["body"]
    raise LookupError(f"{name} has no {method} {path} {body}")


def refusal(name: str, number: int) -> ClusterError:
    """Give the error that the client makes of a recorded refusal."""
    answer = recording(name)[number - 1]["response"]
    assert answer["status"] >= 400
    return ClusterError(words_of(_Refused(answer["status"], answer["body"])), answer["status"])


class _Refused(Exception):  # noqa: N818 - stands for what opensearch-py raises
    def __init__(self, status: int, info: Any) -> None:
        self.status_code, self.info = status, info
