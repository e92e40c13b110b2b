"""Options of a connection: what goes together, and that no secret shows."""

import logging
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from guardduty_lens.cli.main import main
from guardduty_lens.opensearch.client import Connection, ConnectionOptionsError, Secret, connect, read_secret

PASSWORD = "correct-horse"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"urls": ()}, "no URL"),
        ({"urls": ("ftp://host",)}, "must be like https://host:9200"),
        ({"urls": ("host:9200",)}, "must be like https://host:9200"),
        ({"urls": ("https://host/?a=b",)}, "must be like https://host:9200"),
        ({"urls": ("https://host:port",)}, "cannot be read as a URL"),
        ({"urls": (f"https://me:{PASSWORD}@host",)}, "does not go into the URL"),
        ({"user": "me"}, "go together"),
        ({"password": Secret(PASSWORD)}, "go together"),
        ({"token": Secret(PASSWORD), "aws_region": "eu-west-1"}, "only one of"),
        ({"client_key": Path("key.pem")}, "needs --client-cert"),
        ({"urls": ("http://host:9200",), "token": Secret(PASSWORD)}, "over https only"),
    ],
)
def test_options_that_make_no_connection(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ConnectionOptionsError, match=words) as caught:
        Connection(**{"urls": ("https://host:9200",)} | options)
    assert PASSWORD not in str(caught.value)


def test_no_secret_shows(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    basic = Connection(urls=("https://host",), user="me", password=Secret(PASSWORD))
    bearer = Connection(urls=("https://host",), token=Secret(PASSWORD))
    shown = [repr(each) + str(each) + repr(connect(each)) for each in (basic, bearer)]
    assert PASSWORD not in "".join(shown) + caplog.text


def test_passwords_go_to_loopback_without_tls() -> None:
    for url in ("http://localhost:9200", "http://127.0.0.1:9200", "http://[::1]:9200"):
        Connection(urls=(url,), user="me", password=Secret(PASSWORD))


def test_secret_of_a_file_is_its_one_line(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_bytes(b"correct horse\r\n")
    assert read_secret(path, "--password-file").reveal() == "correct horse"
    for wrong in (b"", b"\n", b"one\ntwo\n", b"\xff", b"x" * 70_000):
        path.write_bytes(wrong)
        with pytest.raises(ConnectionOptionsError, match="--password-file"):
            read_secret(path, "--password-file")


def test_authority_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    ca = tmp_path / "ca.pem"
    ca.write_text("no certificate")
    with pytest.raises(ConnectionOptionsError, match=r"--ca .*ca\.pem"):
        connect(Connection(urls=("https://host",), ca=ca))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--to", "opensearch"], "no URL of a cluster is given"),
        (["--url", "http://localhost:9200"], "goes with --to opensearch"),
        (["--no-state"], "--no-state goes with --to opensearch"),
        (["--to", "opensearch", "--url", "http://localhost", "--flatten"], "do not go with --to opensearch"),
        (["--to", "opensearch", "--url", "http://localhost", "-o", "out"], "do not go with --to opensearch"),
        (["--to", "opensearch", "--url", "http://localhost", "--index-prefix", "A"], "index prefix 'A'"),
        (["--to", "opensearch", "--url", "http://localhost", "--user", "me"], "go together"),
    ],
)
def test_wrong_use_is_said(arguments: list[str], words: str) -> None:
    result = CliRunner().invoke(main, ["filter", *arguments], input="")
    assert result.exit_code == 2
    assert words in result.output
