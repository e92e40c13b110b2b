"""Plain HTTP to a server of the tests."""

import json
import urllib.error
import urllib.request
from typing import Any


def request(url: str, method: str, path: str, body: Any = None) -> Any:
    """Send JSON, or lines of it where `body` is bytes, and give the decoded answer.

    Raises AssertionError with the server's words where it refuses.
    """
    data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    kind = "application/x-ndjson" if isinstance(body, bytes) else "application/json"
    asked = urllib.request.Request(f"{url}{path}", data, {"Content-Type": kind}, method=method)
    try:
        with urllib.request.urlopen(asked, timeout=120) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise AssertionError(f"{method} {path}: {error.code} {error.read().decode()[:4000]}") from error
