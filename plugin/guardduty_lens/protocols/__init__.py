"""Protocols of the wire, without any I/O: bytes in, events out, and bytes to send."""
