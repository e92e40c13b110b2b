"""A server unpacked into a folder of its own, run as one process on loopback, and ended with all it wrote."""

import json
import os
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from servers.account import unprivileged
from servers.artifacts import Artifact, cached, obtain_all
from servers.client import CLUSTER_HEALTH, Client
from servers.failures import ServerError
from servers.java import obtain_java
from servers.modules import Module
from servers.process import Process, identify

_UP_SECONDS = 240.0
_STOP_SECONDS = 20.0
_TAIL = 6000  # characters of the log in an error
_HEAP = "-Xms512m -Xmx512m"
# What lives for minutes uses a fifth less of the processor without the second compiler, at start-up half.
_SHORT_LIVED = "-XX:TieredStopAtLevel=1"
_SUPPORT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Distribution:
    """What is to be run: the artifact, its program and settings file, and the prefix of its variables.

    `java` are the majors of Java that it runs on, `modules` what the artifact lacks. `prepare` is called with
    the unpacked home before the first start; the server is up when every path of `up_paths` answers 200.
    """

    artifact: Artifact
    program: str
    settings_file: str
    variables: str
    java: range
    modules: Sequence[Module] = ()
    settings: Mapping[str, object] = field(default_factory=dict)
    prepare: Callable[[Path], None] | None = None
    scheme: str = "http"
    up_paths: tuple[str, ...] = (CLUSTER_HEALTH,)


class Server:
    """A server on a free port, with data of its own: `start` waits until it answers, `stop` removes it.

    With `hours` 0 it lives no longer than this process. `connect` makes a client of a URL.
    """

    def __init__(
        self, distribution: Distribution, connect: Callable[[str], Client], *, hours: float = 0
    ) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=f"guardduty-lens-{distribution.artifact.name}-"))
        self.process: Process | None = None
        self._hours = hours
        self._popen: subprocess.Popen[bytes] | None = None
        self._watchdog: subprocess.Popen[bytes] | None = None
        self._distribution = distribution
        self._account = unprivileged()
        try:
            self._java = obtain_java(distribution.java)
            self._home = _put_together(distribution, self.folder)
            self._port, transport_port = _free_ports()
            self._configure(transport_port)
        except BaseException:
            shutil.rmtree(self.folder)
            raise
        self.url = f"{distribution.scheme}://127.0.0.1:{self._port}"
        self.client = connect(self.url)

    @property
    def log(self) -> Path:
        """What the server printed."""
        return self.folder / "server.log"

    def start(self) -> None:
        """Start it and wait until it answers; raises ServerError with the log's end if it does not."""
        try:
            self._launch()
            self._wait_until_up()
        except BaseException:
            self.stop()
            raise

    def kill(self) -> None:
        """Kill it at once, as a crash would; its data stay for `restart`."""
        assert self.process is not None, "not started"
        self.process.kill()
        self._reap()

    def restart(self) -> None:
        """Start it again after `kill`, on the same port and data."""
        assert self.process is None or not self.process.runs(), "still running"
        self.start()

    def stop(self) -> None:
        """End it and remove its folder; harmless if it is gone already."""
        if self.process is not None:
            self.process.end(_STOP_SECONDS)
        self._reap()
        if self._watchdog is not None:
            _dismiss(self._watchdog)
            self._watchdog = None
        shutil.rmtree(self.folder, ignore_errors=True)

    def leave(self) -> Process:
        """Leave it running after this process; the watchdog ends it when its hours are over."""
        assert self._hours, "only a server with hours of its own can be left"
        assert self.process is not None, "not started"
        for child in (self._popen, self._watchdog):
            if child is not None:
                child.returncode = 0  # nobody waits for it any more
        return self.process

    def _launch(self) -> None:
        options = _HEAP if self._hours else f"{_HEAP} {_SHORT_LIVED}"
        environment = {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "HOME": str(self.folder),
            f"{self._distribution.variables}_JAVA_HOME": str(self._java),
            f"{self._distribution.variables}_JAVA_OPTS": f"{options} -Duser.home={self.folder}",
        }
        number = self._account.number
        with self.log.open("ab") as log:
            self._popen = subprocess.Popen(
                [self._home / self._distribution.program],
                cwd=self._home,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=number,
                group=number,
                extra_groups=None if number is None else [],
            )
        self.process = identify(self._popen.pid)
        if self._watchdog is not None:
            _dismiss(self._watchdog)
        self._watchdog = _watch(self.process, self.folder, self._hours * 3600)

    def _wait_until_up(self) -> None:
        deadline = time.monotonic() + _UP_SECONDS
        while not self.client.is_up(*self._distribution.up_paths):
            assert self._popen is not None
            if self._popen.poll() is not None:
                raise ServerError(f"{self._distribution.program} ended: {self._tail()}")
            if time.monotonic() > deadline:
                raise ServerError(f"{self._distribution.program} not up in {_UP_SECONDS:g} s: {self._tail()}")
            time.sleep(0.25)

    def _tail(self) -> str:
        return self.log.read_text(errors="replace")[-_TAIL:]

    def _reap(self) -> None:
        if self._popen is not None:
            self._popen.wait()

    def _configure(self, transport_port: int) -> None:
        settings: dict[str, object] = {
            "cluster.name": self.folder.name,
            "node.name": "test",
            "discovery.type": "single-node",
            "network.host": "127.0.0.1",
            "http.port": self._port,
            "transport.port": transport_port,
            "path.data": str(self.folder / "data"),
            "path.logs": str(self.folder / "logs"),
            "cluster.routing.allocation.disk.threshold_enabled": False,
            **self._distribution.settings,
        }
        if self._distribution.prepare is not None:
            self._distribution.prepare(self._home)
        # JSON values are YAML values.
        lines = [f"{name}: {json.dumps(value)}\n" for name, value in settings.items()]
        (self._home / "config" / self._distribution.settings_file).write_text("".join(lines))
        self._account.own(self.folder)


def _put_together(distribution: Distribution, folder: Path) -> Path:
    jars = [jar for module in distribution.modules for jar in module.jars]
    obtain_all([distribution.artifact, *jars])
    home = _unpack(cached(distribution.artifact), folder)
    for module in distribution.modules:
        module.place(home, distribution.artifact.version)
    return home


def _unpack(archive: Path, folder: Path) -> Path:
    """Unpack with the modes that the zip records, which zipfile does not; the one folder inside."""
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(folder)
        for member in opened.infolist():
            mode = stat.S_IMODE(member.external_attr >> 16)
            if mode and not member.is_dir():
                (folder / member.filename).chmod(mode)
        return folder / opened.infolist()[0].filename.split("/")[0]


def _free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as other:
        for each in (one, other):
            each.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]


def _watch(server: Process, folder: Path, seconds: float) -> subprocess.Popen[bytes]:
    arguments = [str(server.pid), str(server.started), str(folder), str(seconds)]
    return subprocess.Popen(
        [sys.executable, "-m", "servers.watchdog", *arguments],
        env={**os.environ, "PYTHONPATH": str(_SUPPORT)},
        stdin=subprocess.DEVNULL if seconds else subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C at a terminal must not end the watchdog before its server
    )


def _dismiss(watchdog: subprocess.Popen[bytes]) -> None:
    """End a watchdog without letting it act."""
    watchdog.kill()
    watchdog.wait()
    if watchdog.stdin is not None:
        watchdog.stdin.close()
