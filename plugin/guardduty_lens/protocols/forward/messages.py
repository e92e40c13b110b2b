"""Messages of the forward protocol: one value of msgpack each, taken apart as far as it is needed.

    Message        [tag, time, record, option?]
    Forward        [tag, [entry, entry, …], option?]
    PackedForward  [tag, payload, option?]     payload: entries one behind the other, as bin or str, maybe
    gzipped

An entry is `[time, record]`, or, as Fluent Bit sends it, `[[time, metadata], record]`. Records stay msgpack.
"""

import struct
from collections.abc import Iterator
from typing import Any

import msgpack
import msgspec

from guardduty_lens.payloads.compressed import GZIP_MAGIC, inflate_whole
from guardduty_lens.payloads.pieces import UnreadableError
from guardduty_lens.protocols.forward.errors import RemoteProtocolError

_GROUP_MARKERS = (-1, -2)
"""Times of entries that open and close a group in Fluent Bit's forward output; they are no records."""

_LOGS = 0
_SIGNALS = {1: "metrics", 2: "traces"}
"""Values of `fluent_signal` that say a message holds no logs."""

_MOST_OPTION_BYTES = 64 * 1024
_PLAIN_ENTRY = b"\x92\xd7\x00"  # two parts, the first an EventTime
_EVENT_TIME = struct.Struct(">iI").unpack_from


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One event: its time in seconds and nanoseconds since 1970, and its record, a msgpack map."""

    seconds: int
    nanoseconds: int
    record: bytes


class Chunk(msgspec.Struct, frozen=True):
    """What one message brought.

    `ack` answers it, byte for byte as the sender knows its chunk; None where it wants no answer. `signal` is
    `metrics` or `traces` where there are no logs in it, and then no entries. `markers` counts entries that
    open or close a group.
    """

    tag: str
    entries: list[Entry]
    ack: bytes | None = None
    signal: str | None = None
    markers: int = 0


def values(data: bytes, what: str) -> Iterator[tuple[int, int]]:
    """Give where each of the msgpack values in some bytes starts and ends; all of them are to be whole.

    Raises RemoteProtocolError.
    """
    skipper = msgpack.Unpacker(raw=True, max_buffer_size=max(len(data), 1))
    skipper.feed(data)
    start = 0
    while start < len(data):
        try:
            skipper.skip()
        except msgpack.OutOfData:
            raise RemoteProtocolError("cut_off", f"{what}: the last value is cut off") from None
        except (ValueError, msgpack.UnpackException) as error:
            raise RemoteProtocolError("no_msgpack", f"{what}: no msgpack ({type(error).__name__})") from None
        end = skipper.tell()
        yield start, end
        start = end


def read_message(raw: bytes, most_bytes: int) -> Chunk:
    """Take a message apart; `most_bytes` bounds what a compressed payload may unpack to.

    Raises RemoteProtocolError.
    """
    count, start = array_header(raw, 0, "a message")
    if not 2 <= count <= 4:
        raise RemoteProtocolError("no_message", f"an array of {count}, which is no message")
    body = raw[start:]
    parts = [body[begin:end] for begin, end in values(body, "a message")]
    if len(parts) != count:
        raise RemoteProtocolError("no_message", f"an array of {count}, and {len(parts)} in it")
    tag = text_of(parts[0], "the tag")
    kind = parts[1][0]
    if _is_array(kind):
        option = _option(parts[2:])
        return _chunk(tag, [] if option.signal else _forward(parts[1]), option)
    if _is_bytes(kind):
        option = _option(parts[2:])
        packed = [] if option.signal else _packed(content_of(parts[1]), option, most_bytes)
        return _chunk(tag, packed, option)
    if count == 2:
        raise RemoteProtocolError("no_message", "a message of a tag and a time, without a record")
    seconds, nanoseconds, _ = _time(parts[1], 0)
    return _chunk(tag, [Entry(seconds, nanoseconds, _record(parts[2]))], _option(parts[3:]))


def array_header(data: bytes, at: int, what: str) -> tuple[int, int]:
    """Give the number of elements of an array, and where the first one starts. Raises RemoteProtocolError."""
    kind = data[at] if at < len(data) else 0
    if 0x90 <= kind <= 0x9F:
        return kind & 0x0F, at + 1
    if kind == 0xDC and len(data) >= at + 3:
        return int.from_bytes(data[at + 1 : at + 3], "big"), at + 3
    if kind == 0xDD and len(data) >= at + 5:
        return int.from_bytes(data[at + 1 : at + 5], "big"), at + 5
    raise RemoteProtocolError("no_message", f"{what} is an array, not what begins with the byte {kind:#04x}")


def content_of(value: bytes) -> bytes:
    """Give the bytes of a str or bin. Raises RemoteProtocolError."""
    kind = value[0]
    if 0xA0 <= kind <= 0xBF:
        return value[1:]
    head = {0xC4: 2, 0xC5: 3, 0xC6: 5, 0xD9: 2, 0xDA: 3, 0xDB: 5}.get(kind)
    if head is None:
        raise RemoteProtocolError("no_message", f"text or bytes are wanted, not what begins with {kind:#04x}")
    return value[head:]


def text_of(value: bytes, what: str) -> str:
    """Give a str or bin as text. Raises RemoteProtocolError."""
    try:
        return content_of(value).decode()
    except UnicodeDecodeError:
        raise RemoteProtocolError("no_message", f"{what} is no UTF-8") from None


def map_members(value: bytes, what: str) -> Iterator[tuple[bytes, bytes]]:
    """Give keys, as their content, and values, as msgpack, of a map. Raises RemoteProtocolError."""
    kind = value[0]
    if 0x80 <= kind <= 0x8F:
        start = 1
    elif kind in (0xDE, 0xDF):
        start = 3 if kind == 0xDE else 5
    else:
        raise RemoteProtocolError("no_message", f"{what} is a map, not what begins with {kind:#04x}")
    spans = list(values(value[start:], what))
    for key, member in zip(spans[::2], spans[1::2], strict=True):
        yield content_of(value[start + key[0] : start + key[1]]), value[start + member[0] : start + member[1]]


class _Option(msgspec.Struct, frozen=True):
    ack: bytes | None = None
    compressed: str = "text"
    signal: str | None = None


def _option(rest: list[bytes]) -> _Option:
    """Read the option map, if there is one; what it says beyond what matters here is passed over."""
    if not rest or rest[0] == b"\xc0":
        return _Option()
    if len(rest[0]) > _MOST_OPTION_BYTES:
        raise RemoteProtocolError("too_large", f"an option map of {len(rest[0]):,} bytes")
    found = dict(map_members(rest[0], "the option"))
    ack = b"\x81\xa3ack" + found[b"chunk"] if b"chunk" in found else None
    compressed = text_of(found[b"compressed"], "compressed") if b"compressed" in found else "text"
    number = _number(found.get(b"fluent_signal", b"\x00"))
    return _Option(ack, compressed, None if number == _LOGS else _SIGNALS.get(number, f"signal {number}"))


def _number(value: bytes) -> int:
    found: Any = msgpack.unpackb(value)
    if type(found) is not int:
        raise RemoteProtocolError("no_message", "fluent_signal is no number")
    return found


def _chunk(tag: str, entries: list[Entry], option: _Option) -> Chunk:
    kept = [entry for entry in entries if entry.seconds not in _GROUP_MARKERS]
    return Chunk(tag, kept, option.ack, option.signal, len(entries) - len(kept))


def _forward(array: bytes) -> list[Entry]:
    count, start = array_header(array, 0, "the entries")
    body = array[start:]
    entries = [read_entry(body[begin:end]) for begin, end in values(body, "entries")]
    if len(entries) != count:
        raise RemoteProtocolError("no_message", f"{count} entries said, {len(entries)} there")
    return entries


def _packed(payload: bytes, option: _Option, most_bytes: int) -> list[Entry]:
    if option.compressed == "gzip":
        payload = _inflated(payload, most_bytes)
    elif option.compressed != "text":
        raise RemoteProtocolError("compression", f"a payload compressed by {option.compressed[:40]!r}")
    return [read_entry(payload[start:end]) for start, end in values(payload, "the payload")]


def _inflated(payload: bytes, most_bytes: int) -> bytes:
    """Unpack gzip members, one behind the other."""
    if not payload.startswith(GZIP_MAGIC):
        raise RemoteProtocolError("bad_gzip", "the payload is no gzip")
    try:
        return inflate_whole(payload, most_bytes)
    except UnreadableError as error:
        raise RemoteProtocolError(error.reason, f"the payload: {error}") from error


def read_entry(raw: bytes) -> Entry:
    """Read `[time, record]` or `[[time, metadata], record]`. Raises RemoteProtocolError."""
    if raw.startswith(_PLAIN_ENTRY):  # what most senders write
        seconds, nanoseconds = _EVENT_TIME(raw, 3)
        return Entry(seconds, nanoseconds, _record(raw[11:]))
    count, at = array_header(raw, 0, "an entry")
    if count != 2:
        raise RemoteProtocolError("no_message", f"an entry of {count} parts")
    if _is_array(raw[at]):
        inner, at = array_header(raw, at, "an entry's time and metadata")
        seconds, nanoseconds, at = _time(raw, at)
        at += _length_of_values(raw[at:], inner - 1)
    else:
        seconds, nanoseconds, at = _time(raw, at)
    return Entry(seconds, nanoseconds, _record(raw[at:]))


def _length_of_values(data: bytes, number: int) -> int:
    if number == 1 and data[:1] == b"\x80":  # empty metadata: what nearly every entry has
        return 1
    ends = [end for _, (_, end) in zip(range(number), values(data, "an entry"), strict=False)]
    return ends[-1] if ends else 0


def _record(raw: bytes) -> bytes:
    kind = raw[0] if raw else 0
    if not (0x80 <= kind <= 0x8F or kind in (0xDE, 0xDF)):
        raise RemoteProtocolError("no_record", f"a record is a map, not what begins with {kind:#04x}")
    return raw


def _time(data: bytes, at: int) -> tuple[int, int, int]:
    """Read EventTime (extension type 0), or a number of seconds; give seconds, nanoseconds, and the end."""
    kind = data[at]
    if kind == 0xD7 and data[at + 1] == 0:
        seconds, nanoseconds = _EVENT_TIME(data, at + 2)
        return seconds, nanoseconds, at + 10
    if kind == 0xC7 and data[at + 1 : at + 3] == b"\x08\x00":
        seconds, nanoseconds = _EVENT_TIME(data, at + 3)
        return seconds, nanoseconds, at + 11
    numbers = {0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8, 0xD0: 1, 0xD1: 2, 0xD2: 4, 0xD3: 8, 0xCA: 4, 0xCB: 8}
    size = 1 + numbers.get(kind, 0)
    if not (kind <= 0x7F or kind >= 0xE0 or kind in numbers):
        raise RemoteProtocolError("no_message", f"a time begins with {kind:#04x}")
    found = msgpack.unpackb(data[at : at + size])
    if found != found or abs(found) > 1 << 62:  # not a number is not itself
        raise RemoteProtocolError("no_message", "a time that is none")
    return int(found), int((found % 1) * 1_000_000_000), at + size


def _is_array(kind: int) -> bool:
    return 0x90 <= kind <= 0x9F or kind in (0xDC, 0xDD)


def _is_bytes(kind: int) -> bool:
    return 0xA0 <= kind <= 0xBF or 0xC4 <= kind <= 0xC6 or 0xD9 <= kind <= 0xDB
