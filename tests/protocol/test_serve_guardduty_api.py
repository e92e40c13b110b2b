"""The guardduty-api input of `serve`, as a process, with a stand-in for GuardDuty's API, and moto's STS."""

import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from command_line import COMMAND
from guardduty_api import GuardDutyApi, guardduty_api
from serving import Serving, until

from guardduty_lens.samples import generate_findings

ROLES = "[arn:aws:iam::111122223333:role/read, arn:aws:iam::444455556666:role/read]"
TEXT = """
inputs:
  - type: guardduty-api
    regions: [eu-west-1, us-east-1]
    memory: guardduty.sqlite
    every_seconds: 1
{more}
  - {{type: http, listen: "127.0.0.1:0"}}
outputs: [{{type: file, path: {path}}}]
dead_letters: dead.jsonl
"""


@pytest.fixture
def api(account: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[GuardDutyApi]:
    with guardduty_api() as started:
        monkeypatch.setenv("AWS_ENDPOINT_URL_GUARDDUTY", started.url)
        yield started


@pytest.fixture
def serve(tmp_path: Path, api: GuardDutyApi) -> Iterator[Callable[..., Serving]]:
    begun: list[Serving] = []

    def begin(more: str = "", path: str = "out.jsonl") -> Serving:
        begun.append(Serving(tmp_path, TEXT.format(more=more, path=path)))
        return begun[-1]

    yield begin
    for each in begun:
        each.end()


def findings(count: int) -> list[dict[str, Any]]:
    """Give sample findings, the last update of each."""
    return list({each["id"]: each for each in generate_findings(count, 11)}.values())


def seen(serving: Serving, name: str = "out.jsonl") -> Counter[tuple[str, str]]:
    return Counter((each["finding_id"], each["updated_at"]) for each in serving.records(name))


def of(given: list[dict[str, Any]]) -> Counter[tuple[str, str]]:
    return Counter((each["id"], each["updatedAt"]) for each in given)


def test_every_finding_of_every_region_once_and_then_what_changes(api: GuardDutyApi, serve) -> None:
    given = findings(250)
    # More than a page of them at one and the same moment.
    for each in given[:120]:
        each["updatedAt"] = "2026-01-20T10:00:00.000Z"
    given[0]["service"]["notYetKnownToAnySdk"] = {"x": 1.10}
    api.put("eu-west-1", "d1", *given[:200])
    api.put("us-east-1", "d2", *given[200:])
    serving = serve()
    until(lambda: len(serving.records()) == len(given))
    changed = given[5] | {"updatedAt": time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())}
    changed["service"] = changed["service"] | {"count": 99}
    api.put("eu-west-1", "d1", changed)
    until(lambda: len(serving.records()) == len(given) + 1)
    time.sleep(2.5)  # two rounds more
    assert serving.stop() == 0
    assert seen(serving) == of([*given, changed])
    [first] = [each for each in serving.records() if each["finding_id"] == given[0]["id"]]
    assert first["detail"]["service"]["notYetKnownToAnySdk"] == {"x": 1.10}
    counted = serving.counted("guardduty-api")
    assert counted["findings"] == len(given) + 1
    assert counted["errors"] == 0

    # What a restart finds is what came since; what was long settled is not asked for again.
    late = findings(300)[-1] | {"id": "late", "updatedAt": changed["updatedAt"]}
    api.put("us-east-1", "d2", late)
    api.got.clear()
    serving.start()
    until(lambda: len(serving.records()) == len(given) + 2)
    assert serving.stop() == 0
    assert seen(serving) == of([*given, changed, late])
    assert {changed["id"], "late"} <= set(api.got)
    assert len(set(api.got)) < 10


def test_accounts_by_roles(api: GuardDutyApi, serve) -> None:
    api.put("eu-west-1", "d1", *findings(3))
    serving = serve(f"    roles: {ROLES}\n    external_id: secret-agreed\n    tag: accounts")
    until(lambda: len(serving.records()) == 6)  # the stand-in shows every account the same
    assert serving.stop() == 0
    keys = {key for _, key in api.asked}
    assert len(keys) >= 2
    assert "test" not in keys  # our own, which asked STS alone


def test_throttling_and_refusals_are_waited_out(api: GuardDutyApi, serve) -> None:
    api.put("eu-west-1", "d1", *findings(60))
    api.trouble = [429, 429, 500, 403]
    serving = serve()
    until(lambda: len(serving.records()) == len(findings(60)), 60)
    assert serving.stop() == 0
    assert any("GuardDuty in " in line and "AccessDenied" in line for line in serving.said)
    assert seen(serving) == of(findings(60))


def test_killed_and_with_an_output_that_is_down_it_loses_nothing(api: GuardDutyApi, serve) -> None:
    given = findings(400)
    api.put("eu-west-1", "d1", *given)
    serving = serve(path="later/out.jsonl")
    until(lambda: any("could not deliver" in line for line in serving.said))
    serving.stop(signal.SIGKILL)
    serving.start()
    (serving.folder / "later").mkdir()
    for _ in range(3):
        time.sleep(0.4)
        serving.stop(signal.SIGKILL)
        serving.start()
    until(lambda: set(seen(serving, "later/out.jsonl")) == set(of(given)), 60)
    assert serving.stop() == 0


@pytest.mark.parametrize(
    ("inputs", "says"),
    [
        ("[{type: guardduty-api, memory: m}]", "needs 'regions'"),
        ("[{type: guardduty-api, regions: [eu-west-1]}]", "needs 'memory'"),
        ("[{type: guardduty-api, regions: [Ireland], memory: m}]", "regions"),
        ("[{type: guardduty-api, regions: [eu-west-1], memory: m, external_id: x}]", "along with roles"),
        (
            "[{type: guardduty-api, regions: [eu-west-1], memory: m, queue_url: 'https://x/y'}]",
            "is not for an",
        ),
        ("[{type: s3, bucket: b, aws_region: r, memory: m, roles: ['arn:aws:iam::1:role/x']}]", "roles"),
    ],
)
def test_a_configuration_that_is_none_is_told(inputs: str, says: str, tmp_path: Path) -> None:
    import subprocess

    (tmp_path / "lens.yml").write_text(f"inputs: {inputs}\noutputs: [{{type: file, path: x}}]\n")
    line = [*COMMAND, "serve", "--config", str(tmp_path / "lens.yml"), "--check"]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert says in done.stderr
