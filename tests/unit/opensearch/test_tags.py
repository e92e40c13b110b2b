"""Deployment markers: what one is, what makes it the same, and which events become one."""

import json

import pytest

from guardduty_lens import Lens
from guardduty_lens.opensearch.documents import Documents, is_foreign
from guardduty_lens.opensearch.names import Names
from guardduty_lens.opensearch.tags import TagError, make_tag, read_tag, tag_of_event

NOW = 1_740_819_600_000  # 2025-03-01T09:00:00Z

PIPELINE = {
    "version": "0",
    "id": "p1",
    "source": "aws.codepipeline",
    "detail-type": "CodePipeline Pipeline Execution State Change",
    "account": "111122223333",
    "region": "eu-west-1",
    "time": "2025-03-01T09:00:00Z",
    "detail": {"pipeline": "shop", "execution-id": "01234567", "state": "SUCCEEDED", "version": 3},
}
DEPLOYMENT = {
    "version": "0",
    "id": "d1",
    "source": "aws.codedeploy",
    "detail-type": "CodeDeploy Deployment State-change Notification",
    "account": "111122223333",
    "region": "eu-west-1",
    "time": "2025-03-01T09:00:00Z",
    "detail": {"application": "shop", "deploymentId": "d-1", "state": "SUCCESS", "deploymentGroup": "blue"},
}


def body(tag, prefix=""):
    document = tag.document(Names(prefix))
    return document.index, document.id, json.loads(document.body)


def test_a_tag_is_one_document_and_the_same_when_it_is_made_again():
    made = [
        make_tag("release", now=NOW, version="1.2", service="shop", fields={"commit": "abc"}) for _ in "ab"
    ]
    assert body(made[0], "acme-") == body(made[1], "acme-")
    index, identifier, document = body(made[0], "acme-")
    assert index == "acme-guardduty-tags"
    assert len(identifier) == 32
    assert document == {
        "@timestamp": "2025-03-01T09:00:00.000Z",
        "name": "release",
        "label": "shop release 1.2",
        "version": "1.2",
        "service": "shop",
        "fields": {"commit": "abc"},
        "source": "command",
    }
    others = [
        make_tag("release", now=NOW + 1000, version="1.2", service="shop"),
        make_tag("release", now=NOW, version="1.3", service="shop"),
        make_tag("release", now=NOW, version="1.2", service="cart"),
    ]
    assert len({body(each)[1] for each in [made[0], *others]}) == 4
    assert body(make_tag("release", now=NOW, id="build-7"))[1] == "build-7"


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"at": "yesterday"}, "'yesterday' is no date"),
        ({"version": "x" * 257}, "version: 1 to 256 characters"),
        ({"service": "  "}, "service: 1 to 256 characters"),
        ({"fields": {"a": ""}}, "field 'a': 1 to 256 characters"),
        ({"fields": {str(n): "x" for n in range(51)}}, "more than 50 fields"),
    ],
)
def test_what_is_no_tag(wrong, why):
    with pytest.raises(TagError, match=why):
        make_tag("release", now=NOW, **wrong)


def test_a_tag_that_is_posted():
    tag = read_tag(b'{"name": "r", "at": "2025-03-01T10:00:00+01:00", "fields": {"by": "ci"}}', 0)
    assert (tag.at, tag.source, tag.fields) == (NOW, "http", {"by": "ci"})
    for wrong in (b"{", b"[]", b'{"version": "1"}', b'{"name": 1}', b'{"name": "r", "colour": "red"}'):
        with pytest.raises(TagError, match="no tag"):
            read_tag(wrong, 0)


@pytest.mark.parametrize(
    ("event", "label", "source"),
    [(PIPELINE, "shop 01234567", "codepipeline"), (DEPLOYMENT, "shop d-1", "codedeploy")],
)
def test_events_that_say_that_something_was_deployed(event, label, source):
    tag = tag_of_event(event)
    assert (tag.label, tag.source, tag.at, tag.id) == (label, source, NOW, event["id"])
    assert tag.fields == {"account": "111122223333", "region": "eu-west-1"}
    [record] = Lens(extractors=()).process(event)
    assert not is_foreign(record)
    [document] = Documents(Names()).of(record, NOW)
    assert (document.index, document.id) == ("guardduty-tags", event["id"])


@pytest.mark.parametrize(
    "change",
    [{"detail": {"state": "FAILED", "pipeline": "shop"}}, {"time": None}, {"id": None}, {"detail": None},
     {"detail-type": "CodePipeline Stage Execution State Change"}, {"time": "soon"},
     {"detail": {"state": "SUCCEEDED"}}],
)  # fmt: skip
def test_events_that_do_not(change):
    assert tag_of_event(PIPELINE | change) is None
    [record] = Lens(extractors=()).process(PIPELINE | change)
    assert is_foreign(record)
