"""`guardduty-lens serve`: long running, between shippers and outputs."""

import asyncio
import ctypes
import logging
import os
import resource
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
import msgspec

from guardduty_lens.cli.main import EXIT_UNDELIVERED
from guardduty_lens.cli.summary import summary_text

if TYPE_CHECKING:
    from guardduty_lens.serve.ready import Ready

Result = TypeVar("Result")

# Of glibc's malloc.h.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_KEPT_BYTES = 64 * 1024 * 1024
_AGAIN = ", and where its records go: --to opensearch --url URL, or --output FILE"
_log = logging.getLogger(__name__)

_CHECKED = (
    "Sound. Checked: the file, extras, fields and filters, secrets, certificates, addresses to listen on, "
    "and that files can be written. Not checked: ports in use, and whether outputs and AWS can be reached."
)


@click.command("serve")
@click.option(
    "--config",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    required=True,
    help="The configuration: inputs, outputs, and where secrets are. docs/serve.md describes it.",
)
@click.option("--check", is_flag=True, help="Read the configuration, say what is wrong, and end.")
@click.option(
    "--log-format", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Of the log."
)
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning"]),
    default="info",
    show_default=True,
    help="Of the log.",
)
def command(config: Path, check: bool, log_format: str, log_level: str) -> None:
    """Take events from shippers, enrich them, and acknowledge them once every output has confirmed.

    SIGTERM ends it: what has been read is delivered and acknowledged first, as far as that is possible within
    six seconds; a second one ends it at once. SIGHUP takes the configuration anew, if all of it is sound.
    """
    from guardduty_lens.serve.checks import checked_config

    _log_to_standard_error(log_format, log_level)
    warn = None if check else _log.warning
    try:
        checked = checked_config(config, warn)  # first, since without its extras nothing else can be imported
        from guardduty_lens.serve.ready import Ready, make_ready
        from guardduty_lens.serve.server import run
        from guardduty_lens.serve.words import lines_of

        ready = make_ready(checked, config.parent)
    except ValueError as error:
        raise click.UsageError(f"{config} cannot be used:\n{error}") from error
    if check:
        for line in [*lines_of(checked, config.parent), _CHECKED]:
            click.echo(line)
        return

    def load() -> Ready:
        return make_ready(checked_config(config, warn), config.parent)

    _raise_limit_of_open_files()
    _keep_freed_memory()
    try:
        _runner()(_to_the_end(run(ready, load)))
    except OSError as error:
        click.echo(f"guardduty-lens: {error}", err=True)
        sys.exit(EXIT_UNDELIVERED)


async def _to_the_end(running: Coroutine[Any, Any, "Ready"]) -> None:
    """Serve, and print the summary."""
    ready = await running
    click.echo(summary_text(ready.lens.counters, ready.dead_letters.path, again=_AGAIN), err=True)
    if ready.trouble.is_abandoned:
        os._exit(0)  # else Python would wait for a thread that waits for an output


def _raise_limit_of_open_files() -> None:
    """Allow as many connections as the system does: the usual limit is made for other programs."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _keep_freed_memory() -> None:
    """Have glibc keep what a chunk took for the next one, instead of giving it back and faulting it in anew.

    That was a fifth of the time (`benchmarks/notes.md`). Elsewhere than on glibc it does nothing.
    """
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        libc.mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)
        libc.mallopt(_M_MMAP_THRESHOLD, _KEPT_BYTES // 2)


def _runner() -> Callable[[Coroutine[Any, Any, Result]], Result]:
    """Give what runs a coroutine: uvloop's, where it is installed."""
    try:
        import uvloop
    except ImportError:
        return asyncio.run
    run: Callable[[Coroutine[Any, Any, Result]], Result] = uvloop.run
    return run


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        return msgspec.json.encode(line).decode()


def _log_to_standard_error(form: str, level: str) -> None:
    handler = logging.StreamHandler()
    text = logging.Formatter("%(asctime)s %(levelname)s %(message)s")
    handler.setFormatter(_JsonLines() if form == "json" else text)
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    for name in ("opensearch", "urllib3", "asyncio"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    for name in ("uvicorn", "boto3", "botocore"):
        logging.getLogger(name).setLevel(logging.WARNING)
