"""The sending side of a connection: entries in, bytes to send out, and which chunks are confirmed."""

import base64
import gzip
from collections.abc import Iterable

import msgpack

from guardduty_lens.protocols.forward import handshake
from guardduty_lens.protocols.forward.errors import LocalProtocolError, RemoteProtocolError
from guardduty_lens.protocols.forward.handshake import Helo, Security, User
from guardduty_lens.protocols.forward.messages import Entry, map_members

_MOST_ANSWER_BYTES = 64 * 1024


def chunk_id(random: bytes) -> str:
    """Make the id of a chunk of 16 random bytes, as the specification has it."""
    return base64.b64encode(random).decode()


def packed_forward(tag: str, entries: Iterable[Entry], chunk: str | None, *, compress: bool = False) -> bytes:
    """Write a message in mode PackedForward, which every receiver takes; with a chunk it wants an answer.

    Entries are `[time, record]`: Fluentd and the OpenTelemetry Collector refuse metadata.
    """
    payload, number = bytearray(), 0
    for entry in entries:
        seconds = entry.seconds.to_bytes(4, "big", signed=True)
        payload += b"\x92\xd7\x00" + seconds + entry.nanoseconds.to_bytes(4, "big") + entry.record
        number += 1
    option: dict[str, object] = {"size": number}
    if chunk is not None:
        option["chunk"] = chunk
    if compress:
        option["compressed"] = "gzip"
    content = gzip.compress(bytes(payload), 6, mtime=0) if compress else bytes(payload)
    message: bytes = msgpack.packb([tag, content, option])
    return message


class Sender:
    """One connection. `salt` are 16 random bytes, `security` and `user` say who we are, where that is asked.

    Send `to_send()` after each `receive`; entries may be sent once `is_ready`.
    """

    def __init__(
        self, security: Security | None = None, user: User | None = None, *, salt: bytes = b""
    ) -> None:
        self._security = security
        self._user = user
        self._salt = salt
        self._asked: Helo | None = None
        self._to_send = b""
        self._unpacker = msgpack.Unpacker(raw=True, max_buffer_size=_MOST_ANSWER_BYTES)
        self._pending = bytearray()
        self._start = 0
        self.is_ready = security is None
        """Whether the receiver has let us in."""

    def to_send(self) -> bytes:
        """Give what is to be sent, once."""
        waiting, self._to_send = self._to_send, b""
        return waiting

    def send(self, message: bytes) -> bytes:
        """Give the bytes of a message. Raises LocalProtocolError before the receiver has let us in."""
        if not self.is_ready:
            raise LocalProtocolError("the receiver has not let us in")
        return message

    def receive(self, data: bytes) -> list[str]:
        """Take bytes, and give the ids of chunks that they confirm. Raises RemoteProtocolError."""
        confirmed: list[str] = []
        self._pending += data
        try:
            self._unpacker.feed(data)
        except msgpack.BufferFull:
            raise RemoteProtocolError("too_large", "an answer that does not end") from None
        while True:
            try:
                self._unpacker.skip()
            except msgpack.OutOfData:
                return confirmed
            except (ValueError, msgpack.UnpackException):
                raise RemoteProtocolError("no_msgpack", "an answer that is no msgpack") from None
            end = self._unpacker.tell()
            raw = bytes(self._pending[: end - self._start])
            del self._pending[: end - self._start]
            self._start = end
            if self.is_ready:
                confirmed.append(_confirmed(raw))
            else:
                self._step(raw)

    def _step(self, raw: bytes) -> None:
        assert self._security is not None
        if self._asked is None:
            self._asked = handshake.read_helo(raw)
            self._to_send += handshake.ping(self._security, self._user, self._salt, self._asked)
        else:
            handshake.check_pong(raw, self._security, self._salt, self._asked)
            self.is_ready = True


def _confirmed(raw: bytes) -> str:
    found = dict(map_members(raw, "an answer"))
    if b"ack" not in found:
        raise RemoteProtocolError("no_message", "an answer without an ack")
    value: object = msgpack.unpackb(found[b"ack"], raw=True)
    if not isinstance(value, bytes):
        raise RemoteProtocolError("no_message", "an ack that is no text")
    return value.decode(errors="replace")


__all__ = ["Sender", "chunk_id", "packed_forward"]
