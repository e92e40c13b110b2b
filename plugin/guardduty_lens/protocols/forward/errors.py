"""Whose fault it was."""


class RemoteProtocolError(Exception):
    """The other side did what the protocol does not allow; `reason` is the code it is counted by."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class LocalProtocolError(Exception):
    """We were asked to do what the protocol does not allow now: a fault of ours."""
