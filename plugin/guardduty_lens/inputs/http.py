"""The input `http`, an ASGI application: for Fluent Bit, Logstash, Firehose, EventBridge, whoever can POST.

    POST /         events; answered once every output has confirmed
    POST /filter   events; answered with the records, and delivered nowhere
    POST /tag      a deployment marker, for the clusters among the outputs
    GET  /health   whether the process lives, and which outputs fail, and why
    GET  /ready    whether it takes events;  /metrics  Prometheus' text

Bodies are JSON in any form (one value, an array, lines, values with nothing between them), or msgpack as
Fluent Bit writes it; gzipped or not. What a Firehose HTTP endpoint has to answer is answered to Firehose.
"""

import asyncio
import hmac
import json
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from typing import Any

import msgspec

from guardduty_lens.inputs.delivery import Batch, Deliver, NotDelivered, Payload
from guardduty_lens.inputs.forward import payload_of
from guardduty_lens.opensearch.client import Secret
from guardduty_lens.payloads.compressed import GZIP_MAGIC, inflate_whole
from guardduty_lens.payloads.pieces import UnreadableError
from guardduty_lens.protocols.forward import RemoteProtocolError
from guardduty_lens.protocols.forward.messages import read_entry, values

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Enrich = Callable[[bytes], list[bytes]]
"""Gives the records of a body, each as JSON. Raises ValueError with the reason where it cannot be read."""

TakeTag = Callable[[bytes], bytes]
"""Puts a marker where it belongs, and gives the answer. Raises ValueError with the reason where it cannot be
read, NotDelivered, and LookupError where there is no place for markers."""

_FIREHOSE_ID, _FIREHOSE_KEY = b"x-amz-firehose-request-id", b"x-amz-firehose-access-key"
_MSGPACK = ("application/msgpack", "application/x-msgpack")


class HttpOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Who may send, how much (bytes, as it comes and unpacked), and how many at once."""

    token: Secret | None = None
    largest_body: int = 64 * 1024 * 1024
    largest_unpacked: int = 256 * 1024 * 1024
    at_once: int = 64
    tag: str = "http"


class Refused(Exception):  # noqa: N818 - it names what happened
    """A request that is not served, its status and why."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class HttpInput:
    """The application. `metrics` gives Prometheus' text, `failing` why outputs fail, by their names."""

    def __init__(
        self,
        options: HttpOptions,
        deliver: Deliver,
        enrich: Enrich,
        metrics: Callable[[], str],
        take_tag: TakeTag,
        failing: Callable[[], Mapping[str, str]] = dict,
    ) -> None:
        self._options = options
        self._deliver = deliver
        self._enrich = enrich
        self._metrics = metrics
        self._take_tag = take_tag
        self._failing = failing
        self._under_way = 0
        self.is_ready = True
        """Set to False when it ends: load balancers then send elsewhere."""
        self.counts: dict[int, int] = {}
        """Answers, by status."""
        self.bytes = 0
        """Of bodies, as they came."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, as ASGI 3 has it."""
        if scope["type"] != "http":
            return
        headers = {name.lower(): value for name, value in scope["headers"]}
        try:
            status, body, kind = await self._answer(scope, headers, receive)
        except Refused as error:
            status, kind = error.status, b"application/json"
            body = _error(headers, str(error))
        self.counts[status] = self.counts.get(status, 0) + 1
        answer = [(b"content-type", kind), (b"content-length", str(len(body)).encode())]
        if status in (429, 503):
            answer.append((b"retry-after", b"1"))
        await send({"type": "http.response.start", "status": status, "headers": answer})
        await send({"type": "http.response.body", "body": body})

    async def _answer(
        self, scope: Scope, headers: Mapping[bytes, bytes], receive: Receive
    ) -> tuple[int, bytes, bytes]:
        method, path = scope["method"], scope["path"]
        if method == "GET" and path == "/health":
            return 200, self._health(headers), b"application/json"
        if method == "GET" and path == "/ready":
            word = "ready" if self.is_ready else "ending"
            return (200 if self.is_ready else 503), f'{{"status":"{word}"}}'.encode(), b"application/json"
        self._check_token(headers)
        if method == "GET" and path == "/metrics":
            return 200, self._metrics().encode(), b"text/plain; version=0.0.4; charset=utf-8"
        if path not in ("/", "/filter", "/tag"):
            raise Refused(404, f"nothing is at {path[:100]}")
        if method != "POST":
            raise Refused(405, "events are sent by POST")
        return await self._take(path, scope, headers, receive)

    def _health(self, headers: Mapping[bytes, bytes]) -> bytes:
        """Say that we live, and which outputs fail; why, to those alone who may send."""
        failing = self._failing()
        if not self._is_allowed(headers):
            failing = dict.fromkeys(failing, "not ready")
        return msgspec.json.encode({"status": "alive"} | ({"not_ready": failing} if failing else {}))

    async def _take(
        self, path: str, scope: Scope, headers: Mapping[bytes, bytes], receive: Receive
    ) -> tuple[int, bytes, bytes]:
        if self._under_way >= self._options.at_once:
            raise Refused(429, f"more than {self._options.at_once} requests at once")
        self._under_way += 1
        try:
            body = _unpacked(await self._body(headers, receive), headers, self._options.largest_unpacked)
            if path == "/tag":
                return await self._tag(body)
            payloads = _payloads(body, headers)
            if path == "/filter":
                return await self._filter(payloads)
            source = "http " + ":".join(map(str, scope.get("client") or ("?",)))
            try:
                await self._deliver(Batch(self._options.tag, source, payloads))
            except NotDelivered as error:
                raise Refused(503, f"not delivered: {error}") from error
            return 200, _taken(headers), b"application/json"
        finally:
            self._under_way -= 1

    async def _tag(self, body: bytes) -> tuple[int, bytes, bytes]:
        try:
            answer = await asyncio.get_running_loop().run_in_executor(None, self._take_tag, body)
        except LookupError as error:
            raise Refused(404, str(error.args[0])) from error
        except ValueError as error:
            raise Refused(400, str(error)) from error
        except NotDelivered as error:
            raise Refused(503, f"not delivered: {error}") from error
        return 200, answer, b"application/json"

    async def _filter(self, payloads: Iterable[Payload]) -> tuple[int, bytes, bytes]:
        """Answer one record as an object, several, or none, as an array."""
        loop = asyncio.get_running_loop()
        try:
            found = [
                record
                for payload in payloads
                for record in await loop.run_in_executor(None, self._enrich, payload.json())
            ]
        except ValueError as error:
            raise Refused(400, str(error)) from error
        body = found[0] if len(found) == 1 else b"[" + b",".join(found) + b"]"
        return 200, body, b"application/json"

    async def _body(self, headers: Mapping[bytes, bytes], receive: Receive) -> bytes:
        most = self._options.largest_body
        length = headers.get(b"content-length", b"0")
        if length.isdigit() and int(length) > most:
            raise Refused(413, f"a body of more than {most:,} bytes")
        given = bytearray()
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Refused(400, "the body is cut off")
            given += message.get("body", b"")
            self.bytes += len(message.get("body", b""))
            if len(given) > most:
                raise Refused(413, f"a body of more than {most:,} bytes")
            if not message.get("more_body"):
                return bytes(given)

    def _check_token(self, headers: Mapping[bytes, bytes]) -> None:
        if not self._is_allowed(headers):
            raise Refused(401, "a token is wanted: Authorization: Bearer …, or Firehose's access key")

    def _is_allowed(self, headers: Mapping[bytes, bytes]) -> bool:
        token = self._options.token
        if token is None:
            return True
        said = headers.get(_FIREHOSE_KEY) or headers.get(b"authorization", b"").removeprefix(b"Bearer ")
        return hmac.compare_digest(said, token.reveal().encode())


