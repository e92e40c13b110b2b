"""`python -m servers start` and `stop`: the OpenSearch of `make opensearch`, one a cache folder."""

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from servers.cache import cache_folder
from servers.client import Client
from servers.failures import ServerError
from servers.lines import VARIABLE, chosen_line
from servers.opensearch import distribution
from servers.process import Process
from servers.server import Server

_HOURS = 12.0
_GRACE_SECONDS = 20.0


@dataclass(frozen=True)
class Running:
    """What was started: its process, URL and version."""

    process: Process
    url: str
    version: str


def start() -> None:
    """Start it unless it runs already, and print its URL as the last line."""
    running = _running()
    if running is not None:
        _must_be_asked_for(running)
        print(f"OpenSearch {running.version} runs already")
        print(running.url)
        return
    line = chosen_line()
    print(f"starting OpenSearch {line.version}", flush=True)
    server = Server(distribution(line), Client, hours=_HOURS)
    server.start()
    process = server.leave()
    record = {"pid": process.pid, "started": process.started, "url": server.url, "version": line.version}
    _record_file().write_text(json.dumps(record))
    print(f"`make opensearch-stop` ends it; by itself it ends after {_HOURS:g} hours, with its data")
    print(server.url)


def _must_be_asked_for(running: Running) -> None:
    if os.environ.get(VARIABLE) and chosen_line().version != running.version:
        raise ServerError(f"OpenSearch {running.version} runs already: `make opensearch-stop` ends it")


def stop() -> None:
    """End the server that `start` started; its watchdog then removes its folder."""
    running = _running()
    _record_file().unlink(missing_ok=True)
    if running is None:
        print("not running")
        return
    running.process.end(_GRACE_SECONDS)
    print("stopped")


def _record_file() -> Path:
    return cache_folder() / "opensearch.json"


def _running() -> Running | None:
    try:
        record = json.loads(_record_file().read_text())
    except FileNotFoundError:
        return None
    process = Process(record["pid"], record["started"])
    # What 0.1.0 started has no version in its record.
    version = record.get("version", "3.8.0")
    return Running(process, record["url"], version) if process.runs() else None


def main(arguments: list[str]) -> int:
    """Exit status: 0 done, 1 the server can't be had, 2 wrong usage."""
    commands = {"start": start, "stop": stop}
    if len(arguments) != 1 or arguments[0] not in commands:
        print("usage: python -m servers start|stop", file=sys.stderr)
        return 2
    try:
        commands[arguments[0]]()
    except ServerError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
