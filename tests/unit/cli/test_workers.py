"""`--workers`: whatever the input, several processes give the bytes that one gives."""

import functools
import gzip
import json
import os
import signal
import subprocess
import threading
from itertools import pairwise
from pathlib import Path

import pytest
from command_line import COMMAND, json_lines
from finding_events import EVENT, compact, event
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from guardduty_lens.cli import run, workers
from guardduty_lens.cli.workers import (
    Outputs,
    Range,
    WorkerError,
    ranges_of,
    run_workers,
    why_alone,
)
from guardduty_lens.counters import Counters
from guardduty_lens.inputs.files import Unread
from guardduty_lens.lens import Lens
from guardduty_lens.outputs.dead_letters import DeadLetters
from guardduty_lens.outputs.forms import whole
from guardduty_lens.payloads.pieces import Rejected

GOOD = compact(EVENT)
SMALL = compact({"type": "Recon:EC2/Portscan", "id": "f1", "severity": 5, "service": {}})
LENS = Lens(extractors=())


@pytest.fixture(autouse=True)
def no_hang():
    """Fail a test that waits for ever."""

    def give_up(*_):
        raise TimeoutError("workers did not end")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(120)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def indented(value):
    return json.dumps(value, indent=2).encode()


def several(count):
    return [compact(event({"service": {"count": number}})) for number in range(count)]


# --- one worker against several, in this process --------------------------------------------------


def given_by_one(sources, folder, form=whole):
    """The output, dead letters and summary of one worker."""
    LENS.counters = Counters()
    written, letters = bytearray(), folder / "one-dead.jsonl"
    letters.unlink(missing_ok=True)
    with DeadLetters(letters) as dead_letters:
        for source in sources:
            for item in LENS.stream([source.read_bytes()], str(source)):
                if isinstance(item, Rejected):
                    dead_letters.write(item)
                else:
                    form(item, written)
                    written += b"\n"
    return bytes(written), letters.read_bytes() if letters.exists() else b"", LENS.counters.summary()


def given_by_several(sources, folder, count, size, form=whole):
    """The same of several, on ranges of about `size` bytes."""
    LENS.counters = Counters()
    output, letters = folder / "several.jsonl", folder / "several-dead.jsonl"
    letters.unlink(missing_ok=True)
    with DeadLetters(letters) as dead_letters, output.open("wb", buffering=0) as file:
        run_workers(LENS, ranges_of(sources, size), count, Outputs(form, file.write, dead_letters.write))
    return output.read_bytes(), letters.read_bytes() if letters.exists() else b"", LENS.counters.summary()


def same_from_both(folder, *contents, count=2, size=50):
    """Tell that one and several give the same of files of these contents; give the dead letters."""
    sources = [folder / f"in{number}.log" for number in range(len(contents))]
    for source, content in zip(sources, contents, strict=True):
        source.write_bytes(content)
    one = given_by_one(sources, folder)
    assert given_by_several(sources, folder, count, size) == one
    return json_lines(one[1])


CONTENTS = {
    "lines": b"\n".join(several(9)) + b"\n",
    "no line break at the end": b"\n".join(several(9)),
    "carriage returns": b"\r\n".join(several(9)) + b"\r\n",
    "byte order mark": b"\xef\xbb\xbf" + b"\n".join(several(9)),
    "blank lines": b"\n\n \n".join(several(9)) + b"\n\n\n",
    "values over many lines": b"\n".join(indented(EVENT) for _ in range(5)),
    "an array over many lines": indented([EVENT] * 5),
    "an array, an element a line": b"[\n" + b",\n".join(several(9)) + b"\n]\n" + GOOD,
    "arrays that are not closed": b"[\n" + b",\n".join(several(5)) + b"\n[\n" + b",\n".join(several(5)),
    "garbage": b"\n".join([b"no JSON", *several(3), b"{]", b"}}}", *several(3), b"17", b'"text"', b"{"]),
    "cut short": b"\n".join(line[:cut] for cut, line in enumerate(several(40), start=len(GOOD) - 30)),
    "objects that are not closed": b'{"a": [\n{"b": [\n' + b"\n".join(several(5)),
    "braces on lines of their own": b"{\n" * 20 + b"}\n" * 20 + GOOD,
    "nothing between": b"".join(several(9)),
    "many on a line": b"\n".join([b" ".join(several(3))] * 4),
    "commas behind": b",\n".join(several(9)),
    "indented lines": b"\n".join(b"  " + line for line in several(9)),
    "bytes that are no text": b"\n".join([*several(3), b'{"a": "\xff"}', b"\xfe\xff", *several(3)]),
    "a very long line": b"x" * 300_000 + b"\n" + b"\n".join(several(3)),
    "line breaks alone": b"\n" * 500,
}


