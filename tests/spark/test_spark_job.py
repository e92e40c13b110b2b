"""The Spark job, on this machine: from moto's S3 to Parquet and the real OpenSearch, equal to `filter`.

`make test-spark` installs what it wants.
"""

import gzip
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import duckdb
import pytest
from aws_account import s3_with
from command_line import COMMAND, json_lines
from exports import exports, put_all
from installed_cluster import Cluster

pytest.importorskip("pyspark", reason="make test-spark installs it")

JOB = [sys.executable, "-m", "guardduty_lens.aws.spark"]
BROKEN = b'{"type": "Recon:EC2/Portscan", "id": "cut short\n'


@pytest.fixture
def s3(account: dict[str, str]) -> Any:
    return s3_with("archive", "lake")


def run(*arguments: Any, code: int = 0, folder: Path) -> str:
    line = [*JOB, *map(str, arguments)]
    done = subprocess.run(line, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == code, done.stderr
    return done.stderr


def filtered(objects: dict[str, bytes], folder: Path) -> list[dict[str, Any]]:
    """Give what `filter` writes of the same objects."""
    path = folder / "all.jsonl"
    path.write_bytes(b"".join(gzip.decompress(objects[key]) for key in sorted(objects)))
    line = [*COMMAND, "filter", str(path), "-q", "--dead-letters", str(folder / "dead")]
    return json_lines(subprocess.run(line, capture_output=True, check=False).stdout)


def copied(s3: Any, to: Path) -> Path:
    """Copy what is in the lake."""
    for each in s3.list_objects_v2(Bucket="lake")["Contents"]:
        path = to / each["Key"]
        path.parent.mkdir(parents=True, exist_ok=True)
        s3.download_file("lake", each["Key"], str(path))
    return to


def rows_of(folder: Path, columns: str = "*") -> list[dict[str, Any]]:
    with duckdb.connect(":memory:") as connection:
        found = connection.execute(
            f"SELECT {columns} FROM read_parquet('{folder}/records/*/*.parquet', hive_partitioning = true, "
            "hive_types = {'day': VARCHAR})"
        )
        names = [each[0] for each in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def of(records: list[dict[str, Any]]) -> list[tuple[str, str, str, str, float]]:
    """Give what is compared of records: all that is not compared field by field in tests of Parquet."""
    return sorted(
        (
            each["finding_id"],
            str(each["event_count"]),
            each["severity_label"],
            each["finding_type"],
            each["severity_score"],
        )
        for each in records
    )


@pytest.fixture
def cluster(opensearch_url: str) -> Any:
    made = Cluster(opensearch_url, "spark-")
    made.install()
    yield made
    made.uninstall()


def test_templates_that_are_missing_fail_the_job(s3, opensearch_url: str, tmp_path: Path) -> None:
    put_all(s3, "archive", exports(40))
    bare = Cluster(opensearch_url, "spark-bare-")
    to = ("-o", tmp_path / "lake", "--url", bare.url, "--index-prefix", bare.names.prefix)
    said = run("s3://archive/AWSLogs/", *to, code=3, folder=tmp_path)
    assert "could not deliver: Spark gave up: " in said
    assert f"no index template of ours is there for {bare.names.state_index}, " in said
    assert f"run `guardduty-lens install --url {bare.url} --index-prefix spark-bare-` first" in said
    assert bare.request("GET", "_cat/indices/spark-bare-*?format=json") == []
    run("s3://archive/AWSLogs/", *to, "--without-templates", "--no-state", code=0, folder=tmp_path)
    assert len(bare.log) == 40
    bare.clear()


def test_exports_to_parquet_and_a_cluster_equal_to_filter(s3, cluster: Cluster, tmp_path: Path) -> None:
    objects = exports(1200, findings_each=40)
    key = next(iter(objects))
    broken = objects | {key: gzip.compress(gzip.decompress(objects[key]) + BROKEN)}
    put_all(s3, "archive", broken)
    records = filtered(broken, tmp_path)
    line = ("s3://archive/AWSLogs/", "-o", "s3://lake/guardduty/", "--summary", tmp_path / "summary.json")
    to_cluster = ("--url", cluster.url, "--index-prefix", "spark-")
    said = run(*line, *to_cluster, code=1, folder=tmp_path)
    assert "1,200 records, 0 filtered, 1 rejected" in said

    rows = rows_of(copied(s3, tmp_path / "copy") / "guardduty")
    assert of(rows) == of(records)
    by_day = Counter(each["updated_at"][:10] for each in records)
    assert Counter(each["day"] for each in rows) == by_day
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["rows_by_day"] == dict(sorted(by_day.items()))
    assert summary["events"]["in"] == 1201
    assert len(cluster.log) == len({each["document_id"] for each in rows})
    assert cluster.log == {each["document_id"] for each in rows}

    letters = tmp_path / "copy/guardduty/dead_letters"
    [letter] = [each for path in letters.iterdir() for each in json_lines(path.read_bytes())]
    assert letter["raw"].encode() == BROKEN.rstrip()
    assert letter["source"] == f"s3://archive/{key}"

    # Mended, and again: the same files, no dead letters, no document more.
    names = {each["Key"] for each in s3.list_objects_v2(Bucket="lake")["Contents"]}
    put_all(s3, "archive", objects)
    run(*line, *to_cluster, folder=tmp_path)
    again = {each["Key"] for each in s3.list_objects_v2(Bucket="lake")["Contents"]}
    assert again == {name for name in names if "dead_letters" not in name}
    assert of(rows_of(copied(s3, tmp_path / "again") / "guardduty")) == of(records)
    assert cluster.log == {each["document_id"] for each in rows}


def test_days_of_local_folders_with_fields_of_ones_own(tmp_path: Path) -> None:
    objects = exports(200)
    for key, body in objects.items():
        path = tmp_path / "archive" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
    (tmp_path / "fields").mkdir()
    (tmp_path / "fields/own.yml").write_text(
        "fields:\n- {field: shout, type: label, description: The region., from: [detail.region], "
        "examples: [{given: {detail: {region: x}}, gives: x}]}\n"
    )
    days = sorted({"-".join(key.split("/")[4:7]) for key in objects})
    line = ("archive", "-o", "lake", "--fields", "fields")
    run(*line, folder=tmp_path)
    assert len(rows_of(tmp_path / "lake")) == 200
    said = run(*line, "--since", days[3], "--until", days[4], folder=tmp_path)
    rows = rows_of(tmp_path / "lake")
    assert len(rows) == 200
    assert all(each["shout"] == each["finding_region"] for each in rows)
    number = sum(each["day"] in days[3:5] for each in rows)
    assert f"{number:,} records" in said
    assert not list((tmp_path / "lake").glob("_*"))


def test_flat_archives_are_shared_out(tmp_path: Path) -> None:
    for number, (_, body) in enumerate(exports(90, findings_each=1).items()):
        path = tmp_path / f"flat/{number}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(gzip.decompress(body))
    said = run("flat", "-o", "lake", folder=tmp_path)
    assert "90 sources in 16 groups" in said
    run("flat", "-o", "lake", folder=tmp_path)
    assert len(rows_of(tmp_path / "lake")) == 90


def test_what_cannot_be_done_is_told(s3, tmp_path: Path) -> None:
    assert "s3://BUCKET/PREFIX is wanted" in run("s3://UP", "-o", "lake", code=2, folder=tmp_path)
    assert "there is no file" in run("nowhere", "-o", "lake", code=2, folder=tmp_path)
    assert "cannot be listed" in run("s3://not-there", "-o", "lake", code=3, folder=tmp_path)
    (tmp_path / "in.json").write_bytes(b"{}")
    assert "0.0 MB" in run("in.json", "-o", "lake", "--dry-run", folder=tmp_path)
    assert not (tmp_path / "lake").exists()
    assert "s3://BUCKET/PREFIX is wanted" in run("in.json", "-o", "s3://UP", code=2, folder=tmp_path)
    assert "could not deliver" in run("in.json", "-o", "in.json", code=3, folder=tmp_path)
    said = run("in.json", "-o", "s3://not-there/x", code=3, folder=tmp_path)
    assert "Spark gave up: " in said
    assert "NoSuchBucket" in said
    away = ("--url", "http://127.0.0.1:9", "--give-up-after", "1")
    said = run("in.json", "-o", "lake", *away, code=3, folder=tmp_path)
    assert "Spark gave up: guardduty_lens.outputs.sinks.DeliveryError: " in said
