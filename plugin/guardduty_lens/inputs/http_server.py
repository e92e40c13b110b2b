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

    def __init__(self, application: HttpInput, tls: ssl.SSLContext | None) -> None:
        self._application = application
        self._tls = tls
        self._task: asyncio.Task[None] | None = None

    def counted(self) -> dict[str, int]:
        """Give the bytes that came, and the answers, by status."""
        counts = self._application.counts
        return {"bytes": self._application.bytes} | {
            f"status_{status}": number for status, number in counts.items()
        }

    async def start(self, place: socket.socket) -> None:
        """Take connections at a socket that is bound."""
        import uvicorn  # an extra

        class Server(uvicorn.Server):
            """One that leaves signals to us."""

            @contextlib.contextmanager
            def capture_signals(self) -> Iterator[None]:
                yield

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

    async def close(self) -> None:
        """Take no more, and let what is under way be answered."""
        self._application.is_ready = False
        if self._task is not None:
            self._server.should_exit = True
            await self._task
