"""Clients that are slow, broken or hostile: bounded, counted, and no harm to others."""

import asyncio
import gzip
import resource
import socket
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardduty_lens.inputs.delivery import Batch, NotDelivered
from guardduty_lens.inputs.forward import ForwardOptions, ForwardServer
from guardduty_lens.opensearch.client import Secret
from guardduty_lens.protocols.forward import (
    Chunk,
    Entry,
    Receiver,
    ReceiverLimits,
    RemoteProtocolError,
    Security,
    Sender,
    User,
)
from guardduty_lens.protocols.forward.sender import packed_forward

LIMITS = ReceiverLimits(message=1_000_000, unpacked=2_000_000)
GOOD = msgpack.packb(["t", [[1, {"a": 1}]], {"chunk": "good"}])
BOMB = msgpack.packb(["t", gzip.compress(b"\0" * 50_000_000), {"compressed": "gzip", "chunk": "c"}])

HOSTILE = {
    "four billion entries": b"\x93\xa1t\xdd\xff\xff\xff\xff" + b"\x92\x01\x80" * 400_000,
    "deep nesting": b"\x93\xa1t" + b"\x91" * 100_000 + b"\x01\x80",
    "a gzip bomb": BOMB,
    "no msgpack": b"\xc1" * 10,
    "http": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "no message": msgpack.packb({"a": 1}),
    "a tag that is no text": msgpack.packb([1, [[1, {}]], {}]),
    "a record that is no map": msgpack.packb(["t", [[1, "x"]], {}]),
    "entries that are none": msgpack.packb(["t", [1, 2], {}]),
    "a payload cut off": msgpack.packb(["t", msgpack.packb([1, {"a": 1}])[:-1], {}]),
    "no gzip": msgpack.packb(["t", b"x", {"compressed": "gzip"}]),
    "an unknown compression": msgpack.packb(["t", b"x", {"compressed": "zstd"}]),
    "a huge text": b"\x93\xa1t\xdb\xff\xff\xff\xff" + b"x" * 1_100_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_no_sender_would_send_ends_the_connection_with_a_reason(name: str) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        _received(HOSTILE[name])
    assert caught.value.reason
    assert len(str(caught.value)) < 300


def _received(data: bytes, size: int = 65536) -> list[Chunk]:
    receiver = Receiver(limits=LIMITS)
    pieces = (data[start : start + size] for start in range(0, len(data), size))
    return [chunk for piece in pieces for chunk in receiver.receive(piece)]


def _outcome(data: bytes, size: int = 65536) -> str:
    """Give how it ended; whatever else is raised is a fault of ours."""
    try:
        _received(data, size)
    except RemoteProtocolError as error:
        return error.reason
    return "taken"


@given(st.binary(max_size=300), st.integers(1, 300))
def test_no_bytes_at_all_do_anything_but_end_it(data: bytes, size: int) -> None:
    assert _outcome(data, size)


@given(st.data())
def test_a_good_message_with_one_byte_changed(data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(GOOD) - 1))
    changed = GOOD[:place] + bytes([data.draw(st.integers(0, 255))]) + GOOD[place + 1 :]
    assert _outcome(changed)


entries = st.lists(
    st.builds(
        Entry,
        st.integers(1, 2**31 - 1),
        st.integers(0, 999_999_999),
        st.dictionaries(st.text(), st.text() | st.integers(-(2**63), 2**64 - 1)).map(msgpack.packb),
    ),
    max_size=20,
)


@given(entries, st.booleans(), st.integers(1, 50))
def test_what_we_send_is_what_is_received(sent: list[Entry], compress: bool, size: int) -> None:
    message = packed_forward("a.tag", sent, "chunk", compress=compress)
    receiver = Receiver(limits=LIMITS)
    pieces = [message[at : at + size] for at in range(0, len(message), size)]
    [chunk] = [chunk for piece in pieces for chunk in receiver.receive(piece)]
    assert (chunk.tag, chunk.entries) == ("a.tag", sent)
    assert Sender().receive(chunk.ack or b"") == ["chunk"]


