"""`filter --protocol`: for each line one line, whatever it is."""

import json
import subprocess

import pytest
from command_line import COMMAND
from counted_findings import UPDATES

LINES = [json.dumps(update).encode() for update in UPDATES]
PAGE = json.dumps(
    {"Findings": [{"Id": "a", "Type": "Recon:EC2/Portscan", "Severity": 2, "Service": {}}] * 2}
).encode()
ODD = [b"no json", b"", b"[1]", PAGE, b'{"a":1}']


class Child:
    """A child process that is talked to line by line, as a shipper does."""

    def __init__(self, *options: str) -> None:
        line = [*COMMAND, "filter", *options]
        self.process = subprocess.Popen(
            line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    def ask(self, line: bytes) -> bytes:
        self.process.stdin.write(line + b"\n")
        self.process.stdin.flush()
        return self.hear()

    def hear(self) -> bytes:
        return self.process.stdout.readline().rstrip(b"\n")

    def end(self) -> tuple[int, bytes]:
        out, err = self.process.communicate(timeout=60)
        assert out == b""
        return self.process.returncode, err


@pytest.mark.parametrize("protocol", ["jsonl", "fluentd-exec"])
def test_each_line_is_answered_at_once_by_its_record_or_itself(protocol):
    child = Child("--protocol", protocol)
    for update, line in zip(UPDATES, LINES, strict=True):
        record = json.loads(child.ask(line))
        assert record["finding_id"] == update["detail"]["id"]
        assert record["detail"] == update["detail"]
    for line in ODD[:-1]:
        assert child.ask(line) == line
    assert json.loads(child.ask(ODD[-1])) == {"a": 1, "record_kind": "other"}
    code, err = child.end()
    assert code == 0
    assert err.count(b"a line goes on as it came") == len(ODD) - 1


def test_mmexternal_s_answers_are_what_is_merged():
    child = Child("--protocol", "rsyslog-mmexternal")
    answer = json.loads(child.ask(LINES[0]))
    assert set(answer) == {"$!"}
    assert answer["$!"]["finding_id"] == "f1"
    assert "detail" not in answer["$!"]
    full = {"msg": " " + LINES[1].decode(), "rawmsg": "<14>…", "$!": {}}
    assert json.loads(child.ask(json.dumps(full).encode()))["$!"]["finding_id"] == "f2"
    unchanged = [json.loads(child.ask(line)) for line in ODD[:4]]
    assert [answer["$!"].keys() for answer in unchanged] == [{"lens_unchanged"}] * 4
    assert unchanged[0]["$!"]["lens_unchanged"] == "expected a JSON object or array"
    assert unchanged[3]["$!"]["lens_unchanged"] == "it holds 2 events"
    assert child.end() == (0, b"")  # rsyslog takes what is on standard error for the next line's answer


def test_omprog_confirms_alone_or_together_and_says_what_failed(tmp_path):
    out, dead = tmp_path / "out.jsonl", tmp_path / "dead.jsonl"
    child = Child("--protocol", "rsyslog-omprog", "-o", str(out), "--dead-letters", str(dead))
    assert child.hear() == b"OK"
    assert child.ask(LINES[0]) == b"OK"
    assert len(out.read_text().splitlines()) == 1
    assert child.ask(b"BEGIN TRANSACTION") == b"OK"
    assert [child.ask(line) for line in LINES[1:4]] == [b"DEFER_COMMIT"] * 3
    assert child.ask(b"COMMIT TRANSACTION") == b"OK"
    assert len(out.read_text().splitlines()) == 4
    assert child.ask(b"{broken") == b"OK"
    assert len(dead.read_text().splitlines()) == 1
    assert child.end()[0] == 0
    child = Child("--protocol", "rsyslog-omprog", "-o", "/dev/full", "--dead-letters", str(dead))
    assert child.hear() == b"OK"
    assert child.ask(LINES[0]) == (
        b"could not deliver: cannot write records to /dev/full: No space left on device; "
        b"free some space there, or name another place with --output"
    )
    said = (
        b"guardduty-lens: could not deliver: cannot write records to /dev/full: No space left on device; "
        b"free some space there, or name another place with --output\n"
    )
    assert child.end() == (3, said)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--protocol", "jsonl", "in.jsonl"], b"no PATH"),
        (["--protocol", "jsonl", "--min-severity", "High"], b"no rules"),
        (["--protocol", "jsonl", "-o", "out"], b"no other output"),
        (["--protocol", "rsyslog-omprog"], b"needs --output FILE or --to opensearch"),
    ],
)
def test_wrong_use(options, words, tmp_path):
    (tmp_path / "in.jsonl").touch()
    done = subprocess.run(
        [*COMMAND, "filter", *options], cwd=tmp_path, capture_output=True, stdin=subprocess.DEVNULL
    )
    assert done.returncode == 2
    assert words in done.stderr
