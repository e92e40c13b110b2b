"""Placeholder."""

import msgspec


def page(data):
    return msgspec.json.encode(data).decode()
