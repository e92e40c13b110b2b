"""README and docs work as written: each fenced command is run as a reader would, or says why it is not."""

import json
import re
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from counted_findings import UPDATES
from dashboards_server import dashboards_stand_in
from documents import ROOT, SHELL, Block, Command, blocks, documents, outside
from forward_client import ForwardClient
from http_json import Server
from programs import program as installed
from reader import Daemon, Reader, free_port

DOCUMENTS = documents()
BLOCKS = {path: list(blocks(path)) for path in DOCUMENTS}
NAMES = {path: str(path.relative_to(ROOT)) for path in DOCUMENTS}
FINDING = UPDATES[0]
FINDING_ID = FINDING["detail"]["id"]
OUR_INDICES = "guarddutylogs*,guardduty-*"

# Why a block may be left alone, and what each of its commands must have: none hides behind another's reason.
REASONS = {
    "needs an AWS account": r"\baws |s3://|https://DOMAIN",
    "needs an AWS account and Docker": r"docker|http://127\.0\.0\.1:8080",
    "needs a cluster with users": r"GUARDDUTY_LENS_PASSWORD|--user ",
    "needs Fluent Bit": r"^fluent-bit ",
    "needs Fluentd": r"^fluentd ",
    "needs a Coralogix account": r"coralogix",
    "needs Spark (make test-spark)": r"spark",
    "fetches wheels for Lambda": r"^make lambda\b",
    "CI runs it on a bare Debian": r"^make (demo|test)\b",
}

# Programs that may be missing, and the packages that have them.
PROGRAMS = {"curl": "curl", "rsyslogd": "rsyslog", "syslog-ng": "syslog-ng-core syslog-ng-mod-python"}


class Here(NamedTuple):
    """This machine's addresses, in place of those in the documents."""

    opensearch: str
    dashboards: str
    logs: Path
    forward: int
    http: int
    syslog: int

    @property
    def replaced(self) -> dict[str, str]:
        return {
            "http://127.0.0.1:9200": self.opensearch,
            "http://127.0.0.1:5601": self.dashboards,
            "/var/log/": f"{self.logs}/",
            "127.0.0.1:24224": f"127.0.0.1:{self.forward}",
            "127.0.0.1:9880": f"127.0.0.1:{self.http}",
            "10514": str(self.syslog),
        }


@pytest.fixture(scope="module")
def cluster(opensearch_url: str) -> str:
    """A cluster with nothing of ours in it, since the documents use the default names, and take away all."""
    assert _ours(opensearch_url) == [], f"{opensearch_url} has indices of ours: this test would delete them"
    return opensearch_url


def _ours(url: str) -> list[str]:
    found = Server(url).expect("GET", f"_cat/indices/{OUR_INDICES}?format=json")
    return [index["index"] for index in found]


@pytest.fixture
def here(cluster: str, tmp_path: Path) -> Iterator[Here]:
    logs = tmp_path / "log"
    logs.mkdir()
    with dashboards_stand_in() as dashboards:
        yield Here(cluster, dashboards.url, logs, free_port(), free_port(), free_port())


@pytest.fixture
def reader(here: Here, tmp_path: Path) -> Iterator[Reader]:
    reader = Reader(tmp_path, here.replaced)
    yield reader
    text = f"guardduty-lens uninstall --url {here.opensearch} --with-data --yes"
    reader.run(Command(ROOT / "README.md", 0, text))
    assert _ours(here.opensearch) == []


def program(command: Command) -> str | None:
    """Give which of the programs that may be missing a command runs."""
    found = re.search(rf"(?:^|[ |]){'|'.join(f'({name}) ' for name in PROGRAMS)}", command.text)
    return next((name for name in found.groups() if name), None) if found else None


def shell_blocks() -> list[Block]:
    return [block for path in DOCUMENTS for block in BLOCKS[path] if block.language in SHELL]


# --- daemons: each is up, takes one finding, and ends in order -----------------------------------------


def _found(here: Here) -> bool:
    server = Server(here.opensearch)
    server.expect("POST", "guarddutylogs-*/_refresh")
    query = {"query": {"term": {"finding_id.keyword": FINDING_ID}}, "size": 1}
    return bool(server.expect("POST", "guarddutylogs-*/_search", query)["hits"]["hits"])


def _by_forward(reader: Reader, here: Here, daemon: Daemon) -> None:
    daemon.wait_for(here.forward)
    client = ForwardClient(here.forward, key=reader.variable("GUARDDUTY_LENS_SHARED_KEY"))
    client.entries("aws.guardduty", [FINDING], "chunk")
    assert client.confirmed() == "chunk"
    client.close()
    assert _found(here)


