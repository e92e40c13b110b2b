"""uvicorn, serving the http input beside others in one loop."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Iterator

from guardduty_lens.inputs.http import HttpInput


class HttpServer:
    """Listens until it is closed."""

    kind = "http"

    def __init__(self, application: HttpInput, host: str, port: int, tls: ssl.SSLContext | None) -> None:
        self._application = application
        self._host, self._port, self._tls = host, port, tls
        self._task: asyncio.Task[None] | None = None

    def counted(self) -> dict[str, int]:
        """Give the answers, by status."""
        return {f"status_{status}": number for status, number in self._application.counts.items()}

    async def start(self) -> int:
        """Listen, and give the port. Raises OSError."""
        import uvicorn  # an extra

        class Server(uvicorn.Server):
            """One that leaves signals to us."""

            @contextlib.contextmanager
            def capture_signals(self) -> Iterator[None]:
                yield

        # Bound by us, so that what goes wrong is an OSError here and no exit of the process.
        place = socket.create_server((self._host, self._port), family=_family(self._host))
        config = uvicorn.Config(
            self._application,
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            ws="none",
        )
        if self._tls is not None:
            config.load()
            config.ssl = self._tls
        self._server = Server(config)
        self._task = asyncio.create_task(self._server.serve(sockets=[place]))
        while not self._server.started and not self._task.done():
            await asyncio.sleep(0.01)
        port: int = place.getsockname()[1]
        return port

    async def close(self) -> None:
        """Take no more, and let what is under way be answered."""
        self._application.is_ready = False
        if self._task is not None:
            self._server.should_exit = True
            await self._task


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
