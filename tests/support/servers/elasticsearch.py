"""Elasticsearch, as far as Maven Central has it: without ingest-common, painless and mapper-extras."""

from collections.abc import Iterator
from contextlib import contextmanager

from servers.artifacts import ELASTICSEARCH
from servers.client import Client
from servers.server import Distribution, Server

_OFF = {"xpack.security.enabled": False, "xpack.ml.enabled": False}
PLAIN = Distribution(ELASTICSEARCH, "bin/elasticsearch", "elasticsearch.yml", "ES", settings=_OFF)


@contextmanager
def start_elasticsearch() -> Iterator[Server]:
    """An Elasticsearch of its own, up; removed afterwards."""
    server = Server(PLAIN, Client)
    server.start()
    try:
        yield server
    finally:
        server.stop()
