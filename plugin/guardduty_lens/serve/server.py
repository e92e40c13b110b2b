"""A configuration at work: its inputs and outputs, from start to drained end."""

import asyncio
import gc
import logging
import signal
import ssl
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import msgspec

from guardduty_lens.cli.cluster import Cluster, ClusterSink
from guardduty_lens.cli.options import severity_scheme
from guardduty_lens.cli.sinks import FileSink, Sink
from guardduty_lens.inputs.forward import ForwardOptions, ForwardServer
from guardduty_lens.inputs.http import HttpInput, HttpOptions
from guardduty_lens.inputs.http_server import HttpServer
from guardduty_lens.lens import Lens
from guardduty_lens.opensearch.client import Connection
from guardduty_lens.opensearch.names import Names
from guardduty_lens.outputs.dead_letters import DeadLetters
from guardduty_lens.outputs.forms import whole
from guardduty_lens.payloads.pieces import Rejected
from guardduty_lens.protocols.forward import ReceiverLimits, Security
from guardduty_lens.record import Record
from guardduty_lens.serve.config import (
    LISTEN,
    Config,
    Input,
    Output,
    host_and_port,
    name_of,
    secret_of,
    tls_of,
)
from guardduty_lens.serve.metrics import prometheus_text
from guardduty_lens.serve.pipeline import Pipeline, Route

_MIB = 1024 * 1024
_log = logging.getLogger(__name__)


class HttpPlace(msgspec.Struct, frozen=True):
    """An http input: where it listens, by what certificate, and its options."""

    host: str
    port: int
    tls: ssl.SSLContext | None
    options: HttpOptions


class Ready(msgspec.Struct, frozen=True):
    """Everything that a configuration asks for, made and checked, and nothing of it begun."""

    lens: Lens
    routes: list[Route]
    inputs: list["ForwardOptions | HttpPlace"]
    dead_letters: DeadLetters
    wrapper_keys: list[str]
    asked_lens: Lens
    """Of the same fields, for what is only asked, and counts nowhere."""


def make_ready(config: Config, folder: Path) -> Ready:
    """Make what a configuration asks for; its paths are relative to `folder`.

    Raises ConfigError, CatalogueError, ExtractorError, ValueError.
    """
    lens, asked_lens = (
        Lens(
            fields=folder / config.fields if config.fields is not None else None,
            field_prefix=config.field_prefix,
            severity_scheme=severity_scheme(config.severity_scheme),
            wrapper_keys=config.wrapper_keys,
        )
        for _ in range(2)
    )
    dead_letters = DeadLetters(folder / config.dead_letters)
    routes = [
        Route(name_of(each, number), _opener(each, lens, dead_letters, folder), tuple(each.match or ("*",)))
        for number, each in enumerate(config.outputs)
    ]
    inputs = [_input(each, folder) for each in config.inputs]
    return Ready(lens, routes, inputs, dead_letters, config.wrapper_keys, asked_lens)


async def run(ready: Ready, started: Callable[[Sequence[int]], None] = lambda _: None) -> None:
    """Serve until SIGTERM or SIGINT; then take no more, deliver and acknowledge what was read, and end.

    `started` is told the ports, once all inputs listen. Raises OSError where one cannot listen.
    """
    # What is there by now stays to the end: the garbage collector need not go through it again and again.
    gc.freeze()
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    pipeline = Pipeline(ready.lens, ready.routes, ready.dead_letters, ready.wrapper_keys)
    pipeline.start()
    servers = _servers(ready, pipeline)
    try:
        started([await server.start() for server in servers])
        await stopped.wait()
        _log.info("ending: what has been read is delivered first")
    finally:
        await asyncio.gather(*(server.close() for server in servers))
        await pipeline.close()
        for name, counts in _counts(servers).items():
            _log.info("%s: %s", name, msgspec.json.encode(counts).decode())


def _servers(ready: Ready, pipeline: Pipeline) -> "list[ForwardServer | HttpServer]":
    servers: list[ForwardServer | HttpServer] = []

    def metrics() -> str:
        return prometheus_text(ready.lens.counters, _counts(servers))

    def enrich(raw: bytes) -> list[bytes]:
        found = list(ready.asked_lens.process(raw, "/filter"))
        rejected = next((item for item in found if isinstance(item, Rejected)), None)
        if rejected is not None:
            raise ValueError(rejected.message)
        return [item.to_json() for item in found if isinstance(item, Record)]

    for given in ready.inputs:
        if isinstance(given, ForwardOptions):
            servers.append(ForwardServer(given, pipeline.deliver))
        else:
            application = HttpInput(given.options, pipeline.deliver, enrich, metrics)
            servers.append(HttpServer(application, given.host, given.port, given.tls))
    return servers


def _counts(servers: "Sequence[ForwardServer | HttpServer]") -> dict[str, dict[str, int]]:
    """Give the counts of each input, by its number and type."""
    return {f"{number}-{server.kind}": server.counted() for number, server in enumerate(servers, 1)}


def _input(given: Input, folder: Path) -> ForwardOptions | HttpPlace:
    place = host_and_port(given.listen or LISTEN[given.type])
    assert place is not None  # the configuration was checked
    tls = tls_of(given.tls, folder) if given.tls is not None else None
    size = given.largest_message_mib * _MIB
    if given.type == "http":
        token = secret_of(given.token, "token", folder) if given.token is not None else None
        options = HttpOptions(
            token=token, largest_body=size, largest_unpacked=4 * size, tag=given.tag or "http"
        )
        return HttpPlace(*place, tls, options)
    security = None
    if given.shared_key is not None:
        security = Security(
            shared_key=secret_of(given.shared_key, "shared_key", folder),
            hostname=given.hostname,
            users={name: secret_of(each, f"user {name}", folder) for name, each in given.users.items()},
        )
    return ForwardOptions(
        host=place[0],
        port=place[1],
        security=security,
        tls=tls,
        connections=given.connections,
        limits=ReceiverLimits(message=size, unpacked=4 * size),
        idle_seconds=given.idle_seconds,
    )


def _opener(
    given: Output, lens: Lens, dead_letters: DeadLetters, folder: Path
) -> Callable[[], AbstractContextManager[Sink]]:
    if given.type == "file":
        path = folder / (given.path or "")
        return lambda: FileSink(path, whole, unbuffered=False, append=True)
    cluster = Cluster(
        connection=Connection(
            urls=tuple(given.url),
            user=given.user,
            password=secret_of(given.password, "password", folder) if given.password else None,
            token=secret_of(given.token, "token", folder) if given.token else None,
            aws_region=given.aws_region,
            aws_service=given.aws_service,
            ca=folder / given.ca if given.ca is not None else None,
        ),
        names=Names(given.index_prefix),
        state=given.state,
        flat=False,
        give_up_after=given.give_up_after_seconds,
    )
    return lambda: ClusterSink(cluster, lens, dead_letters)
