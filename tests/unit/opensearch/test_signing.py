"""Who we are, as it arrives: the signature that AWS would work out of a request, or a token."""

import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from guardduty_lens.opensearch.bulk import Bulk
from guardduty_lens.opensearch.client import Connection, Secret, connect
from guardduty_lens.opensearch.document import Document

KEY, SECRET, TOKEN = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "a/session+token=="
AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/]+)/\d{8}/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request, "
    r"SignedHeaders=(?P<headers>[^,]+), Signature=(?P<signature>[0-9a-f]{64})"
)


class Arrived(ThreadingHTTPServer):
    """Keeps requests as they arrive, and takes every document."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests: list[tuple[str, str, dict[str, str], bytes]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        assert isinstance(self.server, Arrived)
        headers = {key.lower(): value for key, value in self.headers.items()}
        self.server.requests.append((self.command, self.path, headers, body))
        answer = b'{"errors":false,"items":[{"create":{"status":201}}]}'
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name in http.server
        pass


@pytest.fixture
def arrived() -> Iterator[Arrived]:
    with Arrived() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("service", ["es", "aoss"])
def test_a_bulk_request_is_signed(service: Any, arrived: Arrived, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("ACCESS_KEY_ID", KEY), ("SECRET_ACCESS_KEY", SECRET), ("SESSION_TOKEN", TOKEN)):
        monkeypatch.setenv(f"AWS_{name}", value)
    connection = Connection(urls=(arrived.url,), aws_region="eu-west-1", aws_service=service)
    document = Document("guarddutylogs-2025.03", "f1_\u00e4", b'{"title":"\xc3\xa4 & b"}')
    assert Bulk(connect(connection)).deliver([document]).results == ["written"]
    [(method, path, headers, body)] = arrived.requests
    said = AUTHORIZATION.fullmatch(headers["authorization"])
    assert said is not None, headers["authorization"]
    assert (said["key"], said["region"], said["service"]) == (KEY, "eu-west-1", service)
    assert headers["x-amz-security-token"] == TOKEN
    assert {"host", "x-amz-date", "x-amz-security-token"} <= set(said["headers"].split(";"))
    signed = {name: headers[name] for name in said["headers"].split(";")}
    assert signature(method, f"{arrived.url}{path}", signed, body, service) == said["signature"]
    assert signature(method, f"{arrived.url}{path}", signed, body + b" ", service) != said["signature"]
    assert SECRET not in str(headers)


def test_a_token_arrives(arrived: Arrived) -> None:
    connection = Connection(urls=(arrived.url,), token=Secret("t0ken"))
    document = Document("guarddutylogs-2025.03", "f1", b"{}")
    assert Bulk(connect(connection)).deliver([document]).results == ["written"]
    [(_, _, headers, _)] = arrived.requests
    assert headers["authorization"] == "Bearer t0ken"


def signature(method: str, url: str, headers: dict[str, str], body: bytes, service: str) -> str:
    """What botocore works out of a request that arrived, from the headers that were signed."""
    signer = SigV4Auth(Credentials(KEY, SECRET, TOKEN), service, "eu-west-1")
    path, _, query = url.partition("?")
    params = dict(part.split("=", 1) for part in query.split("&"))
    kept = {name: value for name, value in headers.items() if name != "x-amz-content-sha256"}
    request = AWSRequest(method, path, kept, body, {key: unquote(value) for key, value in params.items()})
    if "x-amz-content-sha256" in headers:
        request.headers["x-amz-content-sha256"] = signer.payload(request)
    request.context["timestamp"] = headers["x-amz-date"]
    text = signer.string_to_sign(request, signer.canonical_request(request))
    return str(signer.signature(text, request))
