"""The Fluent forward protocol, version 1, both sides: what Fluent Bit, Fluentd and their libraries speak.

Specification: fluent/fluentd, wiki, "Forward Protocol Specification v1". What real programs do beyond it is
said where it is dealt with.
"""

from guardduty_lens.protocols.forward.errors import LocalProtocolError, RemoteProtocolError
from guardduty_lens.protocols.forward.handshake import Security, User
from guardduty_lens.protocols.forward.messages import Chunk, Entry
from guardduty_lens.protocols.forward.receiver import Receiver, ReceiverLimits
from guardduty_lens.protocols.forward.sender import Sender

__all__ = [
    "Chunk",
    "Entry",
    "LocalProtocolError",
    "Receiver",
    "ReceiverLimits",
    "RemoteProtocolError",
    "Security",
    "Sender",
    "User",
]
