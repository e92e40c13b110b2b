"""A configuration at work: its inputs and outputs, from start to drained end, and a new one in its place."""

import asyncio
import gc
import logging
import os
import signal
import socket
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from guardduty_lens.inputs.asking import Asking
from guardduty_lens.inputs.forward import ForwardOptions, ForwardServer
from guardduty_lens.inputs.guardduty_api import GuardDutyInput, GuardDutyOptions
from guardduty_lens.inputs.http import HttpInput
from guardduty_lens.inputs.http_server import HttpServer
from guardduty_lens.inputs.s3 import S3Input, S3Options
from guardduty_lens.inputs.sqs import SqsInput, SqsOptions
from guardduty_lens.payloads.pieces import Rejected
from guardduty_lens.record import Record
from guardduty_lens.serve.metrics import Measured, prometheus_text
from guardduty_lens.serve.pipeline import Pipeline
from guardduty_lens.serve.ready import Place, Ready, ReadyInput
from guardduty_lens.serve.words import lines_of

_log = logging.getLogger(__name__)

PATIENCE_SECONDS = 6.0
"""How long an end in order may take: less than what Docker and systemd allow."""
HURRY_SECONDS = 3.0
"""After so many of these nothing is tried again."""
_ANSWER_SECONDS = 0.5
"""For inputs to tell whoever waits that nothing is acknowledged."""

Sockets = Mapping[Place, socket.socket]


class Service:
    """One configuration, between its start and its end."""

    def __init__(self, ready: Ready) -> None:
        self._ready = ready
        self._pipeline = Pipeline(
            ready.lens, ready.routes, ready.dead_letters, ready.ledger, ready.trouble, ready.wrapper_keys
        )
        self._servers = [self._server(given) for given in ready.inputs]

    async def start(self, sockets: Sockets) -> None:
        """Begin to work, at sockets that are bound."""
        self._pipeline.start()
        for given, server in zip(self._ready.inputs, self._servers, strict=True):
            if isinstance(server, Asking):
                await server.start()
            elif given.place is not None:
                await server.start(sockets[given.place].dup())

    async def stop(self, ended: asyncio.Event) -> None:
        """Take no more; deliver and acknowledge what was read, for `PATIENCE_SECONDS` once `ended` is set."""
        closing = asyncio.create_task(self._close())
        hurrying = asyncio.create_task(self._hurry(ended, closing))
        await asyncio.wait({closing})
        hurrying.cancel()
        if not closing.cancelled():
            closing.result()
        for name, counts in self._counts().items():
            _log.info("%s: %s", name, msgspec.json.encode(counts).decode())

    async def _close(self) -> None:
        await asyncio.gather(*(server.close() for server in self._servers))
        await self._pipeline.close()

    async def _hurry(self, ended: asyncio.Event, closing: asyncio.Task[None]) -> None:
        """Once it is the end, have nothing tried again, then leave what does not answer."""
        await ended.wait()
        await asyncio.sleep(HURRY_SECONDS)
        self._ready.trouble.hurry()
        await asyncio.sleep(PATIENCE_SECONDS - HURRY_SECONDS)
        self._pipeline.abandon()
        await asyncio.sleep(_ANSWER_SECONDS)
        closing.cancel()

    def _counts(self) -> dict[str, dict[str, int]]:
        """Give the counts of each input, by its number and type."""
        return {f"{number}-{server.kind}": server.counted() for number, server in enumerate(self._servers, 1)}

    def _server(self, given: ReadyInput) -> ForwardServer | HttpServer | Asking[Any]:
        if isinstance(given.options, SqsOptions):
            return SqsInput(given.options, self._pipeline.deliver)
        if isinstance(given.options, S3Options):
            return S3Input(given.options, self._pipeline.deliver)
        if isinstance(given.options, GuardDutyOptions):
            return GuardDutyInput(given.options, self._pipeline.deliver)
        if isinstance(given.options, ForwardOptions):
            return ForwardServer(given.options, self._pipeline.deliver)
        application = HttpInput(
            given.options,
            self._pipeline.deliver,
            self._enrich,
            self._metrics,
            self._ready.tagger.take,
            lambda: dict(self._ready.trouble.failing),
        )
        return HttpServer(application, given.tls)

    def _enrich(self, raw: bytes) -> list[bytes]:
        found = list(self._ready.asked_lens.process(raw, "/filter"))
        rejected = next((item for item in found if isinstance(item, Rejected)), None)
        if rejected is not None:
            raise ValueError(rejected.message)
        return [item.to_json() for item in found if isinstance(item, Record)]

    def _metrics(self) -> str:
        outputs = {route.name: route.counts for route in self._pipeline.routes}
        return prometheus_text(
            Measured(
                self._ready.lens.counters,
                self._counts(),
                outputs,
                self._pipeline.deliveries,
                self._pipeline.queue_depth,
            )
        )