def _by_http(reader: Reader, here: Here, daemon: Daemon) -> None:
    daemon.wait_for(here.http)
    headers = {
        "authorization": f"Bearer {reader.variable('LENS_TOKEN')}",
        "content-type": "application/json",
    }
    request = urllib.request.Request(
        f"http://127.0.0.1:{here.http}/", json.dumps(FINDING).encode(), headers, method="POST"
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert answer.status == 200
    assert _found(here)


def _by_tcp(here: Here, daemon: Daemon, before: str, file: str) -> None:
    daemon.wait_for(here.syslog)
    with socket.create_connection(("127.0.0.1", here.syslog), timeout=30) as connection:
        connection.sendall(f"{before}{json.dumps(FINDING)}\n".encode())
    path, end = here.logs / file, time.monotonic() + 60
    while not path.exists() or not path.read_text().endswith("\n"):
        assert daemon.process.poll() is None, daemon.said
        assert time.monotonic() < end, daemon.said
        time.sleep(0.05)
    [record] = [json.loads(line) for line in path.read_text().splitlines()]
    assert record["finding_id"] == FINDING_ID
    path.unlink()
    assert "invalid reply" not in daemon.said


def _by_rsyslog(reader: Reader, here: Here, daemon: Daemon) -> None:
    _by_tcp(here, daemon, "<14>1 2025-03-01T00:00:00Z host guardduty - - - ", "guardduty-enriched.jsonl")


def _by_syslog_ng(reader: Reader, here: Here, daemon: Daemon) -> None:
    _by_tcp(here, daemon, "", "guardduty-records.jsonl")


DAEMONS: dict[str, Callable[[Reader, Here, Daemon], None]] = {
    r"serve --config pipelines/(fluent-bit|fluentd)/lens\.yml(?! --check)": _by_forward,
    r"serve --config pipelines/logstash/lens\.yml(?! --check)": _by_http,
    r"^rsyslogd -n ": _by_rsyslog,
    r"syslog-ng -F ": _by_syslog_ng,
}


def daemon_check(command: Command) -> Callable[[Reader, Here, Daemon], None] | None:
    return next((check for pattern, check in DAEMONS.items() if re.search(pattern, command.text)), None)


# --- every command of every document -------------------------------------------------------------------


@pytest.mark.parametrize("path", [path for path in DOCUMENTS if BLOCKS[path]], ids=lambda path: NAMES[path])
def test_commands_work_as_written(path: Path, request: pytest.FixtureRequest) -> None:
    todo = [block for block in BLOCKS[path] if block.file or _is_run(block)]
    if not todo:
        return  # all of it is samples, or marked with why not: looked at below
    reader, here = request.getfixturevalue("reader"), request.getfixturevalue("here")
    running: list[Daemon] = []
    try:
        for block in todo:
            if block.file:
                reader.write(block.file, block.text)
            elif block.language == "python":
                reader.write("sample.py", block.text)
                reader.run(Command(path, block.line, "python sample.py"))
            else:
                _run_all(block, reader, here, running)
    finally:
        codes = [daemon.stop() for daemon in running]
    assert codes == [0] * len(codes)


def _is_run(block: Block) -> bool:
    return block.language == "python" or (block.language in SHELL and block.not_run is None)


def _run_all(block: Block, reader: Reader, here: Here, running: list[Daemon]) -> None:
    """Run a block's commands, one after the other; what ends with `&` runs on beside the others."""
    for command in block.commands():
        needed = program(command)
        if needed and not shutil.which(needed):
            continue  # told by test_programs_are_here
        check = daemon_check(command)
        if check is None:
            reader.run(command)
            continue
        daemon = reader.start(command)
        running.append(daemon)
        check(reader, here, daemon)
        if not command.text.split(" # ")[0].rstrip().endswith("&"):
            assert running.pop().stop() == 0, f"{command.place}: {daemon.said}"


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_are_here(name: str) -> None:
    places = [each.place for block in shell_blocks() for each in block.commands() if program(each) == name]
    assert places, f"no document runs {name}: take it out of PROGRAMS"
    installed(name, PROGRAMS[name])


# --- what is not run says why --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "block", [block for block in shell_blocks() if block.not_run], ids=lambda each: each.place
)
def test_reasons_are_known_and_needed(block: Block) -> None:
    assert block.not_run in REASONS, f"{block.place}: {block.not_run!r} is no reason of the list"
    for command in block.commands():
        assert re.search(REASONS[block.not_run], command.text), f"{command.place}: this could be run"


def test_every_reason_is_used() -> None:
    assert REASONS.keys() == {block.not_run for block in shell_blocks() if block.not_run}


def test_there_is_something_to_run() -> None:
    commands = [each for block in shell_blocks() if not block.not_run for each in block.commands()]
    assert len(commands) >= 60


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: NAMES[path])
def test_commands_are_in_fenced_blocks(path: Path) -> None:
    """Indented, they would be run by nobody."""
    for number, line in outside(path):
        typed = re.match(r"(?: {4}|\t)\s*(?:\$ |export |[A-Z_]+=\S* )*(?P<name>[a-z][\w.-]*) ", line)
        if typed and (typed["name"].startswith("guardduty-lens") or shutil.which(typed["name"])):
            raise AssertionError(f"{NAMES[path]}:{number}: put it into a fenced block: {line.strip()}")


def test_languages_of_blocks_are_known() -> None:
    """A command in a block of another language would be taken for a sample."""
    samples = {"json", "yaml", "python", "groovy"}
    for path in DOCUMENTS:
        for block in BLOCKS[path]:
            assert block.language in SHELL | samples, f"{block.place}: ```{block.language}"
            if block.language == "console":
                assert block.commands(), f"{block.place}: no line begins with `$ `"


# --- what is installed -----------------------------------------------------------------------------------


def test_nothing_is_installed_by_a_name_that_anyone_could_claim() -> None:
    """The package is on no registry: `.` in the checkout, or a wheel by its URL."""
    line = ["git", "ls-files", "README.md", "CONTRIBUTING.md", "docs", "plugin", "pipelines", "examples"]
    names = subprocess.run(line, cwd=ROOT, capture_output=True, check=True, text=True).stdout.splitlines()
    assert len(names) > 50
    by_name = re.compile(
        rb"guardduty-lens\[(?![\w,]+\] @ )|pip install (?:-\S+ )*['\"]?guardduty[-_]lens(?![\w./-])"
    )
    for name in names:
        for number, text in enumerate((ROOT / name).read_bytes().splitlines(), 1):
            assert not by_name.search(text), f"{name}:{number}: {text.decode()}"
