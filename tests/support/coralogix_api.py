"""A small server that holds to what Coralogix documents of its logs API ("/singles", "Limitations")."""

import gzip
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "cx-test-key"
LIMIT = 2_000_000

Misbehave = Callable[[int], tuple[int, dict[str, str], str] | None]
"""Given the number of a request (from 1): a status, headers and words to answer instead of taking it."""


class CoralogixApi:
    def __init__(self, misbehave: Misbehave = lambda _: None) -> None:
        self._misbehave = misbehave
        self._lock = threading.Lock()
        self.requests = 0
        self.entries: list[dict[str, Any]] = []
        self.largest = 0
        self.url = ""

    def answer(self, path: str, headers: Any, body: bytes) -> tuple[int, dict[str, str], str]:
        with self._lock:
            self.requests += 1
            instead = self._misbehave(self.requests)
        if instead is not None:
            return instead
        if path != "/logs/v1/singles":
            return 404, {}, "not found"
        if headers.get("Authorization") != f"Bearer {KEY}":
            return 401, {}, "Unauthorized"
        if headers.get("Content-Type") != "application/json":
            return 415, {}, "Content-Type"
        text = gzip.decompress(body) if headers.get("Content-Encoding") == "gzip" else body
        self.largest = max(self.largest, len(text))
        if len(text) > LIMIT:
            return 413, {}, "Payload Too Large"
        entries = json.loads(text)
        if (fault := next((fault for each in entries if (fault := _fault(each))), None)) is not None:
            return 400, {}, fault
        with self._lock:
            self.entries += entries
        return 200, {}, "{}"


def _fault(entry: dict[str, Any]) -> str | None:
    required = {"applicationName": str, "subsystemName": str, "text": (str, dict)}
    for name, kind in required.items():
        if not isinstance(entry.get(name), kind) or not entry[name]:
            return f"{name} is required"
    if entry.get("severity") not in (1, 2, 3, 4, 5, 6):
        return "severity is 1 to 6"
    if not isinstance(entry.get("timestamp"), int | float):
        return "timestamp is a number"
    if isinstance(entry["text"], dict) and entry["text"].get("poison"):
        return "this entry cannot be read"
    return None


@contextmanager
def coralogix_api(misbehave: Misbehave = lambda _: None) -> Iterator[CoralogixApi]:
    """Run it on loopback."""
    api = CoralogixApi(misbehave)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            status, headers, text = api.answer(self.path, self.headers, body)
            if status == 0:  # no answer at all
                self.close_connection = True
                return
            given = text.encode()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(given)))
            self.end_headers()
            self.wfile.write(given)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        api.url = f"http://127.0.0.1:{server.server_address[1]}/logs/v1/singles"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield api
        finally:
            server.shutdown()
            thread.join()
