"""HTTP to a test server, from the standard library: tests of the project's own client need another one."""

import base64
import http.client
import json
import ssl
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

CLUSTER_HEALTH = "/_cluster/health?wait_for_status=yellow&timeout=5s"
_SECONDS = 60.0
_PROBE_SECONDS = 10.0


@dataclass(frozen=True)
class Answer:
    """Status and body of a response, the body decoded if it is JSON."""

    status: int
    body: Any


@dataclass(frozen=True)
class Client:
    """Requests to one server; `tls` is None for plain HTTP, `user` a name and password or None."""

    url: str
    tls: ssl.SSLContext | None = None
    user: tuple[str, str] | None = None

    def request(self, method: str, path: str, body: object = None, *, seconds: float = _SECONDS) -> Answer:
        """Answer to one request, whatever its status; raises OSError where no answer comes.

        `path` starts with a slash; `body` is sent as JSON, or as it stands if it is bytes (for bulk).
        """
        request = urllib.request.Request(self.url + path, method=method)
        request.add_header("Content-Type", "application/json")
        if self.user is not None:
            token = base64.b64encode(":".join(self.user).encode()).decode()
            request.add_header("Authorization", f"Basic {token}")
        if body is not None:
            request.data = body if isinstance(body, bytes) else json.dumps(body).encode()
        # No proxy from the environment may stand between a test and a server on loopback.
        handlers: list[urllib.request.BaseHandler] = [urllib.request.ProxyHandler({})]
        if self.tls is not None:
            handlers.append(urllib.request.HTTPSHandler(context=self.tls))
        try:
            with urllib.request.build_opener(*handlers).open(request, timeout=seconds) as response:
                return Answer(response.status, _decode(response.read()))
        except urllib.error.HTTPError as refused:
            with refused:
                return Answer(refused.code, _decode(refused.read()))

    def is_up(self, *paths: str) -> bool:
        """Whether every path answers 200, by default the cluster's health."""
        try:
            answers = [
                self.request("GET", path, seconds=_PROBE_SECONDS) for path in paths or (CLUSTER_HEALTH,)
            ]
        except (OSError, http.client.HTTPException):
            return False  # not listening yet
        return all(answer.status == 200 for answer in answers)


def _decode(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body.decode(errors="replace")
