"""What is said where optional dependencies are missing: all at once, with one line that installs them."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from guardduty_lens.aws.spark.command import main as spark
from guardduty_lens.extras import MODULES, MissingExtraError, require
from guardduty_lens.version import __version__

ROOT = Path(__file__).parents[2]
WITHOUT_COMMANDS = {"dev", "lambda"}
MODULE_OF = {"opensearch-py": "opensearchpy"}


def advice(extras):
    return (
        "not installed here. Install what is missing with\n"
        f"  pip install '.[{extras}]'\n"
        "in a checkout of guardduty-lens, or from its wheel with\n"
        f"  pip install './guardduty_lens-{__version__}-py3-none-any.whl[{extras}]'"
    )


def test_the_table_is_pyproject_s():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = {
        extra: tuple(MODULE_OF.get(name := re.match("[a-z0-9-]+", each)[0], name) for each in requirements)
        for extra, requirements in project["optional-dependencies"].items()
        if extra not in WITHOUT_COMMANDS
    }
    assert declared == MODULES


def test_all_that_is_missing_is_told_at_once():
    wanted = {"http": "an http input", "aws": "an s3 input", "opensearch": "a cluster", "report": "a report"}
    with pytest.raises(MissingExtraError) as caught:
        require(wanted, {"msgpack", "duckdb"}.__contains__)
    assert str(caught.value) == (
        "an http input needs orjson and uvicorn; an s3 input needs boto3; a cluster needs opensearchpy, "
        + advice("aws,http,opensearch")
    )


def test_what_only_makes_it_faster_is_not_asked_for():
    require({"forward": "serve"}, {"msgpack", "orjson"}.__contains__)


SERVE = """
inputs: [{type: http}, {type: s3, bucket: bbb, aws_region: eu-west-1, memory: m.sqlite}]
outputs: [{type: opensearch, url: ["http://127.0.0.1:9"]}, {type: coralogix, domain: eu2, key: {env: NONE}}]
"""


@pytest.mark.parametrize(
    ("line", "without", "needs", "extras"),
    [
        (["filter", "in", "--to", "parquet", "-o", "p"], ["duckdb"], "--to parquet needs duckdb", "parquet"),
        (
            ["filter", "in", "--to", "opensearch", "--url", "https://h", "--aws-region", "eu-west-1"],
            ["opensearchpy", "boto3"],
            "a cluster at --url needs opensearchpy; --aws-region needs boto3",
            "aws,opensearch",
        ),
        (
            ["replay", "s3://bbb/p", "--to", "opensearch", "--url", "https://h"],
            ["opensearchpy", "boto3"],
            "reading s3://bbb/p needs boto3; a cluster at --url needs opensearchpy",
            "aws,opensearch",
        ),
        (["enqueue", "s3://bbb/p", "--queue", "q"], ["boto3"], "enqueue needs boto3", "aws"),
        (["report", "in"], ["duckdb"], "a report needs duckdb", "report"),
        (
            ["report", "--from-opensearch", "--url", "https://h"],
            ["duckdb", "opensearchpy"],
            "a report needs duckdb; a cluster at --url needs opensearchpy",
            "opensearch,report",
        ),
        (["plan", "--url", "https://h"], ["opensearchpy"], "a cluster needs opensearchpy", "opensearch"),
        (
            ["plan", "--url", "https://h", "--aws-region", "eu-west-1"],
            ["boto3"],
            "--aws-region needs boto3",
            "aws",
        ),
        (
            ["serve", "--config", "lens.yml"],
            ["msgpack", "orjson", "uvicorn", "boto3", "opensearchpy", "urllib3"],
            "serve needs msgpack and orjson; an http input needs msgpack and orjson and uvicorn; "
            "an input of type s3 needs boto3; an output of type opensearch needs opensearchpy; "
            "an output of type coralogix needs urllib3",
            "aws,coralogix,forward,http,opensearch",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_commands_name_all_that_they_need(tmp_path, line, without, needs, extras):
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.json").write_text("{}")
    (tmp_path / "lens.yml").write_text(SERVE)
    hide = f"import sys; sys.modules.update(dict.fromkeys({without!r})); "
    run = [sys.executable, "-c", hide + "from guardduty_lens.cli.main import main; main()", *line]
    result = subprocess.run(run, cwd=tmp_path, capture_output=True, timeout=60, check=False)
    assert result.returncode == 2
    assert f"{needs}, {advice(extras)}" in result.stderr.decode()
    assert b"Traceback" not in result.stderr


def test_the_spark_job_too(monkeypatch):
    for module in ("pyspark", "duckdb"):
        monkeypatch.setitem(sys.modules, module, None)
    result = CliRunner().invoke(spark, ["in", "-o", "out"])
    assert result.exit_code == 2
    assert f"the job needs duckdb and pyspark, {advice('spark')}" in result.output
