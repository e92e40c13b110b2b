"""The handshake: HELO, PING, PONG. Both sides prove that they know a shared key, and a user a password.

Digests are hexadecimal SHA-512. What is meant as text comes as any bytes: Fluent Bit sends its salt as a
msgpack str that is no UTF-8, and refuses one that is sent to it as bin.
"""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

import msgpack
import msgspec

from guardduty_lens.opensearch.client import Secret
from guardduty_lens.protocols.forward.errors import RemoteProtocolError
from guardduty_lens.protocols.forward.messages import array_header, content_of, values

NONCE_BYTES = 16


class User(msgspec.Struct, frozen=True):
    """Who a sender says it is."""

    name: str
    password: Secret


class Security(msgspec.Struct, frozen=True, kw_only=True):
    """A key that both sides know, the name of this side, and, where users are asked for, their passwords."""

    shared_key: Secret
    hostname: str
    users: Mapping[str, Secret] = {}


class Helo(msgspec.Struct, frozen=True):
    """What a receiver says first: its nonce, and the salt of passwords where users are asked for."""

    nonce: bytes
    auth: bytes
    keepalive: bool = True


class Ping(msgspec.Struct, frozen=True):
    """What a sender answers."""

    hostname: bytes
    salt: bytes
    digest: bytes
    user: bytes
    password: bytes


def text(content: bytes) -> bytes:
    """Write bytes as a msgpack str, whether they are UTF-8 or not."""
    size = len(content)
    if size < 32:
        return bytes([0xA0 | size]) + content
    return b"\xd9" + bytes([size]) + content if size < 256 else b"\xda" + size.to_bytes(2, "big") + content


def helo(nonce: bytes, auth: bytes) -> bytes:
    """Write the first message of a receiver."""
    message: bytes = msgpack.packb(["HELO", {"nonce": nonce, "auth": auth, "keepalive": True}])
    return message


def read_helo(raw: bytes) -> Helo:
    """Read it. Raises RemoteProtocolError."""
    kind, options = _parts(raw, 2, b"HELO")
    del kind
    found: Any = msgpack.unpackb(options, raw=True, strict_map_key=False)
    if not isinstance(found, dict):
        raise RemoteProtocolError("handshake", "HELO without its options")
    return Helo(
        _bytes(found.get(b"nonce", b"")), _bytes(found.get(b"auth", b"")), found.get(b"keepalive", True)
    )


def ping(security: Security, user: User | None, salt: bytes, asked: Helo) -> bytes:
    """Write the answer of a sender."""
    name = security.hostname.encode()
    digest = _digest(salt, name, asked.nonce, security.shared_key)
    who, password = b"", b""
    if asked.auth and user is not None:
        who = user.name.encode()
        password = hashlib.sha512(asked.auth + who + user.password.reveal().encode()).hexdigest().encode()
    parts = (b"PING", name, salt, digest, who, password)
    return b"\x96" + b"".join(map(text, parts))


def read_ping(raw: bytes) -> Ping:
    """Read it. Raises RemoteProtocolError."""
    return Ping(*(content_of(part) for part in _parts(raw, 6, b"PING")[1:]))


def refusal(security: Security, nonce: bytes, auth: bytes, got: Ping) -> str | None:
    """Say why a sender is not let in; None where it is. Comparisons take the same time whatever they find."""
    wanted = _digest(got.salt, got.hostname, nonce, security.shared_key)
    if not hmac.compare_digest(wanted, got.digest):
        return "shared key mismatch"
    if not security.users:
        return None
    known = security.users.get(got.user.decode(errors="replace"), Secret(""))
    password = hashlib.sha512(auth + got.user + known.reveal().encode()).hexdigest().encode()
    return (
        None
        if known.reveal() and hmac.compare_digest(password, got.password)
        else "username/password mismatch"
    )


def pong(security: Security, nonce: bytes, got: Ping, refused: str | None) -> bytes:
    """Write the last message of a receiver."""
    name = security.hostname.encode()
    digest = b"" if refused else _digest(got.salt, name, nonce, security.shared_key)
    head = b"\x95" + text(b"PONG") + (b"\xc2" if refused else b"\xc3")
    return head + text((refused or "").encode()) + text(name if not refused else b"") + text(digest)


def check_pong(raw: bytes, security: Security, salt: bytes, asked: Helo) -> None:
    """Raise RemoteProtocolError unless it lets us in, and proves that the other side knows the key too."""
    _, let_in, reason, name, digest = _parts(raw, 5, b"PONG")
    if let_in != b"\xc3":
        raise RemoteProtocolError(
            "refused", f"not let in: {content_of(reason).decode(errors='replace')[:200]}"
        )
    if not hmac.compare_digest(
        _digest(salt, content_of(name), asked.nonce, security.shared_key), content_of(digest)
    ):
        raise RemoteProtocolError("refused", "the receiver does not know the shared key")


def _digest(salt: bytes, hostname: bytes, nonce: bytes, key: Secret) -> bytes:
    return hashlib.sha512(salt + hostname + nonce + key.reveal().encode()).hexdigest().encode()


def _parts(raw: bytes, number: int, kind: bytes) -> list[bytes]:
    count, start = array_header(raw, 0, kind.decode())
    parts = [raw[start + begin : start + end] for begin, end in values(raw[start:], kind.decode())]
    if count != number or len(parts) != number or content_of(parts[0]) != kind:
        raise RemoteProtocolError("handshake", f"{kind.decode()} was to come, and something else came")
    return parts


def _bytes(value: Any) -> bytes:
    if not isinstance(value, bytes):
        raise RemoteProtocolError("handshake", "HELO holds what is no bytes")
    return value
