"""The output `forward`: records to Fluent Bit, Fluentd or the OpenTelemetry Collector, confirmed by them.

Messages are in mode PackedForward, entries `[time, record]`: all three take that. A message that has not been
confirmed is sent again over a new connection, so a receiver may get it twice, never not at all.
"""

import contextlib
import os
import select
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self

import msgspec

from guardduty_lens.opensearch.dates import milliseconds
from guardduty_lens.outputs.sinks import DeliveryError
from guardduty_lens.payloads.pieces import Position, Rejected
from guardduty_lens.protocols.forward import Entry, RemoteProtocolError, Security, Sender, User
from guardduty_lens.protocols.forward.sender import chunk_id, packed_forward
from guardduty_lens.record import Record
from guardduty_lens.retries import Retries

_MOST_ENTRIES, _MOST_BYTES = 1_000, 1024 * 1024
"""Of a message. Fluent Bit and Fluentd send 2 and 8 MiB at most by default."""

_MOST_UNCONFIRMED = 8
"""Messages that are under way at once."""

_READ_BYTES = 64 * 1024
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.5, 10.0


class ForwardTarget(msgspec.Struct, frozen=True, kw_only=True):
    """Where to send, who we say we are, and how; times in seconds.

    Without `acknowledge` what the operating system has taken counts as delivered, as with most libraries.
    """

    host: str
    port: int
    tag: str = "guardduty"
    security: Security | None = None
    user: User | None = None
    tls: ssl.SSLContext | None = None
    compress: bool = True
    acknowledge: bool = True
    ack_seconds: float = 60.0
    give_up_after: float = 60.0


class ForwardSink:
    """Takes records, and returns from `flush` once all are confirmed. Raises DeliveryError.

    `refuse` is given a record that msgpack cannot say (an integer of more than 64 bits), and why.
    """

    at_once = None
    is_terminal = False

    def __init__(
        self,
        target: ForwardTarget,
        refuse: Callable[[Record, Rejected], None],
        retries: Retries | None = None,
    ) -> None:
        self._target = target
        self._retries = retries or Retries()
        self._refuse = refuse
        self._entries: list[Entry] = []
        self._size = 0
        self._unconfirmed: dict[str, bytes] = {}
        self._connection: _Connection | None = None

    def write(self, record: Record, source: str) -> None:
        """Take a record."""
        try:
            encoded = msgspec.msgpack.encode(record.to_dict())
        except OverflowError as error:
            words = f"msgpack has no integer of more than 64 bits ({error})"
            self._refuse(record, Rejected("not_msgpack", words, record.to_json(), Position(), source))
            return
        self._entries.append(Entry(*self._time(record), encoded))
        self._size += len(encoded)
        if len(self._entries) >= _MOST_ENTRIES or self._size >= _MOST_BYTES:
            self._ship()

    def hand_on(self, *, more: bool) -> None:
        """Send what is there, unless there is more at hand."""
        if not more:
            self._ship()

    def flush(self) -> None:
        """Return once everything taken is confirmed."""
        self._ship()
        self._until_at_most(0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._disconnect()

    def _time(self, record: Record) -> tuple[int, int]:
        """Give when it happened, as the record says it, else now: seconds, and nanoseconds of the second."""
        seen = record.fields.get("eventLastSeen")
        since = milliseconds(seen) if isinstance(seen, str) else None
        nanoseconds = time.time_ns() if since is None else since * 1_000_000
        seconds, rest = divmod(nanoseconds, 1_000_000_000)
        return (seconds, rest) if abs(seconds) < 1 << 31 else (int(time.time()), 0)

    def _ship(self) -> None:
        """Make a message of what was taken, and send it; what goes wrong is mended in `flush`."""
        if not self._entries:
            return
        target = self._target
        chunk = chunk_id(os.urandom(16))
        message = packed_forward(
            target.tag, self._entries, chunk if target.acknowledge else None, compress=target.compress
        )
        self._entries, self._size = [], 0
        self._unconfirmed[chunk] = message
        if not target.acknowledge and self._connection is not None and self._connection.is_over():
            self._disconnect()
        if self._connection is not None:
            with self._mended():
                self._send(self._connection, chunk)
        self._until_at_most(_MOST_UNCONFIRMED - 1)

    def _until_at_most(self, number: int) -> None:
        """Return once no more than so many messages are unconfirmed. Raises DeliveryError."""
        pause, failures, deadline = _FIRST_PAUSE_SECONDS, "", time.monotonic() + self._target.give_up_after
        while len(self._unconfirmed) > number:
            try:
                self._confirm_some()
            except (OSError, RemoteProtocolError) as error:
                self._disconnect()
                failures = str(error) or type(error).__name__
                words = f"{self._target.host}:{self._target.port} did not confirm: {failures}"
                if time.monotonic() + pause > deadline or not self._retries.wait(pause, words):
                    raise DeliveryError(words) from error
                pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    def _confirm_some(self) -> None:
        """Connect, where we are not, and send all again; then wait for an answer."""
        if self._connection is None:
            self._connection = _Connection(self._target)
            for chunk in list(self._unconfirmed):
                self._send(self._connection, chunk)
        if self._unconfirmed:
            for chunk in self._connection.confirmed():
                self._unconfirmed.pop(chunk, None)

    def _send(self, connection: "_Connection", chunk: str) -> None:
        connection.send(self._unconfirmed[chunk])
        if not self._target.acknowledge:
            del self._unconfirmed[chunk]

    @contextlib.contextmanager
    def _mended(self) -> Iterator[None]:
        try:
            yield
        except (OSError, RemoteProtocolError):
            self._disconnect()  # all that is unconfirmed is sent again over the next connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class _Connection:
    """A socket and the protocol's state on it. Raises OSError, RemoteProtocolError."""

    def __init__(self, target: ForwardTarget) -> None:
        place = (target.host, target.port)
        self._socket: socket.socket = socket.create_connection(place, timeout=target.ack_seconds)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            if target.tls is not None:
                self._socket = target.tls.wrap_socket(self._socket, server_hostname=target.host)
            self._sender = Sender(target.security, target.user, salt=os.urandom(16))
            while not self._sender.is_ready:
                self._sender.receive(self._read())
                self._socket.sendall(self._sender.to_send())
        except BaseException:
            self._socket.close()
            raise

    def send(self, message: bytes) -> None:
        self._socket.sendall(self._sender.send(message))

    def confirmed(self) -> list[str]:
        """Wait for answers, and give the chunks that they confirm."""
        return self._sender.receive(self._read())

    def is_over(self) -> bool:
        """Tell whether the other side, which has nothing to say, has closed it."""
        return bool(select.select([self._socket], [], [], 0)[0])

    def close(self) -> None:
        self._socket.close()

    def _read(self) -> bytes:
        data = self._socket.recv(_READ_BYTES)
        if not data:
            raise ConnectionError("the connection was closed before everything was confirmed")
        return data