@pytest.mark.parametrize("size", [50, 700, 5_000])
@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
def test_several_workers_give_what_one_gives(tmp_path, content, size):
    same_from_both(tmp_path, content, count=3, size=size)


def test_files_are_taken_in_order_and_end_what_is_open(tmp_path):
    contents = [b"", GOOD, b"", b'{"open": [\n' + SMALL, GOOD + b"\n" + GOOD, b"\n", b"[" + SMALL, b"", SMALL]
    same_from_both(tmp_path, *contents, count=4)
    same_from_both(tmp_path, *contents[::-1], count=2, size=700)


def test_files_without_content(tmp_path):
    assert same_from_both(tmp_path, b"", b"") == []


def test_a_file_that_is_given_twice(tmp_path):
    source = tmp_path / "in.log"
    source.write_bytes(b"\n".join([*several(3), b"nonsense"]))
    assert given_by_several([source, source], tmp_path, 2, 50) == given_by_one([source, source], tmp_path)


def test_dead_letters_say_where(tmp_path):
    lines = [*several(6), indented({"a": [1, 2]}), b"nonsense", *several(6), b'{"cut', GOOD]
    content = b"\n".join(lines)
    letters = same_from_both(tmp_path, SMALL, content, count=3)
    lines_before = 6 + indented({"a": [1, 2]}).count(b"\n") + 1
    assert [letter["position"] for letter in letters] == [
        {"line": lines_before + 1, "byte": content.index(b"nonsense")},
        {"line": lines_before + 8, "byte": content.index(b'{"cut')},
    ]
    assert {letter["source"] for letter in letters} == {str(tmp_path / "in1.log")}


def test_a_long_range_without_a_place_to_cut_is_not_held(tmp_path, monkeypatch):
    monkeypatch.setattr(workers, "_AHEAD_BYTES", 100_000)
    source = tmp_path / "in.log"
    source.write_bytes(compact({"a": "x" * 1_000}) * 4_000 + b"\n" + GOOD)
    one = given_by_one([source], tmp_path)
    assert given_by_several([source], tmp_path, 2, 50) == one
    reader, writer = os.pipe()
    outputs = Outputs(whole, lambda written: os.write(writer, b"%d\n" % len(written)), print)
    run_workers(LENS, ranges_of([source], 50), 2, outputs)
    sizes = [int(size) for size in os.read(reader, 60_000).split()]
    os.close(writer)
    os.close(reader)
    assert sum(sizes) == len(one[0])
    assert max(sizes) < len(one[0]) / 2


LINES = st.sampled_from(
    [
        SMALL,
        SMALL + b"\r",
        SMALL + b",",
        b"  " + SMALL,
        SMALL + SMALL,
        SMALL[:-9],
        b"\xef\xbb\xbf" + SMALL,
        indented(json.loads(SMALL)),
        indented([json.loads(SMALL)] * 2),
        b"[" + SMALL,
        SMALL + b"]",
        b"[",
        b"{",
        b"}",
        b'{"a": [',
        b'{"a": "',
        b"]}",
        b'"',
        b"",
        b" \t",
        b"garbage {",
        b"-1",
        b"nul",
        b'{"a": "\xff"}',
        b"\x1e" + SMALL,
    ]
)
FILES = st.lists(st.tuples(st.lists(LINES, max_size=25), st.booleans()), min_size=1, max_size=3)


