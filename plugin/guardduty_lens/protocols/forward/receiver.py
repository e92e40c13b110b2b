"""The receiving side of a connection: bytes in, chunks out."""

from collections.abc import Iterator

import msgpack
import msgspec

from guardduty_lens.protocols.forward import handshake
from guardduty_lens.protocols.forward.errors import LocalProtocolError, RemoteProtocolError
from guardduty_lens.protocols.forward.handshake import NONCE_BYTES, Security
from guardduty_lens.protocols.forward.messages import Chunk, read_message


class ReceiverLimits(msgspec.Struct, frozen=True):
    """Bounds of one connection, in bytes: of a message, and of what a compressed payload unpacks to.

    What Fluent Bit and Fluentd send at most by default is 2 and 8 MiB.
    """

    message: int = 64 * 1024 * 1024
    unpacked: int = 256 * 1024 * 1024
    handshake: int = 8 * 1024


class Receiver:
    """One connection.

    With `security`, send `to_send()` first, and after each `receive`; chunks come once the sender is let in.
    `nonce` and `auth` are random bytes of the connection, made by whoever does I/O.
    """

    def __init__(
        self,
        security: Security | None = None,
        *,
        nonce: bytes = b"",
        auth: bytes = b"",
        limits: ReceiverLimits | None = None,
    ) -> None:
        if security is not None and len(nonce) < NONCE_BYTES:
            raise LocalProtocolError(f"a nonce of at least {NONCE_BYTES} bytes is needed")
        self._security = security
        self._nonce, self._auth = nonce, auth if security is not None and security.users else b""
        self._limits = limits or ReceiverLimits()
        self._pending = bytearray()
        self._start = 0  # of the pending bytes, among all that came
        self._skipper = msgpack.Unpacker(raw=True, max_buffer_size=self._limits.message + 1)
        self._to_send = handshake.helo(nonce, self._auth) if security is not None else b""
        self._let_in = security is None

    def to_send(self) -> bytes:
        """Give what is to be sent, once."""
        waiting, self._to_send = self._to_send, b""
        return waiting

    def receive(self, data: bytes) -> Iterator[Chunk]:
        """Take bytes, cut anywhere, and give the chunks that they complete.

        Raises RemoteProtocolError; the connection is of no more use then, but `to_send` may have the reason.
        """
        self._pending += data
        for raw in self._messages(data):
            if self._let_in:
                if raw != b"\xc0":  # nil: a heartbeat
                    yield read_message(raw, self._limits.unpacked)
            else:
                self._answer(raw)
        most = self._limits.message if self._let_in else self._limits.handshake
        if len(self._pending) > most:
            raise RemoteProtocolError("too_large", f"a message of more than {most:,} bytes")

    def _messages(self, data: bytes) -> Iterator[bytes]:
        """Give whole values; what is not whole yet is not looked at again from its start."""
        try:
            self._skipper.feed(data)
        except msgpack.BufferFull:
            raise RemoteProtocolError(
                "too_large", f"a message of more than {self._limits.message:,} bytes"
            ) from None
        while True:
            try:
                self._skipper.skip()
            except msgpack.OutOfData:
                return
            except (ValueError, msgpack.UnpackException) as error:
                words = "nested too deeply" if isinstance(error, msgpack.StackError) else "no msgpack"
                raise RemoteProtocolError("no_msgpack", f"what came is {words}") from None
            end = self._skipper.tell()
            raw = bytes(self._pending[: end - self._start])
            del self._pending[: end - self._start]
            self._start = end
            yield raw

    def _answer(self, raw: bytes) -> None:
        assert self._security is not None
        got = handshake.read_ping(raw)
        refused = handshake.refusal(self._security, self._nonce, self._auth, got)
        self._to_send += handshake.pong(self._security, self._nonce, got, refused)
        if refused is not None:
            raise RemoteProtocolError("refused", refused)
        self._let_in = True
