"""One write to a cluster."""

import msgspec


class Document(msgspec.Struct, frozen=True, gc=False):
    """One write: `body` is JSON; with a version it replaces an older one, without one it is only created."""

    index: str
    id: str
    body: bytes
    version: int | None = None