@settings(
    max_examples=60,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(files=FILES, count=st.integers(2, 4), size=st.sampled_from([50, 90, 200, 1_000]))
def test_any_mixture_of_lines(tmp_path, files, count, size):
    contents = [b"\n".join(lines) + b"\n" * ends for lines, ends in files]
    same_from_both(tmp_path, *contents, count=count, size=size)


# --- ranges ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 50, 3_000, 1_000_000])
@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
def test_ranges_cover_a_file_and_begin_at_objects(tmp_path, content, size):
    source = tmp_path / "in.log"
    source.write_bytes(content)
    ranges = ranges_of([source], size)
    assert (ranges[0].start, ranges[-1].end) == (0, len(content))
    for before, after in pairwise(ranges):
        assert before.end == after.start
        assert after.start - before.start >= size
        assert content[after.start - 1 :].startswith(b"\n{")


def test_ranges_of_a_file_that_is_gone(tmp_path):
    with pytest.raises(Unread, match="No such file"):
        ranges_of([tmp_path / "gone"])


# --- the command ----------------------------------------------------------------------------------

LETTERS = "guardduty-lens-dead-letters.jsonl"
OPTIONS = [
    (),
    ("--flatten",),
    ("--add-only",),
    ("--min-severity", "High", "--exclude-samples"),
    ("--drop-if", "even: event_count = 4", "--keep-if", "shop: finding_type ~ *Brute*"),
    ("--field-prefix", "x_", "--severity-scheme", "seed-2020"),
    ("--fields", "own.yml"),
]
OWN = """\
group: own
fields:
  - field: own_title
    type: label
    description: The title, for this test.
    from: [detail.title]
    examples:
      - given: {detail: {title: mine}}
        gives: mine
"""


@pytest.fixture
def small_ranges(monkeypatch):
    monkeypatch.setattr(run, "ranges_of", functools.partial(ranges_of, size=2_000))


def outcome(command, folder, *arguments):
    """The output, dead letters, summaries and exit code of a run."""
    (folder / LETTERS).unlink(missing_ok=True)
    result = command("filter", *arguments, "--summary", "summary.json")
    return (
        result,
        (folder / LETTERS).read_bytes() if (folder / LETTERS).exists() else b"",
        (folder / "summary.json").read_bytes(),
    )


@pytest.mark.parametrize("options", OPTIONS, ids=" ".join)
def test_with_any_option_the_command_does_the_same(command, tmp_path, samples, small_ranges, options):
    (tmp_path / "own.yml").write_text(OWN)
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.json").write_bytes(b"\n".join([*several(5), b"nonsense", indented([EVENT] * 3)]))
    (tmp_path / "in/b.json").write_bytes(b"")
    inputs = (samples, "in", *options)
    one = outcome(command, tmp_path, *inputs)
    assert one[0].records
    assert one[1]
    assert outcome(command, tmp_path, *inputs, "--workers", 3) == one
    to_file = outcome(command, tmp_path, *inputs, "--workers", 2, "-o", "out.jsonl")
    assert (tmp_path / "out.jsonl").read_text() == one[0].out
    assert (to_file[0].err.replace(" --output out.1.jsonl", ""), *to_file[1:]) == (one[0].err, *one[1:])


def test_replay_takes_workers_too(command, tmp_path, samples, small_ranges):
    command("filter", samples, "-o", "once.jsonl")
    command("replay", "once.jsonl", "--workers", 3, "-o", "twice.jsonl")
    assert (tmp_path / "once.jsonl").read_bytes() == (tmp_path / "twice.jsonl").read_bytes()


def test_one_worker_where_only_one_is_possible(command, tmp_path):
    (tmp_path / "a.json").write_bytes(GOOD)
    (tmp_path / "b.json").write_bytes(gzip.compress(GOOD))
    compressed = command("filter", "a.json", "b.json", "--workers", 2)
    assert compressed.err.startswith("guardduty-lens: one worker, since b.json is compressed\n2 payloads")
    piped = command("filter", "a.json", "-", "--workers", 2, stdin=GOOD)
    assert piped.err.startswith("guardduty-lens: one worker, since standard input is no regular file\n")
    assert len(piped.records) == len(compressed.records) == 2
    assert command("filter", "-q", "--workers", 2, stdin=GOOD).err == ""


def test_one_worker_on_a_named_pipe(command, tmp_path):
    os.mkfifo(tmp_path / "fifo")
    writer = threading.Thread(target=(tmp_path / "fifo").write_bytes, args=[GOOD])
    writer.start()
    result = command("filter", "fifo", "--workers", 2)
    writer.join(timeout=30)
    assert result.err.startswith("guardduty-lens: one worker, since fifo is no regular file\n")
    assert len(result.records) == 1


def test_what_cannot_be_opened_is_left_to_one_worker(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    (tmp_path / "a.json").write_bytes(GOOD)
    assert why_alone([tmp_path / "a.json"]) == ""
    monkeypatch.setattr(Path, "open", refuse)
    assert why_alone([tmp_path / "a.json"]).endswith("a.json cannot be read")


@pytest.mark.parametrize("option", ["--output", "--dead-letters", "--summary"])
def test_a_full_disk(command, tmp_path, samples, small_ranges, option):
    (tmp_path / "in.json").write_bytes(b"nonsense\n" + samples.read_bytes())
    result = command("filter", "in.json", option, "/dev/full", "--workers", 2)
    assert result.code == 3
    what = {"--output": "records", "--dead-letters": "dead letters", "--summary": "the summary"}[option]
    assert result.err.startswith(
        f"guardduty-lens: cannot write {what} to /dev/full: No space left on device; "
        f"free some space there, or name another place with {option}\n"
    )
    unsaved = "1 of 1 rejected could not be saved in /dev/full: they are in the input alone"
    assert (unsaved in result.err) == ("could not be saved" in result.err) == (option == "--dead-letters")
    assert "payloads" in result.err


def test_a_reader_that_goes_away(tmp_path, samples):
    (tmp_path / "big.jsonl").write_bytes(samples.read_bytes() * 100)
    line = [*COMMAND, "filter", "big.jsonl", "--workers", "2"]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(line, cwd=tmp_path, **streams) as process:
        assert process.stdout.readline()
        process.stdout.close()
        error = process.stderr.read()
        assert process.wait(timeout=60) == 3
    assert b"whatever read standard output has ended before it had everything\n" in error
    assert b"Traceback" not in error


# --- workers that fail ----------------------------------------------------------------------------


def failing_on(count, fail):
    """A form that fails on the record with this count."""

    def form(record, buffer):
        if record.fields["event_count"] == count:
            fail()
        whole(record, buffer)

    return form


@pytest.mark.parametrize("count", [0, 3, 8])
def test_a_worker_that_is_killed_ends_the_run(tmp_path, count):
    def die():
        os.kill(os.getpid(), signal.SIGKILL)

    source = tmp_path / "in.log"
    source.write_bytes(CONTENTS["lines"])
    with pytest.raises(WorkerError, match="could not go on: a worker was ended by SIGKILL"):
        given_by_several([source], tmp_path, 3, 50, failing_on(count, die))


@pytest.mark.parametrize("count", [0, 3, 8])
def test_a_worker_with_a_fault_ends_the_run(tmp_path, count, capfd):
    def fail():
        raise ZeroDivisionError

    source = tmp_path / "in.log"
    source.write_bytes(CONTENTS["lines"])
    with pytest.raises(WorkerError, match="could not go on: a worker ended with exit code 1"):
        given_by_several([source], tmp_path, 3, 50, failing_on(count, fail))
    assert "ZeroDivisionError" in capfd.readouterr().err


def test_what_was_written_before_a_failure_is_counted(tmp_path):
    (tmp_path / "in.log").write_bytes(CONTENTS["lines"])
    ranges = ranges_of([tmp_path / "in.log"], 50)
    LENS.counters = Counters()
    with pytest.raises(WorkerError, match=r"could not read .*gone: No such file or directory"):
        run_workers(
            LENS,
            [*ranges[:4], Range(tmp_path / "gone", 0, 9), *ranges[4:]],
            2,
            Outputs(whole, lambda written: None, print),
        )
    assert LENS.counters.records == {"finding": 4}


def test_a_file_that_became_shorter(tmp_path):
    (tmp_path / "in.log").write_bytes(CONTENTS["lines"])
    ranges = ranges_of([tmp_path / "in.log"], 50)
    (tmp_path / "in.log").write_bytes(b"\n".join(several(2)) + b'\n{"cut')
    LENS.counters = Counters()
    rejected = tmp_path / "dead.jsonl"
    with DeadLetters(rejected) as dead_letters:
        run_workers(LENS, ranges, 3, Outputs(whole, lambda written: None, dead_letters.write))
    assert LENS.counters.records == {"finding": 2}
    assert [letter["position"]["line"] for letter in json_lines(rejected.read_bytes())] == [3]


def children_of(pid):
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.mark.parametrize("number", [0, 1])
def test_the_command_ends_when_a_worker_is_killed(tmp_path, samples, number):
    # Nobody reads the output, so one worker waits for that, and the other for its turn.
    (tmp_path / "big.jsonl").write_bytes(samples.read_bytes() * 100)
    line = [*COMMAND, "filter", "big.jsonl", "--workers", "2", "--summary", "s.json"]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(line, cwd=tmp_path, **streams) as process:
        assert process.stdout.readline()
        os.kill(children_of(process.pid)[number], signal.SIGKILL)
        error = process.communicate(timeout=60)[1]
        assert process.returncode == 3
    assert b"guardduty-lens: could not go on: a worker was ended by SIGKILL\n" in error
    assert b"Traceback" not in error
    assert (tmp_path / "s.json").exists()


@pytest.mark.parametrize("kill", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_workers_do_not_outlive_the_command(tmp_path, samples, kill):
    (tmp_path / "big.jsonl").write_bytes(samples.read_bytes() * 200)
    line = [*COMMAND, "filter", "big.jsonl", "--workers", "2"]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    # It may be ignored where the tests run, and then it would be here.
    heed = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)}
    with subprocess.Popen(line, cwd=tmp_path, start_new_session=True, **streams, **heed) as process:
        assert process.stdout.readline()
        if kill == signal.SIGINT:
            os.killpg(process.pid, kill)  # as a terminal does
        else:
            process.send_signal(kill)
        # Ends when all who could write are gone.
        output, error = process.communicate(timeout=60)
    assert len(output) < (tmp_path / "big.jsonl").stat().st_size
    assert b"Traceback" not in error