@pytest.mark.parametrize(
    ("key", "user", "reason"),
    [
        ("key", User("u", Secret("p")), None),
        ("nope", User("u", Secret("p")), "shared key mismatch"),
        ("key", User("u", Secret("nope")), "username/password mismatch"),
        ("key", None, "username/password mismatch"),
    ],
)
def test_both_sides_shake_hands(key: str, user: User | None, reason: str | None) -> None:
    there = Security(shared_key=Secret("key"), hostname="there", users={"u": Secret("p")})
    receiver = Receiver(there, nonce=b"n" * 16, auth=b"a" * 16)
    sender = Sender(Security(shared_key=Secret(key), hostname="here"), user, salt=b"s" * 16)
    sender.receive(receiver.to_send())
    assert not sender.is_ready
    if reason is None:
        list(receiver.receive(sender.to_send()))
        sender.receive(receiver.to_send())
        assert sender.is_ready
        assert [chunk.tag for chunk in receiver.receive(sender.send(GOOD))] == ["t"]
        return
    with pytest.raises(RemoteProtocolError, match=reason):
        list(receiver.receive(sender.to_send()))
    with pytest.raises(RemoteProtocolError, match=f"not let in: {reason}"):
        sender.receive(receiver.to_send())


def test_a_receiver_that_does_not_know_the_key_is_not_trusted() -> None:
    receiver = Receiver(Security(shared_key=Secret("other"), hostname="there"), nonce=b"n" * 16)
    sender = Sender(Security(shared_key=Secret("key"), hostname="here"), salt=b"s" * 16)
    sender.receive(receiver.to_send())
    forged = msgpack.packb(["PONG", True, "", "there", "0" * 128])
    with pytest.raises(RemoteProtocolError, match="does not know the shared key"):
        sender.receive(forged)


def _serving(
    test: Callable[[ForwardServer, int, list[Batch]], Awaitable[None]], **options: object
) -> ForwardServer:
    """Run a server whose deliveries are noted, and a test against it."""
    delivered: list[Batch] = []

    async def deliver(batch: Batch) -> None:
        if batch.tag == "refused":
            raise NotDelivered("of this test")
        await asyncio.sleep(0)
        delivered.append(batch)

    async def run() -> ForwardServer:
        server = ForwardServer(ForwardOptions(limits=LIMITS, **options), deliver)
        place = socket.create_server(("127.0.0.1", 0), backlog=1024)
        port = place.getsockname()[1]
        await server.start(place)
        try:
            await asyncio.wait_for(test(server, port, delivered), 60)
        finally:
            await server.close(5)
        return server

    # In a thread of its own: Playwright keeps a loop running in this one from the first browser test on.
    with ThreadPoolExecutor(1) as alone:
        return alone.submit(lambda: asyncio.run(run())).result()


async def _exchange(port: int, *data: bytes) -> bytes:
    """Send, and give everything that comes until the server ends it, or an answer has come."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for piece in data:
            writer.write(piece)
            await writer.drain()
        return await asyncio.wait_for(reader.read(1000), 20)
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def _until(holds: Callable[[], bool]) -> None:
    while not holds():
        await asyncio.sleep(0.005)


def test_others_are_served_while_some_are_hostile_and_memory_stays() -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    async def test(server: ForwardServer, port: int, delivered: list[Batch]) -> None:
        for _ in range(3):
            answers = await asyncio.gather(*(_exchange(port, data) for data in HOSTILE.values()))
            assert set(answers) == {b""}
            assert await _exchange(port, GOOD) == b"\x81\xa3ack\xa4good"
        assert len(delivered) == 3
        assert sum(server.counts.errors.values()) == 3 * len(HOSTILE)

    _serving(test)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000  # KiB


def test_a_thousand_idle_connections_and_one_too_many() -> None:
    async def test(server: ForwardServer, port: int, delivered: list[Batch]) -> None:
        idle = [await asyncio.open_connection("127.0.0.1", port) for _ in range(1_000)]
        assert await _exchange(port, GOOD) == b"\x81\xa3ack\xa4good"
        await _until(lambda: server.open_connections == 1_000)
        idle.append(await asyncio.open_connection("127.0.0.1", port))
        await _until(lambda: server.open_connections == 1_001)
        assert await _exchange(port, GOOD) == b""
        assert server.counts.refused_connections == 1
        for _, writer in idle:
            writer.close()

    # Both sides are this process.
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        _serving(test, connections=1_001)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_who_says_nothing_is_let_go() -> None:
    async def test(server: ForwardServer, port: int, delivered: list[Batch]) -> None:
        assert await _exchange(port, GOOD[:5]) == b""
        assert server.counts.errors == {"idle": 1}

    _serving(test, idle_seconds=0.2)


def test_what_is_not_delivered_is_not_acknowledged() -> None:
    async def test(server: ForwardServer, port: int, delivered: list[Batch]) -> None:
        assert await _exchange(port, GOOD.replace(b"\xa1t", b"\xa7refused", 1)) == b""
        assert server.counts.errors == {"not_delivered": 1}

    _serving(test)
