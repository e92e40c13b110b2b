"""JSON requests to a server of the tests, and bulk loads, on nothing but the standard library."""

import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterable
from typing import Any


class Server:
    """A server at a URL; answers are given as they come, those of a failed request too."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")

    def request(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """Send one request; a body of bytes goes as it is (as lines of JSON), any other as JSON."""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        kind = "application/x-ndjson" if isinstance(body, bytes) else "application/json"
        request = urllib.request.Request(f"{self.url}/{path}", data, {"Content-Type": kind}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            return json.load(error)

    def expect(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """Send one request that must succeed; the server's words are in the assertion where it does not."""
        answer = self.request(method, path, body)
        assert "error" not in answer, f"{method} {path}: {str(answer)[:4000]}"
        return answer

    def load(self, index: str, documents: Iterable[bytes]) -> list[str]:
        """Index documents, and give the reasons of those that were refused."""
        documents = list(documents)
        refused = []
        for start in range(0, len(documents), 500):
            lines = b"".join(b'{"index":{}}\n' + each + b"\n" for each in documents[start : start + 500])
            answer = self.request("POST", f"{index}/_bulk", lines)
            refused += [str(item["index"]["error"]) for item in answer["items"] if "error" in item["index"]]
        self.request("POST", f"{index}/_refresh")
        return refused

    def count(self, index: str, query: str) -> int:
        """Count what a query such as a person types finds."""
        answer = self.request("GET", f"{index}/_count?q={urllib.parse.quote(query)}")
        assert "count" in answer, answer
        return answer["count"]

    def mapping(self, index: str) -> dict[str, Any]:
        """Give the mapping of one index."""
        [found] = self.request("GET", f"{index}/_mapping").values()
        return found["mappings"]
