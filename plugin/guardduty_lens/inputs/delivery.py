"""What inputs that acknowledge hand on: nothing is acknowledged before it is delivered."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec


class Payload(msgspec.Struct, frozen=True, gc=False):
    """What came: one JSON value in one line, or, with `is_json` false, whatever it is, as it came.

    Of a wrapper that a shipper made, `text` is the JSON text in it, and `wrapper` all of it, decoded: if
    the text is a finding, no JSON of the whole is wanted.
    """

    raw: bytes = b""
    is_json: bool = True
    text: bytes | None = None
    wrapper: Any = None

    def json(self) -> bytes:
        """Give the JSON."""
        return self.raw if self.wrapper is None else msgspec.json.encode(self.wrapper)


class Batch(msgspec.Struct, frozen=True):
    """Payloads that came together: under which tag, and where from.

    `newest` is the latest time that the shipper gave one of them, in seconds since 1970.
    """

    tag: str
    source: str
    payloads: Sequence[Payload]
    newest: float | None = None


class NotDelivered(Exception):  # noqa: N818 - it names what happened
    """Not every output has confirmed; whoever sent it is to send it again, which changes nothing twice."""


Deliver = Callable[[Batch], Awaitable[None]]
"""Returns once every output has confirmed, or refused into the dead letters. Raises NotDelivered."""
