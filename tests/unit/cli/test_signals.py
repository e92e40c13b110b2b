"""Commands that are ended by a signal: what was read is delivered and counted, and the exit code says it."""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest
from command_line import COMMAND, json_lines
from faulty_cluster import Cut, Stall, faulty_cluster
from finding_events import EVENT, compact

from guardduty_lens.cli import signals

GOOD = compact(EVENT) + b"\n"
ENDS = [(signal.SIGINT, 130), (signal.SIGTERM, 143)]
IDS = ["SIGINT", "SIGTERM"]
DONE = b": what was read until then was worked on to its end\n"


@contextmanager
def started(folder, *arguments, prepare=signal.SIG_DFL, command=COMMAND):
    """Start a command that heeds SIGINT, or does not, whatever is so where the tests run."""
    with subprocess.Popen(
        [*command, *map(str, arguments)],
        cwd=folder,
        bufsize=0,  # so that what readline leaves is there for communicate
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, prepare),
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def given(process, data):
    process.stdin.write(data)
    process.stdin.flush()


@pytest.mark.parametrize(("number", "code"), ENDS, ids=IDS)
def test_what_was_read_is_written_counted_and_summed_up(tmp_path, number, code):
    with started(tmp_path, "filter", "--summary", "s.json") as process:
        given(process, GOOD + b"nonsense\n" + GOOD + b'{"half a val')
        assert process.stdout.readline()
        assert process.stdout.readline()
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (code, b"")
    assert err.startswith(b"guardduty-lens: ended by " + number.name.encode() + DONE)
    assert b"\n3 payloads, 3 events: 2 records, 0 filtered, 1 rejected, 0 control\n" in err
    assert b"Traceback" not in err
    assert len(json_lines((tmp_path / "guardduty-lens-dead-letters.jsonl").read_bytes())) == 1
    assert (tmp_path / "s.json").read_bytes().startswith(b'{\n  "payloads": 3,')


@pytest.mark.parametrize("options", [(), ("--workers", 3)], ids=["one process", "workers"])
@pytest.mark.parametrize(("number", "code"), ENDS, ids=IDS)
def test_records_in_the_output_are_those_counted(tmp_path, samples, number, code, options):
    (tmp_path / "big.jsonl").write_bytes(samples.read_bytes() * 500)
    with started(tmp_path, "filter", "big.jsonl", "--summary", "s.json", *options) as process:
        assert process.stdout.readline()
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    assert process.returncode == code, err
    written = 1 + len(json_lines(out))
    assert f": {written:,} records, ".encode() in err
    assert written < 40 * 500
    assert b"Traceback" not in err
    assert b"may not have been written" not in err


def test_a_group_of_processes_is_told_as_a_terminal_and_systemd_do(tmp_path, samples):
    (tmp_path / "big.jsonl").write_bytes(samples.read_bytes() * 500)
    for number, code in ENDS:
        line = [*COMMAND, "filter", "big.jsonl", "--workers", "2"]
        with subprocess.Popen(
            line,
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        ) as process:
            assert process.stdout.readline()
            os.killpg(process.pid, number)
            out, err = process.communicate(timeout=60)
        assert process.returncode == code
        assert f": {1 + len(json_lines(out)):,} records, ".encode() in err


def test_sigint_that_was_ignored_stays_so(tmp_path):
    with started(tmp_path, "filter", prepare=signal.SIG_IGN) as process:
        given(process, GOOD)
        assert process.stdout.readline()
        process.send_signal(signal.SIGINT)
        given(process, GOOD)
        assert process.stdout.readline()
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, b"")
    assert err.startswith(b"2 payloads, 2 events: 2 records")


def test_an_output_that_nobody_reads_does_not_hold_it_up(tmp_path, samples, monkeypatch):
    (tmp_path / "big.jsonl").write_bytes(samples.read_bytes() * 50)
    quick = "import guardduty_lens.cli.signals as s; s.PATIENCE_SECONDS = 0.5; "
    command = (sys.executable, "-c", quick + COMMAND[2])
    with started(tmp_path, "filter", "big.jsonl", command=command) as process:
        assert process.stdout.readline()
        time.sleep(0.5)  # by then the pipe is full
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 143
        err = process.stderr.read()
    assert err.startswith(
        b"guardduty-lens: ended by SIGTERM: "
        b"what was read until then could not be written to its end in time\n"
    )
    assert b"\n  some of these records may not have been written\n" in err
    assert b"Traceback" not in err


def test_a_second_signal_ends_it_at_once(tmp_path, samples):
    (tmp_path / "big.jsonl").write_bytes(samples.read_bytes() * 50)
    with started(tmp_path, "filter", "big.jsonl") as process:
        assert process.stdout.readline()
        time.sleep(0.5)
        process.send_signal(signal.SIGTERM)
        time.sleep(0.2)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=signals.PATIENCE_SECONDS - 1) == -signal.SIGTERM


