"""A proxy before a real cluster that refuses one request of a kind, and stands in for plugins it lacks.

Alerting, Index State Management and Notifications are in no distribution that tests can have; `plugins/`
plays them. What the stand-ins do not know is answered with 501, and fails the test when the proxy ends.
"""

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol

from plugins import alerting, ism, notifications
from plugins.alerting import AlertingPlugin
from plugins.indices import ServedIndices
from plugins.ism import IsmPlugin
from plugins.notifications import NotificationsPlugin
from plugins.refusals import UnrecordedError
from plugins.requests import Request


class Plugin(Protocol):
    """What answers the requests under a path."""

    def answer(self, request: Request) -> tuple[int, Any]: ...


class ClusterProxy:
    """`url` forwards to `target`; the `fail_put`th PUT (from 1) is answered with 503.

    `alerting`, `ism` and `notifications` are there where `plugins` has their paths.
    """

    def __init__(self, target: str, *, fail_put: int = 0) -> None:
        self.target, self.fail_put = target.rstrip("/"), fail_put
        indices = ServedIndices(self.target)
        self.alerting, self.ism = AlertingPlugin(indices), IsmPlugin(indices)
        self.notifications = NotificationsPlugin()
        self.plugins: dict[str, Plugin] = {}
        self.requests: list[Request] = []
        self.puts: list[str] = []
        self.unrecorded: list[str] = []
        self._turn = threading.Lock()

    def answer(self, request: Request) -> tuple[int, bytes]:
        self.requests.append(request)
        if request.method == "PUT":
            self.puts.append(request.uri)
            if len(self.puts) == self.fail_put:
                said = {"type": "process_cluster_event_timeout_exception", "reason": "failed to process"}
                return 503, json.dumps({"error": said, "status": 503}).encode()
        for path, plugin in self.plugins.items():
            if request.path.startswith(path):
                with self._turn:
                    status, document = self._played(plugin, request)
                return status, json.dumps(document).encode()
        return self._forward(request.method, request.uri, request.body)

    def _played(self, plugin: Plugin, request: Request) -> tuple[int, Any]:
        try:
            return plugin.answer(request)
        except UnrecordedError as error:
            self.unrecorded.append(f"{request.method} {request.uri}: {error}")
            reason = f"never recorded, so that the stand-in refuses it: {error}"
            return 501, {"error": {"type": "unrecorded", "reason": reason}, "status": 501}

    def _forward(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        request = urllib.request.Request(
            self.target + path, body or None, {"content-type": "application/json"}, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()


def _handler(answer: Callable[[Request], tuple[int, bytes]]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, given = answer(Request(self.command, self.path, body, headers))
            self.send_response(status)
            self.send_header("content-type", "application/json; charset=UTF-8")
            self.send_header("content-length", str(len(given)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(given)

        do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = handle_one  # noqa: N815 - http.server's names

        def log_message(self, *_: object) -> None:
            pass

    return Handler


@contextmanager
def cluster_proxy(
    target: str,
    *,
    fail_put: int = 0,
    with_ism: bool = False,
    with_notifications: bool = False,
    with_alerting: bool = False,
    alerting_as: Plugin | None = None,
) -> Iterator[tuple[str, ClusterProxy]]:
    """Run a proxy; gives its URL, and itself. `alerting_as` answers in the place of the Alerting plugin."""
    proxy = ClusterProxy(target, fail_put=fail_put)
    if with_ism:
        proxy.plugins[ism.ROOT] = proxy.ism
    if with_notifications:
        proxy.plugins[notifications.ROOT] = proxy.notifications
    if with_alerting or alerting_as:
        proxy.plugins[alerting.ROOT] = alerting_as or proxy.alerting
    with ThreadingHTTPServer(("127.0.0.1", 0), _handler(proxy.answer)) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", proxy
        finally:
            server.shutdown()
            thread.join()
    assert proxy.unrecorded == [], "requests that the stand-ins of the plugins do not know"
