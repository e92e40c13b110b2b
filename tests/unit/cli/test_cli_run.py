"""A run from its inputs to its outputs: files, folders, pipes, dead letters, exit codes, counts."""

import gzip
import json
import os
import select
import subprocess
import time
import zlib
from pathlib import Path

import pytest
from command_line import COMMAND, json_lines
from finding_events import EVENT, compact, event

from guardduty_lens.payloads.pieces import REJECT_REASONS

GOOD = compact(EVENT) + b"\n"
BROKEN = b'{"type": "Recon:EC2/Portscan", "id": "cut short\n'
DEFAULT_DEAD_LETTERS = "guardduty-lens-dead-letters.jsonl"


def balance(summary):
    events = summary["events"]
    return events["in"] == sum(events[name] for name in ("records", "filtered", "rejected", "control"))


# --- inputs ---------------------------------------------------------------------------------------


def test_standard_input_is_the_default(command):
    assert len(command("filter", stdin=GOOD * 2).records) == 2
    assert len(command("filter", "-", stdin=GOOD * 2).records) == 2


def test_files_standard_input_and_folders_in_the_order_given(command, tmp_path):
    for name, number in (("b.json", 1), ("a.json", 2), ("sub/c.log", 4)):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(compact(event({"service": {"count": number}})))
    (tmp_path / "z.json").write_bytes(compact(event({"service": {"count": 9}})))
    result = command("filter", "z.json", "-", "in", stdin=compact(event({"service": {"count": 7}})))
    assert [record["event_count"] for record in result.records] == [9, 7, 2, 1, 4]


def test_folders_mean_their_json_and_log_files_at_any_depth(command, tmp_path):
    wanted = [
        "a.json",
        "b.jsonl",
        "c.ndjson",
        "d.log",
        "x/e.json.gz",
        "x/y/f.jsonl.gz",
        "g.ndjson.gz",
        "h.log.gz",
    ]
    other = ["i.txt", "j.gz", "k.json.bak", "README.md", "l.json.zip", "json", "m.yml"]
    for name in wanted + other:
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        body = compact(event({"title": name}))
        path.write_bytes(gzip.compress(body) if name.endswith(".gz") else body)
    (tmp_path / "in/folder.json").mkdir()
    records = command("filter", "in").records
    assert {record["title"] for record in records} == set(wanted)
    assert len(records) == len(wanted)


def test_gzip_is_told_by_content(command, tmp_path):
    (tmp_path / "plain.json.gz").write_bytes(GOOD)
    (tmp_path / "packed.json").write_bytes(gzip.compress(GOOD) + gzip.compress(GOOD))
    assert len(command("filter", "plain.json.gz", "packed.json").records) == 3
    assert len(command("filter", stdin=gzip.compress(GOOD)).records) == 1


def test_an_empty_folder_gives_nothing_and_waits_for_nothing(command, tmp_path):
    (tmp_path / "empty").mkdir()
    result = command("filter", "empty", "--allow-empty", stdin=GOOD)
    assert (result.code, result.out) == (0, "")
    assert result.err.startswith("0 payloads, 0 events")


@pytest.mark.parametrize("stdin", [b"", b"\n \r\n\t", b"\xef\xbb\xbf"])
def test_no_input_at_all(command, stdin):
    result = command("filter", stdin=stdin)
    assert (result.code, result.out) == (0, "")


def test_a_named_pipe(process, tmp_path):
    os.mkfifo(tmp_path / "fifo")
    with subprocess.Popen([*COMMAND, "filter", "-q", "fifo"], cwd=tmp_path, stdout=subprocess.PIPE) as run:
        (tmp_path / "fifo").write_bytes(GOOD)
        assert len(json_lines(run.communicate(timeout=30)[0])) == 1


