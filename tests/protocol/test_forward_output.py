"""The output `forward`: what it sends, who it says it is, and that nothing unconfirmed is forgotten."""

import contextlib
import gzip
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgpack
import pytest
from counted_findings import UPDATES
from forward_client import connected
from servers.certificates import Authority
from serving import Serving

from guardduty_lens import Lens, Record
from guardduty_lens.opensearch.client import Secret
from guardduty_lens.outputs.forward import ForwardSink, ForwardTarget
from guardduty_lens.outputs.sinks import DeliveryError
from guardduty_lens.payloads.pieces import Rejected
from guardduty_lens.protocols.forward import Security


class Receiver:
    """A receiver of the specification and nothing of ours; `behave` says what it does with a message."""

    def __init__(self, behave: Callable[[int], str] = lambda _: "ack") -> None:
        self._behave = behave
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.messages: list[list[Any]] = []
        self.connections = 0
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            with connection, contextlib.suppress(ConnectionError):
                self._converse(connection)

    def _converse(self, connection: socket.socket) -> None:
        unpacker = msgpack.Unpacker(raw=False, strict_map_key=False)
        while data := connection.recv(65536):
            unpacker.feed(data)
            for message in unpacker:
                self.messages.append(message)
                what = self._behave(len(self.messages))
                if what == "close":
                    return
                if what == "ack" and "chunk" in message[2]:
                    connection.sendall(msgpack.packb({"ack": message[2]["chunk"]}))
                if what == "garbage":
                    connection.sendall(b"\xc1\xc1")

    def records(self) -> list[dict[str, Any]]:
        """Give the records of all messages, in the order in which they came."""
        found = []
        for _, payload, option in self.messages:
            content = gzip.decompress(payload) if option.get("compressed") == "gzip" else payload
            entries = msgpack.Unpacker(raw=False, timestamp=0)
            entries.feed(content)
            found += [record for _, record in entries]
        return found

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@pytest.fixture
def receiver(request: pytest.FixtureRequest) -> Iterator[Receiver]:
    made = Receiver(getattr(request, "param", lambda _: "ack"))
    yield made
    made.close()


def records(events: list[Any]) -> list[Record]:
    lens = Lens(extractors=())
    found = [item for event in events for item in lens.process(event)]
    assert all(isinstance(item, Record) for item in found)
    return found


def send(target: ForwardTarget, given: list[Record]) -> list[Rejected]:
    refused: list[Rejected] = []
    with ForwardSink(target, lambda _, rejected: refused.append(rejected)) as sink:
        for record in given:
            sink.write(record, "test")
        sink.flush()
    return refused


def to(receiver: Receiver, **options: Any) -> ForwardTarget:
    return ForwardTarget(host="127.0.0.1", port=receiver.port, **options)


@pytest.mark.parametrize("compress", [True, False])
def test_records_come_as_they_are(receiver: Receiver, compress: bool) -> None:
    given = records(UPDATES)
    assert send(to(receiver, compress=compress, tag="aws.guardduty"), given) == []
    assert receiver.records() == [record.to_dict() for record in given]
    tag, payload, option = receiver.messages[0]
    assert (tag, option["size"]) == ("aws.guardduty", len(given))
    content = gzip.decompress(payload) if compress else payload
    # [EventTime, record]: Fluentd and the OpenTelemetry Collector take nothing else for a time.
    assert content[:3] == b"\x92\xd7\x00"


def test_the_time_of_an_entry_is_when_the_finding_was_last_seen(receiver: Receiver) -> None:
    event = UPDATES[0] | {"detail": dict(UPDATES[0]["detail"])}
    event["detail"]["service"] = event["detail"]["service"] | {"eventLastSeen": "2025-02-25T20:40:06.721Z"}
    send(to(receiver, compress=False), records([event]))
    [seconds, nanoseconds] = (int.from_bytes(receiver.messages[0][1][at : at + 4], "big") for at in (3, 7))
    assert (seconds, nanoseconds) == (1740516006, 721_000_000)


def test_many_records_are_several_messages_each_confirmed(receiver: Receiver) -> None:
    given = records(UPDATES) * 400
    send(to(receiver), given)
    assert len(receiver.messages) > 4
    assert len(receiver.records()) == len(given)
    assert receiver.connections == 1


def closes_on_the_second(number: int) -> str:
    return "close" if number == 2 else "ack"


def says_nothing_at_first(number: int) -> str:
    return "ack" if number > 2 else "nothing"


def talks_nonsense_once(number: int) -> str:
    return "garbage" if number == 1 else "ack"


@pytest.mark.parametrize(
    "receiver", [closes_on_the_second, says_nothing_at_first, talks_nonsense_once], indirect=True
)
def test_what_is_not_confirmed_is_sent_again(receiver: Receiver) -> None:
    given = records(UPDATES) * 200
    send(to(receiver, ack_seconds=0.5), given)
    found = [record["finding_id"] for record in receiver.records()]
    assert {record.fields["finding_id"] for record in given} == set(found)
    assert len(found) >= len(given)
    assert receiver.connections == 2


