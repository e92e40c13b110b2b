"""The s3 input of `serve`, as a process, with moto's server as the account."""

import gzip
import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from counted_findings import UPDATES
from serving import Serving, until

TEXT = """
inputs:
  - type: s3
    bucket: archive
    aws_region: eu-west-1
    prefix: "{prefix}"
    memory: s3.sqlite
    every_seconds: 1
  - {{type: http, listen: "127.0.0.1:0"}}
outputs: [{{type: file, path: {path}}}]
dead_letters: dead.jsonl
"""
TODAY = datetime.now(UTC).strftime("%Y/%m/%d")
OURS = "guardduty/111122223333/eu-west-1"
EXPORT = "AWSLogs/111122223333/GuardDuty/eu-west-1"


@pytest.fixture
def serve(tmp_path: Path, s3: Any) -> Iterator[Callable[..., Serving]]:
    begun: list[Serving] = []

    def begin(prefix: str = "", path: str = "out.jsonl") -> Serving:
        begun.append(Serving(tmp_path, TEXT.format(prefix=prefix, path=path)))
        return begun[-1]

    yield begin
    for each in begun:
        each.end()


def put(s3: Any, key: str, *findings: dict[str, Any]) -> None:
    text = "".join(json.dumps(each) + "\n" for each in findings).encode()
    s3.put_object(Bucket="archive", Key=key, Body=gzip.compress(text) if key.endswith(".gz") else text)


def ids(serving: Serving, name: str = "out.jsonl") -> list[tuple[str, str]]:
    return sorted((each["detail"]["id"], each["detail"]["updatedAt"]) for each in serving.records(name))


def of(*findings: dict[str, Any]) -> list[tuple[str, str]]:
    return sorted((each["detail"]["id"], each["detail"]["updatedAt"]) for each in findings)


def test_every_object_once_whenever_it_comes_and_whoever_is_restarted(s3, serve) -> None:
    put(s3, f"{OURS}/2020/01/01/f/u.json", UPDATES[0])
    put(s3, f"{EXPORT}/{TODAY}/a.jsonl.gz", UPDATES[1], UPDATES[2])
    s3.put_object(Bucket="archive", Key="picture.png", Body=b"\x89PNG")
    serving = serve()
    until(lambda: len(serving.records()) == 3)
    # Another account, whose key sorts before all that was read, another region, and a finding in no folder.
    put(s3, f"{OURS.replace('1111', '0000')}/{TODAY}/f/u.json", UPDATES[3])
    put(s3, f"{OURS.replace('eu', 'us')}/{TODAY}/f/u.json", UPDATES[4])
    put(s3, "f6.json", UPDATES[5])
    until(lambda: len(serving.records()) == 6)
    assert serving.stop() == 0
    assert serving.counted("s3")["objects"] == 5
    put(s3, f"{OURS}/2020/01/01/late/u.json", UPDATES[6])  # while nobody looks, into a day long past
    serving.start()
    until(lambda: len(serving.records()) == 7)
    time.sleep(2.5)  # two rounds more
    assert serving.stop() == 0
    assert ids(serving) == of(*UPDATES[:7])


def test_an_object_that_changes_is_delivered_anew(s3, serve) -> None:
    """The article's layout, flat: the same key for every update of a finding."""
    put(s3, "f.json", UPDATES[0])
    serving = serve()
    until(lambda: len(serving.records()) == 1)
    put(s3, "f.json", UPDATES[1])
    until(lambda: len(serving.records()) == 2)
    assert serving.stop() == 0
    assert ids(serving) == of(UPDATES[0], UPDATES[1])


def test_only_under_the_prefix(s3, serve) -> None:
    put(s3, f"{OURS}/{TODAY}/f/u.json", UPDATES[0])
    put(s3, f"{EXPORT}/{TODAY}/a.jsonl.gz", UPDATES[1])
    serving = serve("guardduty/")
    until(lambda: bool(serving.records()))
    put(s3, f"{OURS}/{TODAY}/g/u.json", UPDATES[2])
    until(lambda: len(serving.records()) == 2)
    assert serving.stop() == 0
    assert ids(serving) == of(UPDATES[0], UPDATES[2])


def test_more_than_a_page(s3, serve) -> None:
    for number in range(1_050):
        detail = UPDATES[0]["detail"] | {"id": f"n{number}"}
        put(s3, f"{OURS}/{TODAY}/{number}.json", UPDATES[0] | {"detail": detail})
    serving = serve()
    until(lambda: len(serving.records()) == 1_050, 60)
    assert serving.stop() == 0
    assert len(set(ids(serving))) == 1_050


def test_while_an_output_is_down_nothing_is_taken_for_delivered(s3, serve) -> None:
    for number, each in enumerate(UPDATES[:5]):
        put(s3, f"{OURS}/{TODAY}/{number}.json", each)
    serving = serve(path="later/out.jsonl")
    until(lambda: any("could not deliver" in line for line in serving.said))
    assert serving.stop() == 0
    assert serving.counted("s3")["objects"] == 0
    serving.start()
    (serving.folder / "later").mkdir()
    until(lambda: len(serving.records("later/out.jsonl")) == 5, 60)
    assert serving.stop() == 0
    assert ids(serving, "later/out.jsonl") == of(*UPDATES[:5])


def test_what_cannot_be_read_is_tried_again_and_holds_up_nothing(s3, serve) -> None:
    s3.put_object(Bucket="archive", Key="a.json", Body=b" " * (64 * 1024 * 1024 + 1))
    put(s3, "b.json", UPDATES[0])
    s3.put_object(Bucket="archive", Key="c.json", Body=b"no JSON")
    serving = serve()
    until(lambda: bool(serving.records()) and bool(serving.records("dead.jsonl")))
    put(s3, "a.json", UPDATES[1])
    until(lambda: len(serving.records()) == 2)
    assert serving.stop() == 0
    assert ids(serving) == of(UPDATES[0], UPDATES[1])
    assert [letter["raw"] for letter in serving.records("dead.jsonl")] == ["no JSON"]
    assert serving.counted("s3")["left"] >= 1


def test_a_bucket_that_is_not_there_is_told_and_tried_again(s3, serve) -> None:
    s3.delete_bucket(Bucket="archive")
    serving = serve()
    until(lambda: any("cannot be listed" in line for line in serving.said))
    s3.create_bucket(Bucket="archive", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    put(s3, "f.json", UPDATES[0])
    until(lambda: len(serving.records()) == 1)
    assert serving.stop() == 0


def test_killed_it_loses_nothing(s3, serve) -> None:
    """Every object is delivered, whenever the process dies; a file may hold some twice."""
    for number, each in enumerate(UPDATES):
        put(s3, f"{OURS}/{TODAY}/{number}.json", each)
    for after in (0.0, 0.05, 0.1):
        serving = serve()
        time.sleep(after)
        serving.end()
    serving = serve()
    time.sleep(1)
    until(lambda: set(of(*UPDATES)) <= set(ids(serving)))
    assert serving.stop() == 0
