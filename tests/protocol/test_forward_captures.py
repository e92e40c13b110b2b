"""What real shippers sent, and what was answered to them, byte for byte (tests/data/captures)."""

import json
import random
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardduty_lens.opensearch.client import Secret
from guardduty_lens.protocols.forward import Chunk, Receiver, RemoteProtocolError, Security

CAPTURES = Path(__file__).parents[1] / "data" / "captures"
NAMES = sorted(
    path.name.removesuffix(".bin") for path in CAPTURES.glob("*.bin") if not path.name.startswith("http_")
)
SECURED = {name: name for name in NAMES if name.startswith(("sharedkey", "tls_sharedkey", "fd_sec"))}
PLAIN = [name for name in NAMES if name not in SECURED]


def _sent(name: str) -> bytes:
    path = CAPTURES / f"{name}.bin.sent"
    return path.read_bytes() if path.exists() else b""


def _receiver(name: str) -> Receiver:
    """A receiver that says the nonce and the salt that were said then."""
    if name in PLAIN:
        return Receiver()
    unpacker = msgpack.Unpacker(raw=True)
    unpacker.feed(_sent(name))
    options = next(iter(unpacker))[1]
    users = {"u1": Secret("p1")} if options[b"auth"] else {}
    security = Security(shared_key=Secret("s3cret"), hostname="recv.local", users=users)
    return Receiver(security, nonce=options[b"nonce"], auth=options[b"auth"])


def _chunks(receiver: Receiver, pieces: Iterator[bytes]) -> list[Chunk]:
    return [chunk for piece in pieces for chunk in receiver.receive(piece)]


def _whole(name: str) -> Iterator[bytes]:
    yield (CAPTURES / f"{name}.bin").read_bytes()


@pytest.mark.parametrize("name", [name for name in NAMES if name != "sharedkey_wrong"])
def test_every_capture_decodes_and_is_answered_as_it_was(name: str) -> None:
    receiver = _receiver(name)
    said = receiver.to_send()
    chunks = _chunks(receiver, _whole(name))
    said += receiver.to_send() + b"".join(chunk.ack for chunk in chunks if chunk.ack is not None)
    if name != "forward_noack":  # whose receiver kept silent, to see what happens
        assert said == _sent(name)
    assert chunks
    for chunk in chunks:
        assert bool(chunk.entries) or chunk.signal is not None
        for entry in chunk.entries:
            assert isinstance(msgpack.unpackb(entry.record, strict_map_key=False), dict)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "sharedkey_wrong"])
def test_however_the_bytes_are_cut_the_chunks_are_the_same(name: str) -> None:
    whole = _chunks(_receiver(name), _whole(name))
    data = (CAPTURES / f"{name}.bin").read_bytes()
    chance = random.Random(name)
    for size in (1, 7, 100, 4000):
        cuts = sorted({0, len(data), *(chance.randrange(len(data)) for _ in range(len(data) // size))})
        pieces = (data[start:end] for start, end in pairwise(cuts))
        assert _chunks(_receiver(name), pieces) == whole


@settings(max_examples=50)
@given(st.data())
def test_any_cut_of_one_of_them(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(["fd_gzip_ack", "golang_ack", "sharedkey_user_ack"]))
    raw = (CAPTURES / f"{name}.bin").read_bytes()
    cut = data.draw(st.integers(0, len(raw)))
    assert _chunks(_receiver(name), iter([raw[:cut], raw[cut:]])) == _chunks(_receiver(name), _whole(name))


def test_a_wrong_key_is_refused_and_told_as_it_was() -> None:
    receiver = _receiver("sharedkey_wrong")
    said = receiver.to_send()
    with pytest.raises(RemoteProtocolError, match="shared key mismatch"):
        _chunks(receiver, _whole("sharedkey_wrong"))
    answer = msgpack.unpackb(receiver.to_send(), raw=True)
    assert answer[:3] == [b"PONG", False, b"shared key mismatch"]
    assert said.startswith(b"\x92\xa4HELO")


def test_what_is_no_log_is_told_apart() -> None:
    chunks = _chunks(Receiver(), _whole("metrics_signal_ack"))
    assert {chunk.signal for chunk in chunks} >= {"metrics"}
    [marked] = _chunks(Receiver(), _whole("group_markers_ack"))
    assert marked.markers == 2


def test_the_findings_of_all_modes_are_the_same() -> None:
    """Fluent Bit's own: as it is, with metadata or none, gzipped, times as integers."""

    def records(name: str) -> list[str]:
        return [
            json.dumps(msgpack.unpackb(entry.record), sort_keys=True)
            for chunk in _chunks(_receiver(name), _whole(name))
            for entry in chunk.entries
        ]

    first = records("forward_ack")
    assert len(first) >= 2
    for name in (
        "forward_default",
        "forward_gzip_ack",
        "forward_nometa_ack",
        "forward_intime_ack",
        "sharedkey_ack",
    ):
        assert records(name) == first, name
