"""gzip, told by its magic bytes: one member or several, streamed or whole, never larger than allowed."""

import base64
import binascii
import contextlib
import importlib
import zlib
from collections.abc import Iterable, Iterator
from typing import Any

from guardduty_lens.payloads.pieces import UnreadableError

inflater: Any = zlib
with contextlib.suppress(ImportError):
    # Twice as fast, where it is there (the extra `forward` brings it).
    inflater = importlib.import_module("isal.isal_zlib")

GZIP_MAGIC = b"\x1f\x8b"

_GZIP_WINDOW = 31  # zlib's number for "gzip header and trailer"
_PIECE = 1024 * 1024
_KEPT = 64 * 1024 * 1024


def inflate(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Unpack blocks that begin with GZIP_MAGIC, member after member, a megabyte at most at a time.

    Raises UnreadableError (`bad_gzip`) where the data is damaged, ends early, or goes on with what is
    no gzip, which is then its `raw`; what came before has been given already. Zero bytes between members
    and at the end are padding.
    """
    remaining = iter(blocks)
    member: Any = None
    waiting = b""
    for block in remaining:
        waiting += block
        while waiting := waiting if member else waiting.lstrip(b"\x00"):
            if member is None:
                if len(waiting) < len(GZIP_MAGIC) and GZIP_MAGIC.startswith(waiting):
                    break
                member = _begin(waiting, remaining)
            yield _piece(member, waiting)
            waiting = member.unconsumed_tail
            if member.eof:
                waiting, member = member.unused_data, None
    if member or waiting:
        raise UnreadableError("bad_gzip", "the gzip data ends before its end marker", waiting)


def _begin(data: bytes, more: Iterable[bytes]) -> Any:
    if data.startswith(GZIP_MAGIC):
        return inflater.decompressobj(_GZIP_WINDOW)
    message = "bytes that are no gzip follow a gzip member"
    raw = bytearray(data)
    for block in more:
        raw += block
        if len(raw) > _KEPT:
            message += f"; the first {_KEPT} of them are kept"
            break
    raise UnreadableError("bad_gzip", message, bytes(raw[:_KEPT]))


def _piece(member: Any, data: bytes) -> bytes:
    try:
        piece: bytes = member.decompress(data, _PIECE)
    except (zlib.error, inflater.error) as error:
        raise UnreadableError("bad_gzip", f"damaged gzip data: {error}") from error
    return piece


def inflate_whole(data: bytes, limit: int) -> bytes:
    """Unpack data into at most `limit` bytes; data without the magic bytes comes back as it is.

    Raises UnreadableError: `bad_gzip`, or `too_large`.
    """
    if not data.startswith(GZIP_MAGIC):
        return data
    pieces: list[bytes] = []
    size = 0
    for piece in inflate([data]):
        pieces.append(piece)
        size += len(piece)
        if size > limit:
            raise UnreadableError("too_large", f"compressed data unpacks to more than {limit} bytes")
    return b"".join(pieces)


def decode_base64(text: object, limit: int) -> bytes:
    """Decode a transport's base64 text, and what is gzip inside it.

    Raises UnreadableError: `bad_base64`, `bad_gzip` or `too_large`.
    """
    if not isinstance(text, str):
        raise UnreadableError("bad_base64", "expected base64 text")
    try:
        data = base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise UnreadableError("bad_base64", f"no base64: {error}") from error
    return inflate_whole(data, limit)
