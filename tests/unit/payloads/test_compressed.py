import base64
import gzip
import random
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardduty_lens.payloads.compressed import decode_base64, inflate, inflate_whole
from guardduty_lens.payloads.pieces import UnreadableError

MIB = 1024 * 1024
NOISE = random.Random(1).randbytes(5000)


def in_blocks(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


def given_before_the_error(blocks: list[bytes]) -> tuple[bytes, str]:
    given_so_far = b""
    with pytest.raises(UnreadableError) as caught:  # noqa: PT012 - what came before counts
        for piece in inflate(blocks):
            given_so_far += piece
    return given_so_far, caught.value.reason


@pytest.mark.parametrize("size", [1, 2, 3, 100, MIB])
@pytest.mark.parametrize("members", [[b""], [b"a"], [NOISE], [b"a", b"", b"b\n", NOISE]])
def test_members_one_after_another(members, size):
    data = b"".join(gzip.compress(member) for member in members)
    assert b"".join(inflate(in_blocks(data, size))) == b"".join(members)
    assert inflate_whole(data, MIB) == b"".join(members)


def test_a_member_with_a_file_name_and_a_comment():
    body = gzip.compress(b"data")
    header = bytes([*body[:3], 0x18, *body[4:10]]) + b"uuid.jsonl\x00" + b"comment\x00"
    assert inflate_whole(header + body[10:], MIB) == b"data"


@pytest.mark.parametrize("size", [1, 2, MIB])
@pytest.mark.parametrize("zeros", [1, 2, 3, 511, 512])
def test_zero_padding_at_the_end(zeros, size):
    data = gzip.compress(b"data") + b"\x00" * zeros
    assert b"".join(inflate(in_blocks(data, size))) == b"data"


@pytest.mark.parametrize("size", [1, MIB])
def test_empty_blocks_change_nothing(size):
    blocks = [b""] + [part for block in in_blocks(gzip.compress(NOISE), size) for part in (block, b"")]
    assert b"".join(inflate(blocks)) == NOISE


@pytest.mark.parametrize("size", [1, 7, MIB])
@pytest.mark.parametrize("cut", [2, 5, 10, 11, 1000, -8, -1])
def test_data_that_ends_early(cut, size):
    given_so_far, reason = given_before_the_error(in_blocks(gzip.compress(NOISE)[:cut], size))
    assert reason == "bad_gzip"
    assert NOISE.startswith(given_so_far)


def test_what_came_before_the_damage_is_given():
    data = gzip.compress(b"first") + gzip.compress(NOISE)[:-9]
    given_so_far, reason = given_before_the_error([data])
    assert reason == "bad_gzip"
    assert given_so_far.startswith(b"first")


@pytest.mark.parametrize("size", [1, 3, MIB])
@pytest.mark.parametrize("rest", [b'{"a":1}\n', b"\n", b"x", b"\x1f", b"\x1f\x8b", b"\x00\x00x"])
def test_what_is_no_gzip_behind_a_member(rest, size):
    given_so_far, reason = given_before_the_error(in_blocks(gzip.compress(b"data") + rest, size))
    assert (given_so_far, reason) == (b"data", "bad_gzip")


@pytest.mark.parametrize("size", [1, 5, MIB])
def test_what_is_no_gzip_behind_a_member_is_kept(size):
    blocks = in_blocks(gzip.compress(b"data") + b"\x00\x00" + b'{"a":1}\n' * 3, size)
    with pytest.raises(UnreadableError) as caught:
        list(inflate(blocks))
    assert caught.value.raw == b'{"a":1}\n' * 3


@pytest.mark.parametrize("size", [1, 2, 5, MIB])
def test_zeros_between_members(size):
    data = gzip.compress(b"a") + b"\x00" * 9 + gzip.compress(b"b") + b"\x00" * 3
    assert b"".join(inflate(in_blocks(data, size))) == b"ab"


def test_a_wrong_checksum():
    data = bytearray(gzip.compress(NOISE))
    data[-5] ^= 1
    assert given_before_the_error([bytes(data)])[1] == "bad_gzip"


def test_a_bomb_is_unpacked_a_megabyte_at_a_time():
    bomb = gzip.compress(b"\x00" * (64 * MIB))
    assert len(bomb) < 100_000
    pieces = [len(piece) for piece in inflate([bomb])]
    assert sum(pieces) == 64 * MIB
    assert max(pieces) <= MIB


def test_a_bomb_is_stopped_at_the_limit():
    with pytest.raises(UnreadableError) as caught:
        inflate_whole(gzip.compress(b"\x00" * (64 * MIB)), 2 * MIB)
    assert caught.value.reason == "too_large"


def test_many_members_are_stopped_at_the_limit_together():
    with pytest.raises(UnreadableError) as caught:
        inflate_whole(gzip.compress(b"x" * 10) * 11, 100)
    assert caught.value.reason == "too_large"


def test_just_the_limit_passes():
    assert inflate_whole(gzip.compress(b"x" * 100), 100) == b"x" * 100


@pytest.mark.parametrize("data", [b"", b"\x1f", b'{"a":1}', zlib.compress(b"data")])
def test_what_is_no_gzip_comes_back(data):
    assert inflate_whole(data, 1) == data


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("", b""),
        ("eyJhIjoxfQ==", b'{"a":1}'),
        ("eyJh\nIjox\r\n fQ==\n", b'{"a":1}'),
        (base64.b64encode(gzip.compress(NOISE)).decode(), NOISE),
    ],
)
def test_base64(text, data):
    assert decode_base64(text, MIB) == data


@pytest.mark.parametrize(
    "text", ["eyJhIjoxfQ", "eyJhIjoxfQ=", "e-J_", "{}", "é", "\ud800", None, 1, [], {}, b""]
)
def test_what_is_no_base64(text):
    with pytest.raises(UnreadableError) as caught:
        decode_base64(text, MIB)
    assert caught.value.reason == "bad_base64"


def test_damaged_gzip_in_base64():
    with pytest.raises(UnreadableError) as caught:
        decode_base64(base64.b64encode(gzip.compress(NOISE)[:-4]).decode(), MIB)
    assert caught.value.reason == "bad_gzip"


@given(st.binary(max_size=200), st.integers(0, 300), st.binary(max_size=4), st.integers(1, 9))
@settings(derandomize=True, max_examples=1000, deadline=None)
def test_damage_raises_nothing_else_and_blocks_make_no_difference(data, at, patch, size):
    packed = bytearray(gzip.compress(data) + gzip.compress(b"second"))
    packed[at : at + len(patch)] = patch
    outcomes = []
    for blocks in ([bytes(packed)], in_blocks(bytes(packed), size)):
        try:
            outcomes.append(b"".join(inflate(blocks)))
        except UnreadableError as error:
            outcomes.append(error.reason)
    assert outcomes[0] == outcomes[1] or packed[:2] != b"\x1f\x8b"