def _unpacked(body: bytes, headers: Mapping[bytes, bytes], most: int) -> bytes:
    encoding = headers.get(b"content-encoding", b"identity").decode("latin-1").strip().lower()
    if encoding in ("", "identity"):
        return body
    if encoding != "gzip":
        raise Refused(415, f"the content encoding {encoding[:40]!r}; gzip or none is taken")
    if not body.startswith(GZIP_MAGIC):
        raise Refused(400, "the body is no gzip")
    try:
        return inflate_whole(body, most)
    except UnreadableError as error:
        raise Refused(413 if error.reason == "too_large" else 400, f"the body: {error}") from error


def _payloads(body: bytes, headers: Mapping[bytes, bytes]) -> list[Payload]:
    if not body.strip():
        raise Refused(400, "the body is empty")
    kind = headers.get(b"content-type", b"").decode("latin-1").split(";")[0].strip().lower()
    if kind in _MSGPACK:
        try:
            return [payload_of(read_entry(body[start:end])) for start, end in values(body, "the body")]
        except RemoteProtocolError as error:
            raise Refused(400, str(error)) from error
    if kind and not (
        kind.endswith("json") or kind in ("text/plain", "application/x-ndjson", "application/octet-stream")
    ):
        raise Refused(
            415,
            f"the content type {kind[:80]!r}; JSON or msgpack is taken: send Content-Type: application/json",
        )
    return [Payload(body, is_json=False)]


def _taken(headers: Mapping[bytes, bytes]) -> bytes:
    return _firehose(headers) or b"{}"


def _error(headers: Mapping[bytes, bytes], message: str) -> bytes:
    return _firehose(headers, errorMessage=message) or json.dumps({"error": message}).encode()


def _firehose(headers: Mapping[bytes, bytes], **more: str) -> bytes:
    """Give what Firehose wants to read: its request's id and a time; nothing if it is another who asks."""
    if _FIREHOSE_ID not in headers:
        return b""
    said = {"requestId": headers[_FIREHOSE_ID].decode("latin-1"), "timestamp": time.time_ns() // 1_000_000}
    return json.dumps(said | more).encode()
