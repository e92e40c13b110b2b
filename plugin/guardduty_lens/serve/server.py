"""A configuration at work: its inputs and outputs, from start to drained end."""

import asyncio
import gc
import logging
import signal
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import msgspec

from guardduty_lens.cli.cluster import Cluster, ClusterSink
from guardduty_lens.cli.options import severity_scheme
from guardduty_lens.cli.sinks import FileSink, Sink
from guardduty_lens.inputs.forward import ForwardOptions, ForwardServer
from guardduty_lens.lens import Lens
from guardduty_lens.opensearch.client import Connection
from guardduty_lens.opensearch.names import Names
from guardduty_lens.outputs.dead_letters import DeadLetters
from guardduty_lens.outputs.forms import whole
from guardduty_lens.protocols.forward import ReceiverLimits, Security
from guardduty_lens.serve.config import (
    Config,
    Input,
    Output,
    host_and_port,
    name_of,
    secret_of,
    tls_of,
)
from guardduty_lens.serve.pipeline import Pipeline, Route

_MIB = 1024 * 1024
_log = logging.getLogger(__name__)


class Ready(msgspec.Struct, frozen=True):
    """Everything that a configuration asks for, made and checked, and nothing of it begun."""

    lens: Lens
    routes: list[Route]
    inputs: list[ForwardOptions]
    dead_letters: DeadLetters
    wrapper_keys: list[str]


def make_ready(config: Config, folder: Path) -> Ready:
    """Make what a configuration asks for; its paths are relative to `folder`.

    Raises ConfigError, CatalogueError, ExtractorError, ValueError.
    """
    lens = Lens(
        fields=folder / config.fields if config.fields is not None else None,
        field_prefix=config.field_prefix,
        severity_scheme=severity_scheme(config.severity_scheme),
        wrapper_keys=config.wrapper_keys,
    )
    dead_letters = DeadLetters(folder / config.dead_letters)
    routes = [
        Route(name_of(each, number), _opener(each, lens, dead_letters, folder), tuple(each.match or ("*",)))
        for number, each in enumerate(config.outputs)
    ]
    return Ready(
        lens, routes, [_forward(each, folder) for each in config.inputs], dead_letters, config.wrapper_keys
    )


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
    servers = [ForwardServer(options, pipeline.deliver) for options in ready.inputs]
    try:
        started([await server.start() for server in servers])
        await stopped.wait()
        _log.info("ending: what has been read is delivered first")
    finally:
        await asyncio.gather(*(server.close() for server in servers))
        await pipeline.close()
        for server in servers:
            _log.info("forward: %s", msgspec.json.encode(server.counts).decode())


def _forward(given: Input, folder: Path) -> ForwardOptions:
    place = host_and_port(given.listen)
    assert place is not None  # the configuration was checked
    security = None
    if given.shared_key is not None:
        security = Security(
            shared_key=secret_of(given.shared_key, "shared_key", folder),
            hostname=given.hostname,
            users={name: secret_of(each, f"user {name}", folder) for name, each in given.users.items()},
        )
    size = given.largest_message_mib * _MIB
    return ForwardOptions(
        host=place[0],
        port=place[1],
        security=security,
        tls=tls_of(given.tls, folder) if given.tls is not None else None,
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
