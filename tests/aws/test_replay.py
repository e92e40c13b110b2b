"""`replay` of archives in S3, as a process: selected, cut off, resumed, into the real OpenSearch."""

import gzip
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from command_line import COMMAND, json_lines
from exports import exports, put_all
from installed_cluster import Cluster

from guardduty_lens.inputs import s3_archive
from guardduty_lens.inputs.files import Unread
from guardduty_lens.inputs.s3_archive import Location
from guardduty_lens.inputs.selection import Selection

OFTEN = "import guardduty_lens.inputs.replayed as r; r.SECONDS_BETWEEN = 0.05; "
PLACE = "s3://archive/AWSLogs/"


class Replay:
    """Runs `replay` in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def start(self, *arguments: Any) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-c", OFTEN + COMMAND[2], "replay", *map(str, arguments)],
            cwd=self._folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def __call__(self, *arguments: Any, code: int = 0) -> tuple[bytes, str]:
        run = self.start(*arguments)
        out, err = run.communicate(timeout=120)
        assert run.returncode == code, err.decode()
        return out, err.decode()


@pytest.fixture
def replay(s3: Any, tmp_path: Path) -> Replay:
    return Replay(tmp_path)


def documents(cluster: Cluster) -> dict[str, dict[str, Any]]:
    """Give all documents of the log and the state, without when they came."""
    names, prefix = f"{cluster.names.log}-*,{cluster.names.state_index}", cluster.names.prefix
    cluster.request("POST", f"{names}/_refresh")
    hits = cluster.request("GET", f"{names}/_search?size=10000")["hits"]["hits"]
    return {
        f"{each['_index'].removeprefix(prefix)}/{each['_id']}": {
            key: value
            for key, value in each["_source"].items()
            if key not in ("ingested_at", "ingest_lag_seconds")
        }
        for each in hits
    }


def wait_for_change(cursor: Path, run: subprocess.Popen[bytes]) -> None:
    before = cursor.read_bytes() if cursor.exists() else b""
    ends = time.monotonic() + 60
    while (cursor.read_bytes() if cursor.exists() else b"") == before:
        assert run.poll() is None, f"it ended before it was cut off: {run.stderr.read().decode()}"
        assert time.monotonic() < ends, "the cursor does not move"
        time.sleep(0.005)


@pytest.fixture
def clusters(opensearch_url: str) -> Iterator[tuple[Cluster, Cluster]]:
    both = Cluster(opensearch_url, "replayed-whole-"), Cluster(opensearch_url, "replayed-cut-")
    for each in both:
        each.install()
    yield both
    for each in both:
        each.uninstall()


def test_exports_cut_off_three_times_give_the_same_index(
    s3, replay: Replay, clusters: tuple[Cluster, Cluster], tmp_path: Path
) -> None:
    objects = exports(800)
    put_all(s3, "archive", objects)
    whole, cut = (
        (PLACE, "--to", "opensearch", "--url", each.url, "--index-prefix", each.names.prefix)
        for each in clusters
    )
    replay(*whole)
    cursor = tmp_path / "cursor.json"
    marks = []
    for _ in range(3):
        run = replay.start(*cut, "--cursor", cursor, "--rate", 200)
        wait_for_change(cursor, run)
        run.kill()
        run.communicate()
        marks.append(json.loads(cursor.read_text())[PLACE])
    replay(*cut, "--cursor", cursor, "--summary", "summary.json")
    assert marks == sorted(set(marks))
    assert marks[-1] < f"s3://archive/{max(objects)}"
    events = json.loads((tmp_path / "summary.json").read_text())["events"]
    assert 0 < events["records"] < 800
    assert json.loads(cursor.read_text())[PLACE] == f"s3://archive/{max(objects)}"
    found = [documents(each) for each in clusters]
    assert len(found[0]) > 800
    assert found[1] == found[0]


def test_every_record_in_the_order_of_keys_and_sizes_of_every_kind(s3, replay: Replay, monkeypatch) -> None:
    objects = exports(600, findings_each=3)
    # Larger than what is held in memory, among the small ones.
    large = b"".join(gzip.decompress(body) for body in objects.values())
    objects["AWSLogs/000000000000/large.jsonl"] = large * (1 + s3_archive.SMALL_BYTES // len(large))
    assert len(objects["AWSLogs/000000000000/large.jsonl"]) > s3_archive.SMALL_BYTES
    put_all(s3, "archive", objects | {"AWSLogs/readme.txt": b"{}"})
    out, err = replay(PLACE)
    wanted = [
        json.loads(line)["id"]
        for key in sorted(objects)
        for line in (gzip.decompress(objects[key]) if key.endswith(".gz") else objects[key]).splitlines()
    ]
    assert [each["finding_id"] for each in json_lines(out)] == wanted
    assert f"{len(wanted):,} events" in err


def test_accounts_and_days_and_how_much_it_would_be(s3, replay: Replay) -> None:
    objects = exports(300)
    put_all(s3, "archive", objects)
    days = sorted({"-".join(key.split("/")[4:7]) for key in objects})
    account = sorted(objects)[0].split("/")[1]
    since, until = days[len(days) // 3], days[2 * len(days) // 3]
    asked = (PLACE, "--account", account, "--since", since, "--until", until)
    wanted = {
        key: body
        for key, body in objects.items()
        if key.split("/")[1] == account and since <= "-".join(key.split("/")[4:7]) <= until
    }
    assert 1 < len(wanted) < len(objects)
    megabytes = sum(map(len, wanted.values())) / 1e6
    out, _ = replay(*asked, "--dry-run")
    assert out.decode() == f"{len(wanted)} sources, {megabytes:.1f} MB, would be replayed\n"
    records = json_lines(replay(*asked)[0])
    assert len(records) == sum(gzip.decompress(body).count(b"\n") for body in wanted.values())
    assert {each["account_id"] for each in records} == {account}
    assert all(since <= each["updated_at"][:10] <= until for each in records)


def test_local_copies_are_selected_alike(s3, replay: Replay, tmp_path: Path) -> None:
    objects = exports(200)
    put_all(s3, "archive", objects)
    for key, body in objects.items():
        path = tmp_path / "copy" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
    asked = ("--since", sorted("-".join(key.split("/")[4:7]) for key in objects)[100])
    local, remote = (json_lines(replay(place, *asked)[0]) for place in ("copy", PLACE))
    assert 0 < len(local) < 200
    key = lambda record: (record["finding_id"], record["updated_at"])  # noqa: E731
    assert sorted(local, key=key) == sorted(remote, key=key)


def test_the_cursor_of_folders_and_buckets_together(s3, replay: Replay, tmp_path: Path) -> None:
    objects = exports(60)
    put_all(s3, "archive", objects)
    (tmp_path / "local").mkdir()
    (tmp_path / "local/a.jsonl").write_bytes(gzip.decompress(next(iter(objects.values()))))
    line = ("local", PLACE, "--cursor", "cursor.json", "-o", "out.jsonl")
    replay(*line)
    once = (tmp_path / "out.jsonl").read_bytes()
    assert len(json_lines(once)) > 60
    _, err = replay(*line)
    assert "0 payloads" in err
    assert (tmp_path / "out.jsonl").read_bytes() == once  # appended to, by nothing
    (tmp_path / "local/b.jsonl").write_bytes((tmp_path / "local/a.jsonl").read_bytes())
    s3.put_object(Bucket="archive", Key="AWSLogs/zzz.jsonl", Body=(tmp_path / "local/a.jsonl").read_bytes())
    _, err = replay(*line)
    added = json_lines((tmp_path / "out.jsonl").read_bytes()[len(once) :])
    assert len(added) == 2 * len(json_lines((tmp_path / "local/a.jsonl").read_bytes()))


def test_dead_letters_in_a_bucket(s3, replay: Replay) -> None:
    finding = gzip.decompress(next(iter(exports(1).values()))).decode()
    letter = {
        "reason": "x",
        "message": "y",
        "source": "z",
        "position": {"line": 1, "byte": 0},
        "raw": finding,
    }
    s3.put_object(Bucket="dead", Key="dead-letters/a.jsonl", Body=json.dumps(letter).encode() + b"\n")
    [record] = json_lines(replay("s3://dead/dead-letters/")[0])
    assert record["finding_id"] == json.loads(finding)["id"]


def test_the_rate_is_not_passed(s3, replay: Replay) -> None:
    put_all(s3, "archive", exports(60))
    began = time.monotonic()
    out, _ = replay(PLACE, "--rate", 40)
    assert len(json_lines(out)) == 60
    assert time.monotonic() - began >= 1.4  # 60 at 40 a second, less what is made up for


class Flaky:
    """S3 whose answers break off: the first reads of each object."""

    def __init__(self, s3: Any, breaks: int) -> None:
        self._s3, self._breaks = s3, breaks
        self.reads: dict[str, int] = {}

    def get_paginator(self, name: str) -> Any:
        return self._s3.get_paginator(name)

    def get_object(self, Bucket: str, Key: str) -> Any:  # noqa: N803
        from botocore.exceptions import IncompleteReadError

        self.reads[Key] = self.reads.get(Key, 0) + 1
        if self.reads[Key] <= self._breaks:
            raise IncompleteReadError(actual_bytes=1, expected_bytes=2)
        return self._s3.get_object(Bucket=Bucket, Key=Key)


def read_all(s3: Any) -> bytes:
    found = s3_archive.sources(s3, Location("archive", ""), Selection())
    return b"".join(block for source in found for block in source.blocks())


def test_an_answer_that_breaks_off_is_asked_for_again(s3) -> None:
    put_all(s3, "archive", {"a.json": b"a", "b.json": b"b"})
    assert read_all(Flaky(s3, 2)) == b"ab"
    with pytest.raises(Unread, match=r"s3://archive/a\.json: 1 read, but"):
        read_all(Flaky(s3, 3))


def test_what_is_gone_is_told_and_passed_over(s3, caplog) -> None:
    put_all(s3, "archive", {"a.json": b"a", "b.json": b"b" * (s3_archive.SMALL_BYTES + 1), "c.json": b"c"})
    found = list(s3_archive.selected(s3, Location("archive", ""), Selection()))
    for key in ("a.json", "b.json"):
        s3.delete_object(Bucket="archive", Key=key)
    sources = [s3_archive.S3Source(s3, "archive", each.key, each.size) for each in found]
    assert b"".join(block for source in sources for block in source.blocks()) == b"c"
    assert caplog.text.count("is gone") == 2


@pytest.mark.parametrize(
    ("line", "code", "says"),
    [
        (["s3://UPPER"], 2, "s3://BUCKET/PREFIX is wanted"),
        (["s3://not-there/x"], 3, "could not read s3://not-there/x cannot be listed"),
        (["s3://not-there/x", "--dry-run"], 3, "could not read s3://not-there/x cannot be listed"),
        (["nowhere"], 2, "there is no file or folder nowhere"),
        ([PLACE, "--since", "2026-01-02", "--until", "2026-01-01"], 2, "--since is after --until"),
        ([PLACE, "--cursor", "no/such/cursor"], 2, "there is no folder no/such"),
        ([PLACE, "--cursor", "broken"], 2, "broken is no cursor"),
    ],
)
def test_what_cannot_be_done_is_told(
    line: list[str], code: int, says: str, s3, replay: Replay, tmp_path: Path
) -> None:
    (tmp_path / "broken").write_text("a key\n")
    assert says in replay(*line, code=code)[1]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            ["s3://archive/AWSLgs/"],
            "at s3://archive/AWSLgs/: no key begins with 'AWSLgs/'; see how it is spelled",
        ),
        (
            ["s3://archive/notes/"],
            "at s3://archive/notes/: looked for keys of findings and records, "
            "and saw 1 other object, such as notes/readme.txt",
        ),
        (
            ["s3://archive/AWSLogs/", "--account", "000000000000"],
            "at s3://archive/AWSLogs/: 30 files there, none of them within --account 000000000000",
        ),
    ],
    ids=["misspelt", "others", "not selected"],
)
def test_a_prefix_that_matches_nothing(s3, replay: Replay, tmp_path: Path, options, words) -> None:
    put_all(s3, "archive", exports(30) | {"notes/readme.txt": b"{}"})
    (tmp_path / "out.jsonl").write_text("yesterday's")
    told = f"guardduty-lens: nothing to read {words}. --allow-empty takes that for success\n"
    _, err = replay(*options, "-o", "out.jsonl", code=1)
    assert err.startswith(told)
    assert (tmp_path / "out.jsonl").read_text() == "yesterday's"
    assert replay(*options, "--dry-run", code=1) == (b"0 sources, 0.0 MB, would be replayed\n", told)
    _, err = replay(*options, "--allow-empty", "-o", "out.jsonl")
    assert "nothing to read" not in err
