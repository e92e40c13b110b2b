"""OpenSearch without its security plugin, as the tests of everything but TLS and roles use it."""

from collections.abc import Iterator
from contextlib import contextmanager

from servers.artifacts import OPENSEARCH
from servers.client import Client
from servers.server import Distribution, Server

PLAIN = Distribution(OPENSEARCH, "bin/opensearch", "opensearch.yml", "OPENSEARCH")


@contextmanager
def start_opensearch() -> Iterator[Server]:
    """An OpenSearch of its own, up; it may be killed and restarted. Removed afterwards."""
    server = Server(PLAIN, Client)
    server.start()
    try:
        yield server
    finally:
        server.stop()
