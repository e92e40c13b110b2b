import base64
import gzip
import json
import re

import pytest

from guardduty_lens import Lens
from guardduty_lens.outputs.dead_letters import DeadLetters, dead_letter
from guardduty_lens.outputs.sinks import DeliveryError
from guardduty_lens.payloads.limits import Limits
from guardduty_lens.payloads.pieces import Position, Rejected


def lens(**options):
    return Lens(extractors=(), **options)


def rejects(payload, **options):
    return [item for item in lens(**options).process(payload, "in.jsonl") if isinstance(item, Rejected)]


def test_the_letter_of_text():
    rejected = Rejected("not_json", "expected a value", 'é"\n'.encode(), Position(3, 40), "in.jsonl")
    assert dead_letter(rejected) == {
        "reason": "not_json",
        "message": "expected a value",
        "source": "in.jsonl",
        "position": {"line": 3, "byte": 40},
        "raw": 'é"\n',
    }


def test_the_letter_of_bytes_that_are_no_utf8():
    rejected = Rejected("not_utf8", "m", b'{"a":"\xff"}', Position(1, 0, "Records[0].body"))
    assert dead_letter(rejected) == {
        "reason": "not_utf8",
        "message": "m",
        "source": "-",
        "position": {"line": 1, "byte": 0, "inside": "Records[0].body"},
        "raw_base64": base64.b64encode(b'{"a":"\xff"}').decode(),
    }


def test_the_file_is_made_by_the_first_letter_and_appended_to(tmp_path):
    path = tmp_path / "dead.jsonl"
    with DeadLetters(path):
        pass
    assert not path.exists()
    one, two = rejects("one"), rejects(b"\xff")
    for batch in (one, two):
        with DeadLetters(path) as letters:
            for rejected in batch:
                letters.write(rejected)
            assert path.read_bytes().endswith(b"}\n")
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert lines == [dead_letter(rejected) for rejected in one + two]


def test_a_place_that_cannot_be_written_to(tmp_path):
    path = tmp_path / "no" / "such" / "folder"
    words = f"cannot write dead letters to {path}: No such file or directory; make its folder"
    with DeadLetters(path) as letters, pytest.raises(DeliveryError, match=re.escape(words)):
        letters.write(rejects("one")[0])
    assert letters.saved == 0


def test_a_line_that_a_full_disk_cut_short_spoils_no_other(tmp_path):
    path = tmp_path / "dead.jsonl"
    path.write_bytes(b'{"reason":"not_json","mess')
    with DeadLetters(path) as letters:
        letters.write(rejects("one")[0])
        letters.write(rejects("two")[0])
    assert letters.saved == 2
    lines = path.read_bytes().splitlines()
    assert [json.loads(line)["raw"] for line in lines[1:]] == ["one", "two"]


@pytest.mark.parametrize(
    "payload",
    [
        "oops",
        "one\ntwo",
        '{"a":tru}',
        '{"a":',
        b'{"a":"\xff"}',
        b"\xff\xfe{\x00}\x00",
        b"\x00\x01",
        "[" * 100_000 + "]" * 100_000,
        [1],
        [None, {"a": 1}],
        {"Type": "Notification", "TopicArn": "t", "Message": "oops"},
        {"log": '{"source":"aws.guardduty","detail":{"id":"'},
    ],
)
def test_a_letter_gives_the_same_reject_again(payload):
    [first] = rejects(payload)
    [again] = rejects(dead_letter(first))
    assert (again.reason, again.raw) == (first.reason, first.raw)
    assert again.position.inside in {"raw", "raw_base64"}


def test_a_letter_of_a_letter():
    [first] = rejects(b'{"a":"\xff"}')
    letter = dead_letter(first)
    assert json.loads(json.dumps(letter)) == letter
    [again] = rejects(json.dumps(letter).encode() + b"\n")
    [third] = rejects(dead_letter(again))
    assert (third.reason, third.raw) == (first.reason, first.raw)


@pytest.mark.parametrize(
    ("data", "reason"),
    [("%%%", "bad_base64"), (base64.b64encode(gzip.compress(b"{}")[:-1]).decode(), "bad_gzip")],
)
def test_a_letter_of_damaged_data_is_one_reject_of_the_same_bytes(data, reason):
    [first] = rejects({"records": [{"recordId": "1", "data": data}]})
    assert first.reason == reason
    [again] = rejects(dead_letter(first))
    assert again.raw == first.raw


def test_what_follows_gzip_and_is_none_is_kept():
    packed = gzip.compress(b'{"a":1}\n')
    [found] = rejects(packed + b"trailing text")
    assert (found.reason, found.raw) == ("bad_gzip", b"trailing text")


@pytest.mark.parametrize("cut", [5, 15, -3])
def test_gzip_that_ends_early_is_rejected_with_its_source(cut):
    found = rejects(gzip.compress(b'{"a":1}\n')[:cut])
    assert found[-1].reason == "bad_gzip"
    assert {item.source for item in found} == {"in.jsonl"}
    json.dumps(dead_letter(found[-1]))


FINDING = {"type": "Recon:EC2/Portscan", "id": "f1", "severity": 5, "service": {}}


def test_what_a_limit_refused_is_read_when_the_limit_is_raised():
    for payload, limits in (
        (json.dumps(FINDING), Limits(value_bytes=40)),
        ([[[[FINDING]]]], Limits(wrappings=2)),
        ([FINDING, FINDING], Limits(events=1)),
        (FINDING | {"x": [[[[]]]]}, Limits(nesting=3)),
    ):
        found = rejects(json.dumps(payload) if not isinstance(payload, str) else payload, limits=limits)
        assert found
        again = [item for rejected in found for item in lens().process(dead_letter(rejected))]
        assert {item.kind for item in again} == {"finding"}


def test_letters_among_records_are_replayed_in_place():
    letter = dead_letter(Rejected("not_json", "m", json.dumps(FINDING).encode(), Position()))
    [replayed, plain] = lens().process([letter, FINDING])
    assert replayed.to_dict() == plain.to_dict()
