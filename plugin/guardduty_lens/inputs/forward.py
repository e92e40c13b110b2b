"""The input `forward`: a server for Fluent Bit, Fluentd and their libraries, over TCP or TLS.

It only moves bytes and owns the acknowledgement: a chunk is answered, in one write, after every output has
confirmed it (Fluent Bit does not recognise an answer that comes in two reads). Nothing more is read from a
connection meanwhile.
"""

import asyncio
import contextlib
import logging
import secrets
import socket
import ssl
from collections.abc import Sequence
from typing import Any

import msgspec
import orjson

from guardduty_lens.inputs.delivery import Batch, Deliver, NotDelivered, Payload
from guardduty_lens.payloads.shapes import DEFAULT_WRAPPER_KEYS, find_shape
from guardduty_lens.protocols.forward import Chunk, Receiver, ReceiverLimits, RemoteProtocolError, Security
from guardduty_lens.protocols.forward.messages import Entry

_READ_BYTES = 256 * 1024
_FEW_KEYS = 8
"""A shipper's wrapper has fewer keys than an event: the wrapped text, a stream, a time, a container."""
_log = logging.getLogger(__name__)


class ForwardOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Who may send, and how much; times in seconds."""

    security: Security | None = None
    tls: ssl.SSLContext | None = None
    connections: int = 1000
    limits: ReceiverLimits = ReceiverLimits()
    idle_seconds: float = 600.0


class ForwardCounts(msgspec.Struct):
    """What happened at the input, beside the events themselves."""

    bytes: int = 0
    connections: int = 0
    refused_connections: int = 0
    chunks: int = 0
    entries: int = 0
    signals: int = 0
    markers: int = 0
    errors: dict[str, int] = msgspec.field(default_factory=dict)
    """Connections that ended for what the other side did, by reason."""


class ForwardServer:
    """Listens until it is closed."""

    def __init__(self, options: ForwardOptions, deliver: Deliver) -> None:
        self._options = options
        self._deliver = deliver
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = False
        self.counts = ForwardCounts()

    kind = "forward"

    def counted(self) -> dict[str, int]:
        """Give the counts, by name."""
        counts: dict[str, Any] = msgspec.to_builtins(self.counts)
        errors = {f"error_{reason}": number for reason, number in counts.pop("errors").items()}
        return counts | errors

    @property
    def open_connections(self) -> int:
        """Connections that are open now."""
        return len(self._tasks)

    async def start(self, place: socket.socket) -> None:
        """Take connections at a socket that is bound."""
        self._server = await asyncio.start_server(
            self._connected, sock=place, ssl=self._options.tls, limit=2 * _READ_BYTES
        )

    async def close(self, within_seconds: float = 30.0) -> None:
        """Take no more, let what has been read be delivered and acknowledged, and end the connections."""
        self._closing = True
        if self._server is not None:
            self._server.close()
        tasks = set(self._tasks)
        for task in tasks:
            if not getattr(task, "delivering", False):
                task.cancel()
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=within_seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        if len(self._tasks) >= self._options.connections or self._closing:
            self.counts.refused_connections += 1
            writer.close()
            return
        self._tasks.add(task)
        self.counts.connections += 1
        peer = _peer(writer)
        try:
            await self._serve(reader, writer, peer)
        except RemoteProtocolError as error:
            self._count(error.reason)
            _log.warning("forward: %s: %s", peer, error)
        except NotDelivered as error:
            self._count("not_delivered")
            _log.warning("forward: %s: not acknowledged: %s", peer, error)
        except TimeoutError:
            self._count("idle")
        except (ConnectionError, ssl.SSLError):
            self._count("connection_lost")
        except asyncio.CancelledError:
            if not self._closing:
                raise
        finally:
            self._tasks.discard(task)
            writer.close()
            with contextlib.suppress(ConnectionError, ssl.SSLError, TimeoutError):
                await asyncio.wait_for(writer.wait_closed(), 5)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, peer: str) -> None:
        options = self._options
        receiver = Receiver(
            options.security,
            nonce=secrets.token_bytes(16),
            auth=secrets.token_bytes(16),
            limits=options.limits,
        )
        await _send(writer, receiver.to_send())
        while data := await asyncio.wait_for(reader.read(_READ_BYTES), options.idle_seconds):
            self.counts.bytes += len(data)
            try:
                chunks = list(receiver.receive(data))
            except RemoteProtocolError:
                await _send(writer, receiver.to_send())
                raise
            await _send(writer, receiver.to_send())
            for chunk in chunks:
                await self._take(chunk, writer, peer)

    async def _take(self, chunk: Chunk, writer: asyncio.StreamWriter, peer: str) -> None:
        """Deliver a chunk, and acknowledge it; neither is broken off when the server is closed."""
        self._note(chunk)
        task = asyncio.current_task()
        setattr(task, "delivering", True)  # noqa: B010 - a mark of ours on asyncio's own object
        try:
            if chunk.entries:
                payloads = [payload_of(each) for each in chunk.entries]
                newest = float(max(each.seconds for each in chunk.entries))
                await self._deliver(Batch(chunk.tag, peer, payloads, newest))
            if chunk.ack is not None:
                await _send(writer, chunk.ack)
        finally:
            setattr(task, "delivering", False)  # noqa: B010
        if self._closing:
            raise asyncio.CancelledError

    def _note(self, chunk: Chunk) -> None:
        self.counts.chunks += 1
        self.counts.entries += len(chunk.entries)
        self.counts.markers += chunk.markers
        self.counts.signals += chunk.signal is not None

    def _count(self, reason: str) -> None:
        self.counts.errors[reason] = self.counts.errors.get(reason, 0) + 1


def payload_of(entry: Entry) -> Payload:
    """Give a record as JSON; what JSON cannot say is handed on as it came, to be rejected.

    Bytes that are UTF-8 are text: libraries send text as bin, too.
    """
    try:
        record = msgspec.msgpack.decode(entry.record)
        if len(record) >= _FEW_KEYS:
            return Payload(_json(record))
        record = _texts(record)
        text = _wrapped_text(record)
        if text is not None:
            return Payload(text=text, wrapper=record)
        return Payload(_json(record))
    except (msgspec.MsgspecError, UnicodeError, TypeError, RecursionError, OverflowError):
        return Payload(entry.record, is_json=False)


def _json(record: dict[str, object]) -> bytes:
    """Write a record as JSON. What orjson does not know, or would write otherwise, msgspec writes."""
    try:
        return orjson.dumps(record, option=orjson.OPT_PASSTHROUGH_DATETIME)
    except TypeError:
        return msgspec.json.encode(record)


def _wrapped_text(record: dict[str, object]) -> bytes | None:
    """Give the JSON text that a shipper has wrapped; None where it is not plain that this is all there is."""
    keys = [key for key in DEFAULT_WRAPPER_KEYS if key in record]
    if len(keys) != 1 or "detail" in record or find_shape(record) is not None:
        return None
    text = record[keys[0]]
    return text.encode() if type(text) is str and text.startswith("{") else None


def _texts(record: dict[str, object]) -> dict[str, object]:
    """Give a map with the bytes right in it as text: that is where shippers put what they read."""
    if any(type(each) is bytes for each in record.values()):
        return {key: each.decode() if type(each) is bytes else each for key, each in record.items()}
    return record


def _peer(writer: asyncio.StreamWriter) -> str:
    peer: Sequence[object] = writer.get_extra_info("peername") or ("?", "?")
    return f"{peer[0]}:{peer[1]}"


async def _send(writer: asyncio.StreamWriter, data: bytes) -> None:
    """Send in one write."""
    if data:
        writer.write(data)
        await writer.drain()
