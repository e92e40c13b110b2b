"""A proxy before a real cluster that refuses one request of a kind, and stands in for a plugin it lacks.

Index State Management and Alerting are in no distribution that tests can have; their answers here are those
of their documentation, and of Alerting's parsers where that is silent (`alerting_api.py`).
"""

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from alerting_api import PATH as ALERTING
from alerting_api import AlertingApi

ISM = "/_plugins/_ism/"


class ClusterProxy:
    """`url` forwards to `target`; the `fail_put`th PUT (from 1) is answered with 503."""

    def __init__(
        self, target: str, *, fail_put: int = 0, ism: bool = False, alerting: AlertingApi | None = None
    ) -> None:
        self.target, self.fail_put, self.ism = target.rstrip("/"), fail_put, ism
        self.alerting = alerting
        self.puts: list[str] = []
        self.policies: dict[str, dict] = {}
        self.released: list[str] = []
        self._sequence = 0

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        if method == "PUT":
            self.puts.append(path)
            if len(self.puts) == self.fail_put:
                said = {"type": "process_cluster_event_timeout_exception", "reason": "failed to process"}
                return 503, json.dumps({"error": said, "status": 503}).encode()
        if self.ism and path.startswith(ISM):
            status, document = self._policy(method, *path.removeprefix(ISM).partition("?")[::2], body)
            return status, json.dumps(document).encode()
        if self.alerting is not None and path.startswith(ALERTING):
            status, document = self.alerting.answer(method, path, body)
            return status, json.dumps(document).encode()
        return self._forward(method, path, body)

    def _policy(self, method: str, path: str, query: str, body: bytes) -> tuple[int, dict]:
        action, _, name = path.partition("/")
        if action == "remove":
            self.released.extend(name.split(","))
            return 200, {"updated_indices": 1, "failures": False, "failed_indices": []}
        if not name:
            return 200, {"policies": list(self.policies.values()), "total_policies": len(self.policies)}
        there = self.policies.get(name)
        if method == "PUT":
            return self._put_policy(name, there, query, json.loads(body))
        if there is None:
            return 404, {"error": {"type": "status_exception", "reason": "Policy not found"}, "status": 404}
        if method == "DELETE":
            del self.policies[name]
        return 200, there

    def _put_policy(self, name: str, there: dict | None, query: str, body: dict) -> tuple[int, dict]:
        if there and query != f"if_seq_no={there['_seq_no']}&if_primary_term=1":
            reason = f"[{name}]: version conflict, document already exists"
            return 409, {"error": {"type": "version_conflict_engine_exception", "reason": reason}}
        self._sequence += 1
        for state in body["policy"]["states"]:
            for action in state["actions"]:
                action["retry"] = {"count": 3, "backoff": "exponential", "delay": "1m"}
        kept = {"policy_id": name, "last_updated_time": 1, "schema_version": 21, "error_notification": None}
        self.policies[name] = {
            "_id": name,
            "_version": 1,
            "_seq_no": self._sequence,
            "_primary_term": 1,
            "policy": body["policy"] | kept,
        }
        return 200 if there else 201, self.policies[name]

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


def _handler(answer: Callable[[str, str, bytes], tuple[int, bytes]]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            status, given = answer(self.command, self.path, body)
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
    target: str, *, fail_put: int = 0, ism: bool = False, alerting: AlertingApi | None = None
) -> Iterator[tuple[str, ClusterProxy]]:
    """Run a proxy; gives its URL, and itself."""
    proxy = ClusterProxy(target, fail_put=fail_put, ism=ism, alerting=alerting)
    with ThreadingHTTPServer(("127.0.0.1", 0), _handler(proxy.answer)) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", proxy
        finally:
            server.shutdown()
            thread.join()
