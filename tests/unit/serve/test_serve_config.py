"""The configuration of `serve`: every fault at once, with its place; secrets nowhere."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from guardduty_lens.cli.main import main
from guardduty_lens.serve.config import ConfigError, load_config


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
  - {type: forward, users: {u: {env: P}}}
outputs:
  - {type: file}
  - {type: file, path: a, url: [x]}
  - {type: opensearch, path: b, name: file-1}
"""
    assert _faults(tmp_path, text) == [
        "3:29: HOST:PORT is wanted, not 'nowhere'",
        "4:29: what others can reach wants tls, or a shared_key",
        "5:33: a secret is in a file or in an env variable: one of them",
        "6:21: users are asked for along with a shared_key",
        "8:5: an output of type file needs 'path'",
        "9:27: 'url' is not for an output of type file",
        "10:5: an output of type opensearch needs 'url'",
        "10:24: 'path' is not for an output of type opensearch",
        "10:39: there is an output 'file-1' already",
    ]


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


def test_the_shipped_configurations_are_sound(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Path(__file__).parents[3] / "pipelines" / "fluent-bit"
    monkeypatch.setenv("GUARDDUTY_LENS_SHARED_KEY", "x")
    monkeypatch.setenv("GUARDDUTY_LENS_PASSWORD", "x")
    result = CliRunner().invoke(main, ["serve", "--config", str(folder / "lens.yml"), "--check"])
    assert result.exit_code == 0, result.output
