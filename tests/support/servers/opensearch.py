"""OpenSearch without its security plugin, as the tests of everything but TLS and roles use it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from servers.client import CLUSTER_HEALTH, Client
from servers.lines import Line, chosen_line
from servers.server import Distribution, Server


def distribution(
    line: Line,
    *,
    settings: Mapping[str, object] | None = None,
    prepare: Callable[[Path], None] | None = None,
    scheme: str = "http",
    up_paths: tuple[str, ...] = (CLUSTER_HEALTH,),
) -> Distribution:
    """What is to be run of a line; the options are those of Distribution."""
    return Distribution(
        line.server,
        "bin/opensearch",
        "opensearch.yml",
        "OPENSEARCH",
        line.java,
        modules=line.modules,
        settings=settings or {},
        prepare=prepare,
        scheme=scheme,
        up_paths=up_paths,
    )


@contextmanager
def start_opensearch() -> Iterator[Server]:
    """An OpenSearch of its own, up; it may be killed and restarted. Removed afterwards."""
    server = Server(distribution(chosen_line()), Client)
    server.start()
    try:
        yield server
    finally:
        server.stop()
