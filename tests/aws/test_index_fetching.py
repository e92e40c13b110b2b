"""The function `index` and its objects: small ones fetched side by side, large ones as they come."""

import json

import pytest
from counted_findings import UPDATES
from function_events import counts, letters, queued, told

from guardduty_lens.aws import index
from guardduty_lens.inputs import s3_archive
from guardduty_lens.inputs.s3_archive import S3Source


@pytest.fixture
def ahead(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Keys of the objects that are fetched ahead."""
    keys: list[str] = []
    begin = S3Source.begin

    def note(source: S3Source, threads) -> None:
        keys.append(source.key)
        begin(source, threads)

    monkeypatch.setattr(S3Source, "begin", note)
    monkeypatch.setattr(s3_archive, "SMALL_BYTES", 5_000)
    return keys


def test_every_object_however_it_is_fetched(s3, cluster, prefix, ahead: list[str]) -> None:
    bodies = {f"{number}.json": json.dumps(each).encode() for number, each in enumerate(UPDATES)}
    bodies["large.json"] = json.dumps(UPDATES[0] | {"padding": "x" * 6_000}).encode()
    for key, body in bodies.items():
        s3.put_object(Bucket="archive", Key=key, Body=body)
    notification = told(*bodies, "gone.json", "0.json", "nobody-told.json")
    s3.put_object(Bucket="archive", Key="nobody-told.json", Body=bodies["1.json"])
    for each in notification["Records"][:-1]:
        found = each["s3"]["object"]
        found["size"] = len(bodies.get(found["key"], b"x"))
    assert index.handler(queued(notification, UPDATES[0]), None) == {"batchItemFailures": []}
    assert counts(cluster, prefix) == (12, 10)
    assert sorted(ahead) == sorted([*bodies.keys() - {"large.json"}, "gone.json", "0.json"])
    assert [each["reason"] for each in letters(s3)] == ["gone"]


def test_a_message_that_fails_leaves_the_others_their_objects(s3, cluster, prefix) -> None:
    for number, each in enumerate(UPDATES[:3]):
        s3.put_object(Bucket="archive", Key=f"{number}.json", Body=json.dumps(each).encode())
    broken = told("x.json", "0.json")
    broken["Records"][0]["s3"]["bucket"]["name"] = "not-ours"
    event = queued(told("1.json"), broken, told("2.json"))
    assert index.handler(event, None) == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
    assert counts(cluster, prefix) == (2, 2)
