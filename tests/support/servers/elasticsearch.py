"""Elasticsearch, as far as Maven Central has it: without ingest-common, painless and mapper-extras."""

from collections.abc import Iterator
from contextlib import contextmanager

from servers.artifacts import Artifact
from servers.client import Client
from servers.server import Distribution, Server

_OFF = {"xpack.security.enabled": False, "xpack.ml.enabled": False}
_ARTIFACT = Artifact(
    "org.elasticsearch.distribution.integ-test-zip",
    "elasticsearch",
    "9.1.0",
    "be5c5440bb6344cee4070f8f77a6c3cd72363db494944047cdd93748c4e19111",
    "zip",
)
_PLAIN = Distribution(
    _ARTIFACT, "bin/elasticsearch", "elasticsearch.yml", "ES", range(21, 100), settings=_OFF
)


@contextmanager
def start_elasticsearch() -> Iterator[Server]:
    """An Elasticsearch of its own, up; removed afterwards."""
    server = Server(_PLAIN, Client)
    server.start()
    try:
        yield server
    finally:
        server.stop()