@pytest.mark.parametrize("options", [(), ("--unbuffered",)], ids=["block by block", "unbuffered"])
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_what_arrives_is_handed_on_at_once(tmp_path, options, packed):
    # Also without --unbuffered: a block is what a read gives, and is handed on before the next read.
    pack = zlib.compressobj(wbits=31)
    line = [*COMMAND, "filter", "-q", *options]
    with subprocess.Popen(line, cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as run:
        for number in range(3):
            payload = compact(event({"service": {"count": number}})) + b"\n"
            if packed:
                payload = pack.compress(payload) + pack.flush(zlib.Z_SYNC_FLUSH)
            run.stdin.write(payload)
            run.stdin.flush()
            assert select.select([run.stdout], [], [], 30)[0], "nothing came out within 30 seconds"
            assert json.loads(run.stdout.readline())["event_count"] == number
        run.stdin.write(pack.flush() if packed else b"")
        run.stdin.close()
        assert run.wait(timeout=30) == 0


@pytest.mark.parametrize(("options", "writes"), [((), 1), (("--unbuffered",), 3)])
def test_unbuffered_writes_each_record_alone(tmp_path, options, writes):
    small = compact({"type": "Recon:EC2/Portscan", "id": "f1", "severity": 5, "service": {}}) + b"\n"
    ours, theirs = os.pipe2(os.O_DIRECT)  # a read gives what one write gave
    line = [*COMMAND, "filter", "-q", *options]
    subprocess.run(line, cwd=tmp_path, input=small * 3, stdout=theirs, timeout=30, check=True)
    os.close(theirs)
    records = list(iter(lambda: os.read(ours, 65536), b""))
    os.close(ours)
    assert [record.count(b"\n") for record in records] == [3 // writes] * writes


# --- outputs that are inputs ----------------------------------------------------------------------


@pytest.mark.parametrize("option", ["--output", "--dead-letters", "--summary"])
@pytest.mark.parametrize("name", ["in.json", "./in.json", "link.json", "folder/in.json"])
def test_no_input_is_written_to(command, tmp_path, option, name):
    (tmp_path / "folder").mkdir()
    for path in ("in.json", "folder/in.json"):
        (tmp_path / path).write_bytes(GOOD)
    (tmp_path / "link.json").symlink_to("in.json")
    result = command("filter", "in.json", "folder", option, name)
    assert result.code == 2
    assert f"{Path(name)} is read and written by the same run" in result.err
    assert (tmp_path / "in.json").read_bytes() == GOOD
    assert (tmp_path / "folder/in.json").read_bytes() == GOOD


def test_no_file_is_written_twice(command):
    for options in (("-o", "x", "--dead-letters", "x"), ("-o", "x", "--summary", "./x")):
        result = command("filter", *options, stdin=GOOD)
        assert result.code == 2
        assert "x is written twice by the same run" in result.err


def test_devices_may_be_written_twice(command):
    result = command("filter", "-q", "-o", "/dev/null", "--dead-letters", "/dev/null", stdin=BROKEN)
    assert (result.code, result.err) == (1, "")


@pytest.mark.parametrize("option", ["--output", "--dead-letters", "--summary"])
def test_outputs_need_their_folder(command, option):
    result = command("filter", option, "nowhere/x", stdin=GOOD)
    assert result.code == 2
    assert "there is no folder nowhere" in result.err


# --- exit codes -----------------------------------------------------------------------------------


def test_exit_code_0_when_all_is_well(command, tmp_path):
    assert command("filter", stdin=GOOD).code == 0
    assert not (tmp_path / DEFAULT_DEAD_LETTERS).exists()


def test_exit_code_1_when_some_is_rejected(command, tmp_path):
    result = command("filter", stdin=BROKEN + GOOD)
    assert result.code == 1
    assert len(result.records) == 1
    assert len(json_lines((tmp_path / DEFAULT_DEAD_LETTERS).read_bytes())) == 1


def test_exit_code_2_leaves_outputs_alone(command, tmp_path):
    (tmp_path / "out").write_text("before")
    assert command("filter", "-o", "out", "--drop-if", "nonsense", stdin=GOOD).code == 2
    assert (tmp_path / "out").read_text() == "before"


@pytest.mark.parametrize("option", ["--output", "--dead-letters", "--summary"])
def test_exit_code_3_when_a_disk_is_full(process, option):
    result = process(["filter", option, "/dev/full"], input=GOOD + BROKEN)
    assert result.returncode == 3
    what = {"--output": "records", "--dead-letters": "dead letters", "--summary": "the summary"}[option]
    assert result.stderr.decode().startswith(
        f"guardduty-lens: cannot write {what} to /dev/full: No space left on device; "
        f"free some space there, or name another place with {option}\n"
    )
    assert b"Traceback" not in result.stderr


def test_exit_code_3_on_a_full_standard_output(process):
    with Path("/dev/full").open("wb") as full:
        result = process(["filter"], input=GOOD, capture_output=False, stdout=full, stderr=subprocess.PIPE)
    assert result.returncode == 3
    assert b"Traceback" not in result.stderr


def test_exit_code_3_when_the_reader_goes_away(tmp_path, samples):
    big = tmp_path / "big.jsonl"
    big.write_bytes(samples.read_bytes() * 20)
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen([*COMMAND, "filter", str(big)], cwd=tmp_path, **streams) as run:
        assert run.stdout.readline()
        run.stdout.close()
        error = run.stderr.read()
        assert run.wait(timeout=30) == 3
    assert b"whatever read standard output has ended before it had everything\n" in error
    assert b"Traceback" not in error


def test_exit_code_3_when_an_input_breaks_off(process, tmp_path):
    (tmp_path / "a.json").write_bytes(GOOD)
    result = process(["filter", "a.json", "/proc/self/mem", "--summary", "s.json"])
    assert result.returncode == 3
    assert b"could not read /proc/self/mem: " in result.stderr
    assert b"Traceback" not in result.stderr
    assert len(json_lines(result.stdout)) == 1
    assert json.loads((tmp_path / "s.json").read_bytes())["payloads"] == 1


# --- dead letters ---------------------------------------------------------------------------------


def letters_of(path):
    return json_lines(path.read_bytes())


def raws_of(path):
    return [letter.get("raw") or letter["raw_base64"] for letter in letters_of(path)]


def test_dead_letters_are_appended(command, tmp_path):
    for _ in range(2):
        command("filter", "--dead-letters", "dead.jsonl", stdin=BROKEN)
    assert len(letters_of(tmp_path / "dead.jsonl")) == 2


def test_a_dead_letter_says_what_and_where(command, tmp_path):
    (tmp_path / "in.log").write_bytes(GOOD + BROKEN + GOOD)
    command("filter", "in.log", "--dead-letters", "dead.jsonl")
    [letter] = letters_of(tmp_path / "dead.jsonl")
    assert letter["source"] == "in.log"
    assert letter["position"] == {"line": 2, "byte": len(GOOD)}
    assert letter["reason"] in REJECT_REASONS
    assert letter["message"]
    assert BROKEN.startswith(letter["raw"].encode())


def test_a_part_of_a_payload_is_rejected_alone(command, tmp_path):
    batch = {
        "Records": [
            {"messageId": "1", "eventSource": "aws:sqs", "body": body} for body in (GOOD.decode(), "{")
        ]
    }
    result = command("filter", "--dead-letters", "dead.jsonl", stdin=compact(batch))
    assert (result.code, len(result.records)) == (1, 1)
    [letter] = letters_of(tmp_path / "dead.jsonl")
    assert (letter["raw"], letter["position"]["inside"]) == ("{", "Records[1].body")


REJECTS = [
    b"no JSON at all",
    b'{"cut":"short',
    b'{"bytes":"\xff\xfe"}',
    b'{"half":"\\ud800"}',
    b"17",
    b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    compact({"awslogs": {"data": "no base64!"}}),
    compact({"awslogs": {"data": "H4sIAAAA"}}),
]


@pytest.mark.parametrize("raw", REJECTS, ids=range(len(REJECTS)))
def test_replay_gives_the_same_rejects(command, tmp_path, raw):
    command("filter", "--dead-letters", "first.jsonl", stdin=raw + b"\n")
    result = command("replay", "first.jsonl", "--dead-letters", "second.jsonl")
    assert (result.code, result.out) == (1, "")
    assert raws_of(tmp_path / "first.jsonl") == raws_of(tmp_path / "second.jsonl")
    assert len(raws_of(tmp_path / "first.jsonl")) == 1


def test_replay_of_what_was_mended_gives_records(command, tmp_path):
    command("filter", "--dead-letters", "dead.jsonl", stdin=b"nonsense\n" + BROKEN)
    letters = letters_of(tmp_path / "dead.jsonl")
    letters[1]["raw"] = GOOD.decode()
    (tmp_path / "dead.jsonl").write_bytes(b"".join(compact(letter) + b"\n" for letter in letters))
    result = command(
        "replay", "dead.jsonl", "--dead-letters", "still.jsonl", "--severity-scheme", "seed-2020"
    )
    assert result.code == 1
    assert [record["finding_id"] for record in result.records] == ["f1"]
    assert len(letters_of(tmp_path / "still.jsonl")) == 1


def test_replay_of_records_changes_nothing(command, tmp_path, samples):
    command("filter", samples, "-o", "once.jsonl")
    command("replay", "once.jsonl", "-o", "twice.jsonl")
    assert (tmp_path / "once.jsonl").read_bytes() == (tmp_path / "twice.jsonl").read_bytes()


def test_replay_enriches_anew(command, tmp_path):
    command("filter", "-o", "once.jsonl", stdin=compact(event({"severity": 8.95})))
    [record] = command("replay", "once.jsonl", "--severity-scheme", "seed-2020").records
    assert record["severity_label"] == "Reserved"


def test_replay_does_not_write_to_what_it_reads(command, tmp_path):
    command("filter", stdin=BROKEN)
    before = (tmp_path / DEFAULT_DEAD_LETTERS).read_bytes()
    result = command("replay", DEFAULT_DEAD_LETTERS, "--dead-letters", DEFAULT_DEAD_LETTERS)
    assert result.code == 2
    assert (
        f"{DEFAULT_DEAD_LETTERS} is read and written by the same run; "
        "name another file with --dead-letters" in result.err
    )
    assert (tmp_path / DEFAULT_DEAD_LETTERS).read_bytes() == before


def test_replay_needs_files(command):
    assert command("replay").code == 2
    assert command("replay", "nowhere").code == 2


# --- the summary ----------------------------------------------------------------------------------

MIXED = b"\n".join(
    [
        compact(EVENT),
        compact(event({"severity": 2})),
        compact(event({"type": "odd", "severity": "x"})),
        compact({"a": 1}),
        compact(
            {"Type": "SubscriptionConfirmation", "TopicArn": "arn", "SubscribeURL": "https://sns.example"}
        ),
        compact({"messageType": "CONTROL_MESSAGE", "logEvents": []}),
        compact([EVENT, 7]),
        b"nonsense",
    ]
)


def test_summary_as_json(command, tmp_path):
    options = ("--summary", "s.json", "--min-severity", "Medium", "--drop-if", "noise: record_kind = other")
    assert command("filter", *options, stdin=MIXED).code == 1
    summary = json.loads((tmp_path / "s.json").read_bytes())
    assert summary == {
        "payloads": 8,
        "events": {"in": 9, "records": 3, "filtered": 2, "rejected": 2, "control": 2},
        "records": {"finding": 3},
        "findings": {"High": 2, "Unknown": 1},
        "filtered": {"min-severity": 1, "noise": 1},
        "rejected": {"no_event": 1, "not_json": 1},
        "control": {"cloudwatch_logs_control_message": 1, "sns_subscription_confirmation": 1},
        "warnings": {"severity_unusable": 1, "type_not_parsed": 1},
    }
    assert balance(summary)


def test_summary_as_text(command):
    lines = command("filter", stdin=MIXED).err.splitlines()
    assert lines[0] == "8 payloads, 9 events: 5 records, 0 filtered, 2 rejected, 2 control"
    text = "\n".join(lines[1:])
    for line in (
        "records   finding 4, other 1",
        "severity  High 2, Low 1, Unknown 1",
        "rejected  no_event 1, not_json 1",
        "control   cloudwatch_logs_control_message 1, sns_subscription_confirmation 1",
        "warnings  severity_unusable 1, type_not_parsed 1",
        f"guardduty-lens replay {DEFAULT_DEAD_LETTERS}",
    ):
        assert line in text


@pytest.mark.parametrize("option", ["-q", "--quiet"])
def test_quiet(command, option):
    result = command("filter", option, stdin=MIXED)
    assert (result.code, result.err) == (1, "")


def test_every_run_balances(command, tmp_path, samples):
    rules = ("--min-severity", "High", "--exclude-archived", "--exclude-samples", "--drop-if", "!remote_ips")
    noise = samples.read_bytes() + BROKEN + b"{}\n[1, {}]\n"
    command("filter", "--summary", "s.json", *rules, stdin=noise)
    summary = json.loads((tmp_path / "s.json").read_bytes())
    assert balance(summary)
    assert summary["events"]["in"] == 40 + 1 + 1 + 2
    assert sum(summary["findings"].values()) == summary["records"].get("finding", 0)


def test_a_large_input_takes_little_memory(process, tmp_path, samples):
    big = tmp_path / "big.jsonl"
    with big.open("wb") as file:
        for _ in range(300):
            file.write(samples.read_bytes())
    start = time.perf_counter()
    limit = "import resource; resource.setrlimit(resource.RLIMIT_AS, (400 << 20, 400 << 20)); "
    line = [COMMAND[0], "-c", limit + COMMAND[2], "filter", "-q", str(big), "-o", "/dev/null"]
    subprocess.run(line, check=True, timeout=60)
    assert big.stat().st_size > 30 << 20
    assert time.perf_counter() - start < 30
