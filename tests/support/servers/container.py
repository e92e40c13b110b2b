"""OpenSearch from its public image, where a Docker engine runs and the registry of images can be reached.

Chosen by `OPENSEARCH_IMAGE`, such as `opensearchproject/opensearch:3.8.0`. Not run by the project's own CI,
which has no registry of images. Unlike the plain server it has every plugin; no test may rely on them.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from servers.client import Client
from servers.failures import ServerError

_UP_SECONDS = 240.0
_ENVIRONMENT = {
    "discovery.type": "single-node",
    "DISABLE_SECURITY_PLUGIN": "true",
    "DISABLE_INSTALL_DEMO_CONFIG": "true",
    "cluster.routing.allocation.disk.threshold_enabled": "false",
    "OPENSEARCH_JAVA_OPTS": "-Xms512m -Xmx512m",
}


@contextmanager
def start_container(image: str) -> Iterator[str]:
    """URL of the image's server on a free port of loopback; its container is removed afterwards.

    Raises ServerError if it is not up in time, and docker's own errors if the engine can't run it.
    """
    # Needed by nobody who has no engine: `pip install docker`.
    import docker

    engine = docker.from_env()
    try:
        container = engine.containers.run(
            image, detach=True, remove=True, environment=_ENVIRONMENT, ports={"9200/tcp": ("127.0.0.1", None)}
        )
        try:
            container.reload()
            url = f"http://127.0.0.1:{container.ports['9200/tcp'][0]['HostPort']}"
            _wait_until_up(Client(url))
            yield url
        finally:
            container.kill()
    finally:
        engine.close()


def _wait_until_up(client: Client) -> None:
    deadline = time.monotonic() + _UP_SECONDS
    while not client.is_up():
        if time.monotonic() > deadline:
            raise ServerError(f"the container does not answer at {client.url} in {_UP_SECONDS:g} s")
        time.sleep(0.5)