async def run(
    ready: Ready,
    reload: Callable[[], Ready] | None = None,
) -> Ready:
    """Serve until SIGTERM or SIGINT; then take no more, deliver and acknowledge what was read, and end.

    That takes `PATIENCE_SECONDS` at most: what outputs have not confirmed by then is not acknowledged, and
    `trouble` says whether a thread still waits for them. A second such signal ends the process at once.

    On SIGHUP the configuration that `reload` gives takes the place of the one at work, once all of it is
    sound and what was read has been delivered; connections that come meanwhile wait. Where it is not, the
    old one stays. The log says once all inputs listen. Gives what was at work at the end,
    whose lens has counted everything. Raises OSError where an input cannot listen.
    """
    stopped, asked = _ended(), _asked()
    sockets: Sockets = _bound(ready, {})
    service = await _begun(ready, sockets)
    at = _listening_at(ready, sockets)
    _log.info("%s", f"listening on {', '.join(at)}" if at else "polling")
    try:
        while await _first_of(stopped, asked) is asked:
            asked.clear()
            try:
                fresh, places = await _made(reload, sockets) if reload is not None else (ready, sockets)
            except (ValueError, OSError) as error:
                _log.error("the configuration was not taken, the old one stays: %s", error)
                continue
            await service.stop(stopped)
            fresh.lens.counters.add(ready.lens.counters)
            _close(each for place, each in sockets.items() if place not in places)
            ready, sockets = fresh, places
            service = await _begun(ready, sockets)
            _log.info("the configuration was taken anew")
        _log.info("ending: what has been read is delivered first")
    finally:
        _close(sockets.values())  # first, so that shippers go elsewhere at once
        stopped.set()  # whatever the reason
        await service.stop(stopped)
    return ready


async def _begun(ready: Ready, sockets: Sockets) -> Service:
    service = Service(ready)
    await service.start(sockets)
    for line in lines_of(ready.config, ready.folder, _ports(ready, sockets)):
        _log.info("%s", line)
    # What is there by now stays to the end: the garbage collector need not go through it again and again.
    gc.freeze()
    return service


async def _made(reload: Callable[[], Ready], sockets: Sockets) -> tuple[Ready, Sockets]:
    """Make everything that a new configuration asks for. Raises ValueError, OSError."""
    fresh = await asyncio.get_running_loop().run_in_executor(None, reload)
    return fresh, _bound(fresh, sockets)


def _bound(ready: Ready, there: Sockets) -> dict[Place, socket.socket]:
    """Bind what the inputs listen at; what is bound already stays.

    Raises OSError, with nothing left bound.
    """
    made: dict[Place, socket.socket] = {}
    try:
        for place in _places(ready):
            if place not in there:
                made[place] = _listening(place)
    except OSError:
        _close(made.values())
        raise
    return {place: made.get(place) or there[place] for place in _places(ready)}


def _places(ready: Ready) -> list[Place]:
    return [given.place for given in ready.inputs if given.place is not None]


def _ports(ready: Ready, sockets: Sockets) -> list[int]:
    return [sockets[place].getsockname()[1] for place in _places(ready)]


def _listening_at(ready: Ready, sockets: Sockets) -> list[str]:
    """Give the addresses, with the ports that are really listened on."""
    hosts = [f"[{place.host}]" if ":" in place.host else place.host for place in _places(ready)]
    return [f"{host}:{port}" for host, port in zip(hosts, _ports(ready, sockets), strict=True)]


def _listening(place: Place) -> socket.socket:
    family = socket.AF_INET6 if ":" in place.host else socket.AF_INET
    try:
        return socket.create_server((place.host, place.port), family=family, backlog=1024)
    except OSError as error:
        why = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
        advice = "end what listens there, or name another port with 'listen'"
        raise OSError(f"cannot listen on {place.host}:{place.port}: {why}; {advice}") from error


def _close(sockets: Iterable[socket.socket]) -> None:
    for each in sockets:
        each.close()


def _asked() -> asyncio.Event:
    """Give what is set when the configuration is to be taken anew."""
    event = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, event.set)
    return event


def _ended() -> asyncio.Event:
    """Give what is set by the first signal to end; the second has its usual effect."""
    event, loop, numbers = asyncio.Event(), asyncio.get_running_loop(), (signal.SIGTERM, signal.SIGINT)

    def end() -> None:
        event.set()
        for number in numbers:
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)  # of SIGINT it would be a traceback

    for number in numbers:
        loop.add_signal_handler(number, end)
    return event


async def _first_of(*events: asyncio.Event) -> asyncio.Event:
    """Wait until one of the events is set, and give it; of several the first."""
    waiting = [asyncio.create_task(event.wait()) for event in events]
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()
    return next(event for event in events if event.is_set())
