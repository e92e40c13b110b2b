"""moto's server as an AWS account, on loopback."""

import contextlib
import socket
import urllib.request
from collections.abc import Iterator

from moto.server import ThreadedMotoServer

REGION = "eu-west-1"


@contextlib.contextmanager
def moto_server() -> Iterator[str]:
    """Give the URL of an account with nothing in it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False)
    server.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.stop()


def reset(url: str) -> None:
    """Take away all that is in the account."""
    urllib.request.urlopen(urllib.request.Request(f"{url}/moto-api/reset", method="POST")).close()
