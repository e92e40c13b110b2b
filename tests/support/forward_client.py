"""A client of the forward protocol on a blocking socket, of the specification and nothing of ours."""

import contextlib
import hashlib
import os
import socket
import ssl
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgpack


class ForwardClient:
    """One connection; with a key it shakes hands first, and raises PermissionError where it is not let in."""

    def __init__(
        self,
        port: int,
        *,
        key: str | None = None,
        user: tuple[str, str] = ("", ""),
        ca: Path | None = None,
        timeout: float = 30,
    ) -> None:
        self.socket: socket.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        if ca is not None:
            context = ssl.create_default_context(cafile=ca)
            self.socket = context.wrap_socket(self.socket, server_hostname="localhost")
        self._unpacker = msgpack.Unpacker(raw=True)
        if key is not None:
            self._shake_hands(key, user)

    def read(self) -> Any:
        """Give the next message. Raises ConnectionError where there is none."""
        while True:
            with contextlib.suppress(msgpack.OutOfData):
                return self._unpacker.unpack()
            data = self.socket.recv(65536)
            if not data:
                raise ConnectionError("closed")
            self._unpacker.feed(data)

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def entries(self, tag: str, records: Sequence[Mapping[str, Any]], chunk: str) -> None:
        """Send records in mode Forward, and ask for an answer."""
        entries = [[1_700_000_000, record] for record in records]
        self.send(msgpack.packb([tag, entries, {"chunk": chunk, "size": len(entries)}]))

    def confirmed(self) -> str:
        """Wait for an answer, and give the chunk that it confirms."""
        return self.read()[b"ack"].decode()

    def close(self) -> None:
        self.socket.close()

    def _shake_hands(self, key: str, user: tuple[str, str]) -> None:
        _, options = self.read()
        salt, name = os.urandom(16), b"test-client"
        digest = hashlib.sha512(salt + name + options[b"nonce"] + key.encode()).hexdigest()
        password = hashlib.sha512(options[b"auth"] + user[0].encode() + user[1].encode()).hexdigest()
        self.send(msgpack.packb(["PING", name, salt, digest, user[0], password if options[b"auth"] else ""]))
        _, let_in, reason, server, proof = self.read()
        if not let_in:
            self.close()
            raise PermissionError(reason.decode())
        assert proof == hashlib.sha512(salt + server + options[b"nonce"] + key.encode()).hexdigest().encode()


@contextlib.contextmanager
def connected(port: int, **options: Any) -> Iterator[ForwardClient]:
    client = ForwardClient(port, **options)
    try:
        yield client
    finally:
        client.close()
