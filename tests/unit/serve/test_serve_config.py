"""The configuration of `serve`: every fault at once, with its place; secrets nowhere."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from guardduty_lens.cli.main import main
from guardduty_lens.serve.config import ConfigError, load_config

PIPELINES = Path(__file__).parents[3] / "pipelines"


def _faults(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "lens.yml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    return [problem.removeprefix(f"{path}:") for problem in caught.value.problems]


def test_all_faults_at_once(tmp_path: Path) -> None:
    text = """
inputs:
  - {type: forward, listen: nowhere}
  - {type: forward, listen: "0.0.0.0:24224"}
  - {type: forward, shared_key: {file: a, env: B}}
  - {type: forward, listen: "127.0.0.1:1", users: {u: {env: P}}}
  - {type: http, listen: "127.0.0.1:1"}
outputs:
  - {type: file}
  - {type: file, path: a, url: [x]}
  - {type: opensearch, path: b, name: file-1}
  - {type: forward, address: here, user: u, ca: c, compress: false}
"""
    assert _faults(tmp_path, text) == [
        "3:29: HOST:PORT is wanted, not 'nowhere'",
        "4:29: what others can reach wants tls, or a shared_key",
        "5:33: a secret is in a file or in an env variable: one of them",
        "6:44: users are asked for along with a shared_key",
        "7:5: an input listens at 127.0.0.1:1 already",
        "9:5: an output of type file needs 'path'",
        "10:27: 'url' is not for an output of type file",
        "11:5: an output of type opensearch needs 'url'",
        "11:24: 'path' is not for an output of type opensearch",
        "11:39: there is an output 'file-1' already",
        "12:5: certificates want tls: true",
        "12:5: user and password go together",
        "12:30: HOST:PORT is wanted, not 'here'",
        "12:36: a user is told along with a shared_key",
    ]


def test_faults_of_inputs_of_other_types(tmp_path: Path) -> None:
    text = """
inputs:
  - {type: sqs}
  - {type: sqs, queue_url: "https://queue.example.org/1/q"}
  - {type: sqs, queue_url: "https://sqs.eu-west-1.amazonaws.com/111122223333/q", listen: "127.0.0.1:1"}
  - {type: sqs, queue_url: "nowhere"}
  - {type: http, queue_url: "https://sqs.us-gov-west-1.amazonaws.com/111122223333/q"}
  - {type: forward, tag: a}
  - {type: s3, bucket: b, memory: m, queue_url: "https://sqs.eu-west-1.amazonaws.com/111122223333/q"}
  - {type: s3, bucket: c, memory: m, aws_region: eu-west-1}
outputs:
  - {type: file, path: a}
"""
    faults = _faults(tmp_path, text.replace('  - {type: sqs, queue_url: "nowhere"}\n', ""))
    assert faults == [
        "3:5: an input of type sqs needs 'queue_url'",
        "4:28: this URL tells no region: 'aws_region' is wanted",
        "5:82: 'listen' is not for an input of type sqs",
        "6:18: 'queue_url' is not for an input of type http",
        "7:21: 'tag' is not for an input of type forward",
        "8:5: an input of type s3 needs 'aws_region'",
        "8:38: 'queue_url' is not for an input of type s3",
        "9:35: an input remembers in m already",
    ]
    assert _faults(tmp_path, text)[0].startswith("6:28: 'queue_url'")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("inputs: []\noutputs: [{type: file, path: a}]", "1:9: 'inputs' needs at least 1, found 0"),
        ("inputs: [{type: forwrd}]\noutputs: [{type: file, path: a}]", "1:17: 'type' cannot be 'forwrd'"),
        ("inputs: [{type: forward}]", "1:1: 'outputs' is missing"),
        (
            "inputs: [{type: forward}]\noutputs: [{type: file, pth: a}]",
            "2:24: unknown key 'pth'; did you mean 'path'?",
        ),
        ("a: &x 1", "1:4: no anchors"),
    ],
)
def test_a_fault_and_its_place(tmp_path: Path, text: str, fault: str) -> None:
    assert _faults(tmp_path, text)[0].startswith(fault)


def test_secrets_that_are_not_there(tmp_path: Path) -> None:
    path = tmp_path / "lens.yml"
    path.write_text(
        "inputs: [{type: forward, shared_key: {env: NOT_SET_HERE}}]\noutputs: [{type: file, path: a}]"
    )
    result = CliRunner().invoke(main, ["serve", "--config", str(path), "--check"])
    assert result.exit_code == 2
    assert "the environment variable NOT_SET_HERE is not set" in result.output
    path.write_text(path.read_text().replace("{env: NOT_SET_HERE}", "{file: nothing}"))
    result = CliRunner().invoke(main, ["serve", "--config", str(path), "--check"])
    assert result.exit_code == 2
    assert "No such file" in result.output


@pytest.mark.parametrize(
    "path", sorted(PIPELINES.glob("*/*.yml")), ids=lambda path: "/".join(path.parts[-2:])
)
def test_the_shipped_configurations_are_sound(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GUARDDUTY_LENS_SHARED_KEY", "GUARDDUTY_LENS_PASSWORD", "LENS_TOKEN", "CORALOGIX_KEY"):
        monkeypatch.setenv(name, "x")
    result = CliRunner().invoke(main, ["serve", "--config", str(path), "--check"])
    assert result.exit_code == 0, result.output


def _check(path: Path) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["serve", "--config", str(path), "--check"])
    return result.exit_code, result.output


def test_everything_that_a_start_would_fail_of_is_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "lens.yml"
    (tmp_path / "folder").mkdir()
    path.write_text("""
