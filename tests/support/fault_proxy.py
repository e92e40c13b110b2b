"""A proxy on loopback between a client and a test server that does harm when it is told to.

Every connection carries one request: the proxy says `Connection: close`, so that a fault strikes exactly the
request it was meant for. Responses are passed on byte by byte.
"""

import selectors
import socket
import struct
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum, auto
from urllib.parse import urlsplit

_MAX_HEAD = 64 * 1024
_MAX_BODY = 256 * 1024 * 1024
_SECONDS = 60.0
_LINGER_NOT = struct.pack("ii", 1, 0)


class Fault(Enum):
    """What happens to a request. All but PASS and CUT_AFTER keep it from the server."""

    PASS = auto()
    CUT_BEFORE = auto()  # reset; the server never saw it
    CUT_AFTER = auto()  # the server has done it; the answer is withheld and the connection reset
    CUT_WITHIN = auto()  # the server has done it; half of the answer arrives
    STALL = auto()  # no answer, for as long as the client waits or the proxy lives
    TOO_MANY = auto()  # 429
    UNAVAILABLE = auto()  # 503
    GARBAGE = auto()  # bytes that are not HTTP
    NOT_JSON = auto()  # 200 with a body that is not JSON


@dataclass(frozen=True)
class Seen:
    """A request that arrived: method, path with query, body, and what was done to it."""

    method: str
    path: str
    body: bytes
    fault: Fault


@dataclass
class FaultProxy:
    """Its `url` takes the place of the server's; `fault_proxy` runs it.

    The faults of `next` come first, then those of `choose`. `seen` lists the requests as they arrived.
    """

    target: str
    choose: Callable[[str, str, bytes], Fault] | None = None
    seen: list[Seen] = field(default_factory=list)

    def __post_init__(self) -> None:
        address = urlsplit(self.target)
        assert address.scheme == "http", "the proxy does not speak TLS"
        assert address.hostname is not None
        self._server = (address.hostname, address.port or 80)
        self._planned: deque[Fault] = deque()
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def next(self, *faults: Fault) -> None:
        """Plan the faults of the next requests, one each, after those planned already."""
        with self._lock:
            self._planned.extend(faults)

    def serve(self) -> None:
        """Take connections until `close`; each has a thread of its own."""
        self._listener.settimeout(0.2)
        while not self._closed.is_set():
            try:
                client, _ = self._listener.accept()
            except TimeoutError:
                continue
            thread = threading.Thread(target=self._handle, args=(client,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def close(self) -> None:
        """Take no more connections, and let the stalled go."""
        self._closed.set()

    def join(self) -> None:
        """Wait until every connection has ended; to be called after `serve` has returned."""
        for thread in self._threads:
            thread.join(_SECONDS)
        self._listener.close()

    def _handle(self, client: socket.socket) -> None:
        with client:
            client.settimeout(_SECONDS)
            try:
                request = _read_request(client)
                if request is not None:
                    self._act(client, request)
            except (ConnectionError, TimeoutError):
                pass  # one of the two sides went away, as sides do where faults are tried

    def _act(self, client: socket.socket, request: "_Request") -> None:
        fault = self._fault_of(request)
        self.seen.append(Seen(request.method, request.path, request.body, fault))
        if fault is Fault.STALL:
            self._stall(client)
        elif fault is Fault.CUT_BEFORE:
            _reset(client)
        elif fault in _CANNED:
            client.sendall(_CANNED[fault])
        else:
            self._forward(client, request, fault)

    def _fault_of(self, request: "_Request") -> Fault:
        with self._lock:
            if self._planned:
                return self._planned.popleft()
        if self.choose is not None:
            return self.choose(request.method, request.path, request.body)
        return Fault.PASS

    def _stall(self, client: socket.socket) -> None:
        """Until the client gives up, which makes its socket readable, or the proxy closes."""
        with selectors.DefaultSelector() as selector:
            selector.register(client, selectors.EVENT_READ)
            while not self._closed.is_set() and not selector.select(0.1):
                pass

    def _forward(self, client: socket.socket, request: "_Request", fault: Fault) -> None:
        with socket.create_connection(self._server, timeout=_SECONDS) as server:
            server.sendall(request.raw)
            answer = _read_all(server)
        if fault is Fault.PASS:
            client.sendall(answer)
            return
        if fault is Fault.CUT_WITHIN:
            client.sendall(answer[: len(answer) // 2])
        _reset(client)


@contextmanager
def fault_proxy(
    target: str, faults: Iterable[Fault] = (), *, choose: Callable[[str, str, bytes], Fault] | None = None
) -> Iterator[FaultProxy]:
    """A proxy before `target` (an http URL) that does `faults` to the first requests, one each.

    Then `choose(method, path, body)` says what to do; without it requests pass.
    """
    proxy = FaultProxy(target, choose)
    proxy.next(*faults)
    thread = threading.Thread(target=proxy.serve, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.close()
        thread.join(_SECONDS)
        proxy.join()


@dataclass(frozen=True)
class _Request:
    method: str
    path: str
    body: bytes
    raw: bytes  # as it is sent on: with `Connection: close`


def _read_request(client: socket.socket) -> _Request | None:
    """The request on a new connection, None if the client closes it without one."""
    received = bytearray()
    while b"\r\n\r\n" not in received:
        piece = client.recv(65536)
        if not piece:
            return None
        received += piece
        assert len(received) <= _MAX_HEAD or b"\r\n\r\n" in received, "head of a request too long"
    head, _, rest = bytes(received).partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {
        name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
    }
    assert "transfer-encoding" not in headers, "chunked requests are not needed by our clients"
    body = _read_body(client, rest, int(headers.get("content-length", "0")))
    kept = [line for line in lines if line.partition(":")[0].strip().lower() != "connection"]
    method, path, _ = first.split(" ")
    raw_head = "\r\n".join([first, *kept, "Connection: close"]).encode("latin-1")
    return _Request(method, path, body, raw_head + b"\r\n\r\n" + body)


def _read_body(client: socket.socket, start: bytes, length: int) -> bytes:
    assert length <= _MAX_BODY, "body of a request too long"
    body = bytearray(start)
    while len(body) < length:
        piece = client.recv(min(1 << 20, length - len(body)))
        if not piece:
            raise ConnectionResetError("the client went away within its request")
        body += piece
    return bytes(body)


def _read_all(server: socket.socket) -> bytes:
    answer = bytearray()
    while piece := server.recv(1 << 20):
        answer += piece
        assert len(answer) <= _MAX_BODY, "answer too long"
    return bytes(answer)


def _reset(client: socket.socket) -> None:
    """Close with a reset, which no client can take for the end of an answer."""
    client.setsockopt(
        socket.SOL_SOCKET, socket.SO_LINGER, (1).to_bytes(4, "little") + (0).to_bytes(4, "little")
    )


def _canned(status: str, body: bytes) -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    return f"{head}\r\nConnection: close\r\n\r\n".encode() + body


_CANNED = {
    Fault.TOO_MANY: _canned(
        "429 Too Many Requests", b'{"error":{"type":"circuit_breaking_exception"},"status":429}'
    ),
    Fault.UNAVAILABLE: _canned("503 Service Unavailable", b'{"error":"unavailable","status":503}'),
    Fault.GARBAGE: b"\x00\xff\x13not a protocol\r\n\r\n\x00",
    Fault.NOT_JSON: _canned("200 OK", b"<html>a gateway's page</html>"),
}
