"""A stand-in between the output and a cluster, on loopback: it fails as told, else passes requests on.

Without a cluster behind it, it answers each bulk request as one would that takes everything, and whoever asks
for index templates that ours are there.
"""

import http.client
import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import urlsplit


class Answer(NamedTuple):
    status: int
    body: bytes = b""
    headers: Mapping[str, str] = MappingProxyType({})


class Cut(NamedTuple):
    """The connection is cut; with `after`, once the cluster has done what it was asked."""

    after: bool = False


class Stall(NamedTuple):
    """Nothing is answered for so many seconds, then the connection is cut."""

    seconds: float


Fault = Answer | Cut | Stall | None
NOTHING_TO_DO = json.dumps(
    {"error": {"type": "action_request_validation_exception", "reason": "no requests added"}, "status": 400}
).encode()

OUR_TEMPLATES = json.dumps(
    {
        "index_templates": [
            {
                "name": "guardduty-lens-all",
                "index_template": {
                    "index_patterns": ["*"],
                    "_meta": {"guardduty_lens": {"version": "0.1.0"}},
                },
            }
        ]
    }
).encode()


class FaultyCluster(ThreadingHTTPServer):
    """`choose` is given a request's number (from 1, bulk requests with documents) and its lines."""

    daemon_threads = True

    def __init__(self, choose: Callable[[int, list[bytes]], Fault], behind: str | None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.choose = choose
        self.behind = behind
        self.requests: list[list[bytes]] = []
        self.looks = 0
        """How often index templates were asked for."""
        self.stopped = threading.Event()
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def ids(self) -> list[list[str]]:
        """The ids of the documents in each bulk request."""
        return [[ident(action) for action in lines[::2]] for lines in self.requests]


def ident(action: bytes) -> str:
    [target] = json.loads(action).values()
    return str(target["_id"])


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: FaultyCluster

    def do_GET(self) -> None:
        self.server.looks += 1
        if self.server.behind is None:
            self._answer(Answer(200, OUR_TEMPLATES))
            return
        connection = http.client.HTTPConnection(urlsplit(self.server.behind).netloc)
        try:
            connection.request("GET", self.path)
            response = connection.getresponse()
            self._answer(Answer(response.status, response.read()))
        finally:
            connection.close()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        lines = body.split(b"\n")[:-1]
        fault: Fault = None
        if lines != [b""]:
            with self.server.lock:
                self.server.requests.append(lines)
                number = len(self.server.requests)
            fault = self.server.choose(number, lines)
        if isinstance(fault, Answer):
            self._answer(fault)
        elif isinstance(fault, Stall):
            self.server.stopped.wait(fault.seconds)
            self._cut()
        elif isinstance(fault, Cut):
            if fault.after:
                self._passed_on(body, lines)
            self._cut()
        else:
            self._answer(self._passed_on(body, lines))

    def _passed_on(self, body: bytes, lines: list[bytes]) -> Answer:
        if self.server.behind is None:
            return Answer(400, NOTHING_TO_DO) if lines == [b""] else taken(lines)
        connection = http.client.HTTPConnection(urlsplit(self.server.behind).netloc)
        try:
            connection.request("POST", self.path, body, {"content-type": "application/x-ndjson"})
            response = connection.getresponse()
            return Answer(response.status, response.read())
        finally:
            connection.close()

    def _cut(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def _answer(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for key, value in {"content-type": "application/json", **answer.headers}.items():
            self.send_header(key, value)
        self.send_header("content-length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name in http.server
        """Print nothing."""


def taken(lines: list[bytes], **of: tuple[int, dict[str, Any]]) -> Answer:
    """The answer that takes every document; `of` gives a status and an error for some ids."""
    items = []
    for action in lines[::2]:
        [kind] = json.loads(action)
        status, error = of.get(ident(action), (201, None))
        items.append({kind: {"status": status} | ({"error": error} if error else {})})
    return Answer(200, json.dumps({"errors": bool(of), "items": items}).encode())


@contextmanager
def faulty_cluster(
    choose: Callable[[int, list[bytes]], Fault] = lambda number, lines: None, behind: str | None = None
) -> Iterator[FaultyCluster]:
    with FaultyCluster(choose, behind) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield server
        finally:
            server.stopped.set()
            server.shutdown()
            thread.join()