@pytest.mark.parametrize("receiver", [lambda _: "nothing"], indirect=True)
def test_without_any_answer_it_gives_up_and_says_so(receiver: Receiver) -> None:
    with pytest.raises(DeliveryError, match=rf"127.0.0.1:{receiver.port} did not confirm: timed out"):
        send(to(receiver, ack_seconds=0.1, give_up_after=0.5), records(UPDATES[:1]))


def test_a_receiver_that_is_not_there(receiver: Receiver) -> None:
    receiver.close()
    with pytest.raises(DeliveryError, match=r"did not confirm: .*refused"):
        send(to(receiver, give_up_after=0.3), records(UPDATES[:1]))


def test_without_acknowledgement_a_closed_connection_is_noticed(receiver: Receiver) -> None:
    given = records(UPDATES[:2])
    with ForwardSink(to(receiver, acknowledge=False, compress=False), lambda *_: None) as sink:
        sink.write(given[0], "test")
        sink.flush()
        sink._connection._socket.shutdown(socket.SHUT_WR)  # the receiver closes in turn
        time.sleep(0.2)
        sink.write(given[1], "test")
        sink.flush()
    wait_for(lambda: len(receiver.messages) == 2)
    assert "chunk" not in receiver.messages[0][2]


def test_what_msgpack_cannot_say_is_refused(receiver: Receiver) -> None:
    event = UPDATES[0] | {"odd": 1 << 70}
    [refused] = send(to(receiver), records([event]))
    assert refused.reason == "not_msgpack"
    assert b"1180591620717411303424" in refused.raw
    assert receiver.messages == []


SERVED = """
inputs:
  - type: forward
    listen: "127.0.0.1:0"
    hostname: lens.test
    shared_key: {env: KEY}
    users: {u1: {env: PASSWORD}}
    tls: {certificate: CERTIFICATE, key: PRIVATE_KEY, client_ca: AUTHORITY}
outputs: [{type: file, path: out.jsonl}]
"""
SENDING = """
inputs: [{type: forward, listen: "127.0.0.1:0"}]
outputs:
  - type: forward
    address: localhost:PORT
    tag: guardduty.enriched
    shared_key: {env: KEY}
    hostname: shipper.test
    user: u1
    password: {env: PASSWORD}
    tls: true
    ca: AUTHORITY
    client_certificate: CERTIFICATE
    client_key: PRIVATE_KEY
    give_up_after_seconds: 2
"""


def test_one_server_to_another_with_key_user_and_certificates(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    pair = authority.issue("localhost")
    places = {
        "CERTIFICATE": pair.certificate, "PRIVATE_KEY": pair.key, "AUTHORITY": authority.certificate
    }  # fmt: skip

    def filled(text: str, **more: Any) -> str:
        for name, value in (places | more).items():
            text = text.replace(name, str(value))
        return text

    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    behind = Serving(tmp_path / "b", filled(SERVED), KEY="s3cret", PASSWORD="p1")
    front = Serving(tmp_path / "a", filled(SENDING, PORT=behind.port), KEY="s3cret", PASSWORD="p1")
    wrong = Serving(tmp_path / "a", filled(SENDING, PORT=behind.port), KEY="nope", PASSWORD="p1")
    try:
        with connected(front.port) as client:
            client.entries("t", UPDATES, "1")
            assert client.confirmed() == "1"
        with connected(wrong.port) as client:
            client.entries("t", UPDATES[:1], "2")
            with pytest.raises(ConnectionError):
                client.confirmed()
        assert front.stop() == 0
        assert wrong.stop() == 0
        assert behind.stop() == 0
    finally:
        for each in (front, wrong, behind):
            each.end()
    assert len(behind.records()) == len(UPDATES)
    assert "did not confirm" in "".join(wrong.said)
    assert "s3cret" not in "".join([*front.said, *wrong.said, *behind.said])


def wait_for(holds: Callable[[], bool], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_certificate_of_someone_else_is_not_trusted(tmp_path: Path) -> None:
    pair = Authority(tmp_path).issue("localhost")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pair.certificate, pair.key)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def greet() -> None:
            connection, _ = listener.accept()
            with connection, pytest.raises((ssl.SSLError, OSError)):
                context.wrap_socket(connection, server_side=True).recv(1)

        thread = threading.Thread(target=greet)
        thread.start()
        target = ForwardTarget(
            host="localhost",
            port=listener.getsockname()[1],
            tls=ssl.create_default_context(),
            security=Security(shared_key=Secret("s3cret"), hostname="us"),
            give_up_after=0.1,
        )
        with pytest.raises(DeliveryError, match="certificate verify failed"):
            send(target, records(UPDATES[:1]))
        thread.join()