inputs:
  - {type: forward, listen: "127.0.0.1:0", shared_key: {env: NOT_SET_HERE}}
  - {type: http, listen: "192.0.2.1:9880", token: {file: nothing}}
  - {type: s3, bucket: bbb, aws_region: eu-west-1, memory: state/s3.sqlite}
outputs:
  - {type: file, path: nowhere/out.jsonl, url: ["https://h"]}
  - {type: file, path: folder}
  - {type: opensearch, url: ["http://u:p@h"], ca: ca.pem}
filters: {drop_if: ["nonsense = 1"]}
dead_letters: gone/dead.jsonl
""")
    code, said = _check(path)
    assert code == 2
    assert said.split("Error: ")[1].splitlines() == [
        f"{path} cannot be used:",
        f"{path}:7:43: 'url' is not for an output of type file",
        "filters: no field 'nonsense'",
        "input 1 (forward): shared_key: the environment variable NOT_SET_HERE is not set",
        f"input 2 (http): token {tmp_path}/nothing: No such file or directory",
        "input 2 (http): cannot listen on 192.0.2.1:9880: Cannot assign requested address; "
        "name an address of this machine",
        f"input 3 (s3): memory: cannot write {tmp_path}/state/s3.sqlite: there is no folder "
        f"{tmp_path}/state; make it, or name another file",
        f"output opensearch-3: ca: there is no file {tmp_path}/ca.pem",
        "output opensearch-3: --url: a user or password does not go into the URL; use --user",
        f"output file-1: cannot write {tmp_path}/nowhere/out.jsonl: there is no folder {tmp_path}/nowhere; "
        "make it, or name another file",
        f"output file-2: cannot write {tmp_path}/folder: it is a folder; name a file in it, "
        f"such as {tmp_path}/folder/records.jsonl",
        f"dead_letters: cannot write {tmp_path}/gone/dead.jsonl: there is no folder {tmp_path}/gone; "
        "make it, or name another file",
    ]


def test_a_start_fails_of_the_same(tmp_path: Path) -> None:
    path = tmp_path / "lens.yml"
    path.write_text("inputs: [{type: http, token: {file: a}}]\noutputs: [{type: opensearch, url: [b]}]")
    result = CliRunner().invoke(main, ["serve", "--config", str(path)])
    assert result.exit_code == 2
    assert result.output.split("Error: ")[1].splitlines() == [
        f"{path} cannot be used:",
        f"input 1 (http): token {tmp_path}/a: No such file or directory",
        "output opensearch-1: --url: it must be like https://host:9200 or http://localhost:9200",
    ]


def test_a_sound_configuration_is_told_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / "lens.yml"
    path.write_text("""
inputs:
  - {type: forward}
  - {type: http, listen: "127.0.0.1:9881", token: {env: HOME}}
  - {type: s3, bucket: bbb, prefix: AWSLogs/, aws_region: eu-west-1, memory: s3.sqlite}
  - {type: sqs, queue_url: "https://sqs.eu-west-1.amazonaws.com/111122223333/q"}
  - {type: guardduty-api, regions: [eu-west-1, us-east-1], memory: api.sqlite}
outputs:
  - {type: file, path: out.jsonl, match: [a, "b.*"]}
  - {type: opensearch, url: ["https://h:9200"], name: main}
  - {type: forward, address: "127.0.0.1:24225"}
  - {type: coralogix, domain: eu2, key: {env: HOME}}
""")
    code, said = _check(path)
    assert code == 0, said
    lines = said.splitlines()
    assert lines[:-1] == [
        "input 1: forward on 127.0.0.1:24224, without TLS, without a shared key",
        "input 2: http on 127.0.0.1:9881, without TLS, with a token",
        f"input 3: s3 of s3://bbb/AWSLogs/, remembered in {tmp_path}/s3.sqlite",
        "input 4: sqs of the queue https://sqs.eu-west-1.amazonaws.com/111122223333/q",
        f"input 5: guardduty-api of eu-west-1, us-east-1, remembered in {tmp_path}/api.sqlite",
        f"output file-1: file {tmp_path}/out.jsonl, tags a, b.*",
        "output main: opensearch https://h:9200, all tags",
        "output forward-3: forward 127.0.0.1:24225, without TLS, all tags",
        "output coralogix-4: coralogix https://ingress.eu2.coralogix.com/logs/v1/singles, all tags",
    ]
    assert lines[-1].startswith("Sound. Checked: the file, extras, fields and filters, secrets,")
    assert not list(tmp_path.glob("*.sqlite"))