def test_a_cluster_that_does_not_answer_is_not_waited_for(tmp_path):
    def choose(lines):
        return Cut() if lines != [b""] else None

    with (
        faulty_cluster(lambda _, lines: choose(lines)) as cluster,
        started(tmp_path, "filter", "--to", "opensearch", "--url", cluster.url) as process,
    ):
        given(process, GOOD)
        deadline = time.monotonic() + 30
        while not cluster.requests and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"1 records were not confirmed" in err
    assert b"; run it again: in a cluster nothing is doubled\n" in err
    assert b": 0 records, 0 filtered, 0 rejected, 0 control, 1 not confirmed\n" in err
    assert b"Traceback" not in err


@pytest.mark.parametrize(("number", "code"), ENDS, ids=IDS)
def test_a_request_that_is_never_answered_does_not_hold_it_up(tmp_path, number, code):
    (tmp_path / "in.jsonl").write_bytes(GOOD * 1400)
    with (
        faulty_cluster(lambda turn, _: Stall(100) if turn > 2 else None) as cluster,
        started(tmp_path, "filter", "in.jsonl", "--to", "opensearch", "--url", cluster.url) as process,
    ):
        until(lambda: len(cluster.requests) == 6)  # the last of which is sent once all is read
        process.send_signal(number)
        signalled = time.monotonic()
        _, err = process.communicate(timeout=60)
        took = time.monotonic() - signalled
        sent = len(cluster.requests)
    assert process.returncode == code
    assert took < signals.PATIENCE_SECONDS + 3
    assert err.splitlines()[:2] == [
        f"guardduty-lens: ended by {number.name}: "
        "what was read until then could not be written to its end in time; "
        "run it again: in a cluster nothing is doubled".encode(),
        b"1,400 payloads, 1,400 events: 500 records, 0 filtered, 0 rejected, 0 control, 900 not confirmed",
    ]
    assert b"may not have been written" not in err  # since each is known
    assert b"Traceback" not in err
    assert sent == 6  # the records, and no counters


def test_a_child_whose_request_is_never_answered_ends_at_once(tmp_path):
    options = ("--protocol", "rsyslog-omprog", "--to", "opensearch")
    with (
        faulty_cluster(lambda *_: Stall(100)) as cluster,
        started(tmp_path, "filter", *options, "--url", cluster.url) as process,
    ):
        assert process.stdout.readline() == b"OK\n"
        given(process, GOOD)
        until(lambda: bool(cluster.requests))
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=signals.PATIENCE_SECONDS)
    assert (process.returncode, out, err) == (143, b"", b"")


def until(condition):
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize(
    "line", [["-m", "guardduty_lens"], ["-c", "from guardduty_lens.cli.start import main; main()"]]
)
def test_sigint_while_it_is_imported_says_nothing(tmp_path, line):
    # A module that is slow, in the place of one that the command imports first.
    (tmp_path / "click.py").write_text("import time\nprint('importing', flush=True)\ntime.sleep(60)\n")
    slow = ["-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {line[1]}"]
    with started(
        tmp_path, "filter", command=[sys.executable, *(slow if line[0] == "-c" else line)]
    ) as process:
        assert process.stdout.readline() == b"importing\n"
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=30) == (b"", b"")
    assert process.returncode == 130


def test_what_was_not_begun_was_not_worked_on_to_its_end(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and nobody listens
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with started(tmp_path, "filter", "--to", "opensearch", "--url", url) as process:
            assert b"tried again" in process.stderr.readline()
            process.send_signal(signal.SIGINT)
            given(process, GOOD)
            _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    said = b"nothing had been read yet; run it again: in a cluster nothing is doubled\n"
    assert b"guardduty-lens: ended by SIGINT: " + said in err


def test_a_limited_rate_is_not_waited_for(tmp_path):
    (tmp_path / "a.json").write_bytes(GOOD * 3)
    with started(tmp_path, "replay", "a.json", "--rate", 0.01) as process:
        assert process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 143
    assert out.count(b"\n") == 2
    assert b": 3 records, " in err


@pytest.mark.parametrize(("number", "code"), ENDS, ids=IDS)
def test_a_report_that_is_ended_leaves_no_page(tmp_path, number, code):
    os.mkfifo(tmp_path / "fifo")
    with started(tmp_path, "report", "fifo") as process, (tmp_path / "fifo").open("wb") as fifo:
        fifo.write(GOOD)
        fifo.flush()
        time.sleep(0.5)
        process.send_signal(number)
        _, err = process.communicate(timeout=60)
    assert process.returncode == code
    assert b": 1 record, " in err
    assert err.endswith(b"guardduty-lens: report.html was not written\n")
    assert not (tmp_path / "report.html").exists()


@pytest.mark.parametrize(("number", "code"), ENDS, ids=IDS)
@pytest.mark.parametrize(
    ("line", "says"),
    [
        (["sample", "-n", "100000000"], True),
        (["filter", "--protocol", "jsonl"], False),  # rsyslog reads what it says as answers
    ],
    ids=["sample", "child"],
)
def test_other_commands_end_where_they_are(tmp_path, line, says, number, code):
    with started(tmp_path, *line) as process:
        if "--protocol" in line:
            given(process, GOOD)
        assert process.stdout.readline()
        process.send_signal(number)
        _, err = process.communicate(timeout=60)
    assert process.returncode == code
    assert err == (f"guardduty-lens: ended by {number.name}\n".encode() if says else b"")
