"""`python -m servers start` and `stop`: the OpenSearch of `make opensearch`, one a cache folder."""

import json
import sys
from pathlib import Path

from servers.cache import cache_folder
from servers.client import Client
from servers.failures import ServerError
from servers.opensearch import PLAIN
from servers.process import Process
from servers.server import Server

_HOURS = 12.0
_GRACE_SECONDS = 20.0


def start() -> None:
    """Start it unless it runs already, and print its URL as the last line."""
    running = _recorded()
    if running is not None and running[0].runs():
        print("already running")
        print(running[1])
        return
    print("starting OpenSearch (the first time downloads 160 MB)", flush=True)
    server = Server(PLAIN, Client, hours=_HOURS)
    server.start()
    process = server.leave()
    record = {"pid": process.pid, "started": process.started, "url": server.url}
    _record_file().write_text(json.dumps(record))
    print(f"`make opensearch-stop` ends it; by itself it ends after {_HOURS:g} hours, with its data")
    print(server.url)


def stop() -> None:
    """End the server that `start` started; its watchdog then removes its folder."""
    running = _recorded()
    _record_file().unlink(missing_ok=True)
    if running is None or not running[0].runs():
        print("not running")
        return
    running[0].end(_GRACE_SECONDS)
    print("stopped")


def _record_file() -> Path:
    return cache_folder() / "opensearch.json"


def _recorded() -> tuple[Process, str] | None:
    try:
        record = json.loads(_record_file().read_text())
    except FileNotFoundError:
        return None
    return Process(record["pid"], record["started"]), record["url"]


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
