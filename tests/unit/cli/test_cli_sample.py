import hashlib
import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from guardduty_lens.samples import SHAPES

COUNT = 60


def test_the_same_seed_gives_the_same_bytes(command, tmp_path):
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        assert command("sample", "-n", 20, "--seed", seed, "--shape", "mixed", "-o", name).code == 0
    digests = [hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() for name in "abc"]
    assert digests[0] == digests[1] != digests[2]


def test_standard_output_and_defaults(process):
    result = process(["sample"])
    assert (result.returncode, result.stderr) == (0, b"")
    assert len(result.stdout.splitlines()) == 100
    assert all("detail-type" in json.loads(line) for line in result.stdout.splitlines())
    assert process(["sample", "-n", 100, "--seed", 1, "--shape", "eventbridge"]).stdout == result.stdout


def test_until_moves_the_findings_in_time_and_changes_nothing_else(command, tmp_path):
    for name, until in (("a", "2026-02-14"), ("b", "2025-06-30T12:00:00+02:00")):
        assert command("sample", "-n", 300, "--shape", "finding", "--until", until, "-o", name).code == 0
    one, other = ([json.loads(line) for line in (tmp_path / name).read_text().splitlines()] for name in "ab")
    assert (tmp_path / "a").read_bytes() == _default_samples(command, tmp_path)
    assert [each["id"] for each in one] == [each["id"] for each in other]
    times = [each["updatedAt"] for each in other]
    assert "2025-05-31T10" < min(times) < max(times) < "2025-06-30T10:00"
    assert max(times) > "2025-06-29"


def _default_samples(command, tmp_path):
    command("sample", "-n", 300, "--shape", "finding", "-o", "default")
    return (tmp_path / "default").read_bytes()


def test_until_now(command, tmp_path):
    command("sample", "-n", 300, "--shape", "finding", "--until", "now", "-o", "a")
    newest = max(json.loads(line)["updatedAt"] for line in (tmp_path / "a").read_text().splitlines())
    assert timedelta(0) <= datetime.now(UTC) - datetime.fromisoformat(newest) < timedelta(days=1)


def test_none_at_all(command, tmp_path):
    assert command("sample", "-n", 0, "-o", "none").code == 0
    assert (tmp_path / "none").read_bytes() == b""


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_gives_as_many_findings(command, tmp_path, shape):
    command("sample", "-n", COUNT, "--seed", 5, "--shape", shape, "-o", "in")
    result = command("filter", "in", "--summary", "summary.json")
    assert result.code == 0
    assert [record["record_kind"] for record in result.records] == ["finding"] * COUNT
    summary = json.loads((tmp_path / "summary.json").read_bytes())
    assert summary["events"] == {"in": COUNT, "records": COUNT, "filtered": 0, "rejected": 0, "control": 0}
    # A page of the API is not EventBridge's word, and no reason to doubt the kind.
    assert "type_not_parsed" not in summary["warnings"]


def test_every_shape_gives_the_same_fields(command):
    def fields(shape):
        command("sample", "-n", COUNT, "--seed", 5, "--shape", shape, "-o", "in")
        return command("filter", "in", "--add-only", "-q").records

    wanted = fields("eventbridge")
    for shape in ("finding", "s3-export", "sns", "sqs", "cloudwatch-logs", "firehose", "mixed"):
        assert fields(shape) == wanted, shape


@pytest.mark.parametrize(
    "options",
    [
        ("--shape", "xml"),
        ("-n", "-1"),
        ("-n", "many"),
        ("--seed", "x"),
        ("--until", "soon"),
        ("-o", "nowhere/x"),
        ("extra",),
    ],
)
def test_wrong_use(command, options):
    result = command("sample", *options)
    assert result.code == 2
    assert "Traceback" not in result.err


@pytest.mark.parametrize("line", [("sample",), ("fields", "docs"), ("fields", "schema"), ("fields", "list")])
def test_exit_code_3_where_it_cannot_be_written(process, line):
    with Path("/dev/full").open("wb") as full:
        result = process(line, capture_output=False, stdout=full, stderr=subprocess.PIPE)
    assert result.stderr == b"guardduty-lens: could not deliver: standard output: No space left on device\n"
    assert result.returncode == 3
