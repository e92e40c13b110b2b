"""What inputs that acknowledge hand on: nothing is acknowledged before it is delivered."""

import asyncio
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


async def deliver_until(closing: asyncio.Event, deliver: Deliver, batch: Batch) -> None:
    """Deliver a batch again and again until it is confirmed. Raises NotDelivered where we end before that."""
    try:
        await deliver(batch)
    except NotDelivered as error:
        while not closing.is_set():
            # What waits for an output that is down must not hold up our end.
            again = asyncio.ensure_future(deliver(batch))
            ending = asyncio.ensure_future(closing.wait())
            await asyncio.wait({again, ending}, return_when=asyncio.FIRST_COMPLETED)
            ending.cancel()
            if not again.done():
                again.cancel()
            elif again.exception() is None:
                return
            elif not isinstance(again.exception(), NotDelivered):
                again.result()
        raise NotDelivered("we end before it is delivered") from error
