"""The output to Coralogix, against a server that holds to the documented contract, and misbehaves."""

import threading
from typing import Any

import pytest
from coralogix_api import KEY, LIMIT, coralogix_api
from counted_findings import UPDATES
from forward_client import connected
from serving import Serving

from guardduty_lens import Lens, Record
from guardduty_lens.opensearch.client import Secret
from guardduty_lens.outputs.coralogix import CoralogixSink, CoralogixTarget, url_of
from guardduty_lens.outputs.sinks import DeliveryError
from guardduty_lens.payloads.pieces import Rejected
from guardduty_lens.retries import Retries
from guardduty_lens.samples import generate_findings


def records(payloads: Any) -> list[Record]:
    lens = Lens(extractors=())
    return [item for payload in payloads for item in lens.process(payload) if isinstance(item, Record)]


class Noted(Retries):
    """Waits for nothing, and notes how long it was to."""

    def __init__(self) -> None:
        super().__init__()
        self.waited: list[float] = []

    def wait(self, seconds: float, why: str, stop: threading.Event | None = None) -> bool:
        self.waited.append(seconds)
        return True


def send(url: str, given: Any, **options: Any) -> tuple[list[Rejected], list[float]]:
    refused: list[Rejected] = []
    retries = Noted()
    options.setdefault("key", Secret(KEY))
    target = CoralogixTarget(url=url, **options)
    with CoralogixSink(target, lambda _, rejected: refused.append(rejected), retries) as sink:
        for record in given:
            sink.write(record, "test")
        sink.flush()
    return refused, retries.waited


def test_an_entry_is_the_record_with_its_time_names_and_severity() -> None:
    given = records(UPDATES)
    with coralogix_api() as api:
        assert send(api.url, given, subsystem="{finding_region}/{no_such_field}") == ([], [])
    assert [entry["text"] for entry in api.entries] == [record.to_dict() for record in given]
    severities = {"Critical": 6, "High": 5, "Medium": 4, "Low": 3}
    for entry, record in zip(api.entries, given, strict=True):
        assert entry["applicationName"] == "guardduty"
        assert entry["subsystemName"] == f"{record.fields['finding_region']}/unknown"
        assert entry["severity"] == severities[record.fields["severity_label"]]
    assert api.entries[0]["timestamp"] == 1_740_823_260_000  # 2025-03-01T10:01:00Z


def trouble(number: int) -> tuple[int, dict[str, str], str] | None:
    """Refuse for a while in every way that is documented, and some that nobody documents."""
    return {
        2: (429, {"Retry-After": "7"}, "Too Many Requests"),
        3: (500, {}, "internal"),
        5: (503, {}, "unavailable"),
        6: (502, {}, "bad gateway"),
        9: (0, {}, ""),
        12: (429, {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, "Too Many Requests"),
    }.get(number)


def test_fifty_thousand_through_trouble_none_lost_none_over_the_limit() -> None:
    lens = Lens(extractors=())
    given = [item for finding in generate_findings(2_000, seed=4) for item in lens.process(finding)]
    with coralogix_api(trouble) as api:
        refused, waited = send(api.url, given * 25)
    assert refused == []
    assert len(api.entries) == 50_000
    ids = [record.fields["finding_id"] for record in given]
    assert [entry["text"]["finding_id"] for entry in api.entries] == ids * 25
    assert api.largest <= LIMIT
    assert api.requests > 50
    assert 7.0 in waited  # as it was told
    assert len(waited) == 6


def test_a_record_that_is_refused_is_told_from_the_others() -> None:
    given = records([*UPDATES[:6], UPDATES[6] | {"poison": True}, *UPDATES[7:]])
    with coralogix_api() as api:
        [refused], _ = send(api.url, given)
    assert (refused.reason, refused.message) == ("refused", "400 this entry cannot be read")
    assert b'"poison":true' in refused.raw
    assert len(api.entries) == len(UPDATES) - 1


def test_a_record_that_is_too_large_is_not_sent() -> None:
    with coralogix_api() as api:
        [refused], _ = send(api.url, records([UPDATES[0] | {"large": "x" * LIMIT}, UPDATES[1]]))
    assert refused.reason == "too_large"
    assert len(api.entries) == 1


def test_a_wrong_key_ends_it_at_once_and_is_not_told() -> None:
    with coralogix_api() as api, pytest.raises(DeliveryError, match="does not let us in: 401") as caught:
        send(api.url, records(UPDATES[:1]), key=Secret("nope-nope"))
    assert "nope-nope" not in str(caught.value)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_it_gives_up_in_the_end(status: int) -> None:
    with (
        coralogix_api(lambda _: (status, {}, "no")) as api,
        pytest.raises(DeliveryError, match=f"did not confirm: {status} no"),
    ):
        send(api.url, records(UPDATES[:1]), give_up_after=0.0)


def test_a_server_that_is_not_there_or_slow() -> None:
    with pytest.raises(DeliveryError, match=r"did not confirm: .*Connection"):
        send("http://127.0.0.1:9/logs/v1/singles", records(UPDATES[:1]), give_up_after=0.0)


@pytest.mark.parametrize(
    ("domain", "url"),
    [
        ("EU2", "https://ingress.eu2.coralogix.com/logs/v1/singles"),
        ("cx498.coralogix.com", "https://ingress.cx498.coralogix.com/logs/v1/singles"),
    ],
)
def test_domains_by_region(domain: str, url: str) -> None:
    assert url_of(domain) == url


THROUGH_SERVE = """
inputs: [{type: forward, listen: "127.0.0.1:0"}]
outputs:
  - type: coralogix
    api_url: URL
    key: {env: CX_KEY}
    application: aws
    subsystem: "{threat_purpose}"
dead_letters: dead.jsonl
"""


def test_through_serve_what_is_refused_is_in_the_dead_letters(tmp_path: Any) -> None:
    with coralogix_api() as api:
        serving = Serving(
            tmp_path,
            THROUGH_SERVE.replace("URL", api.url),
            CX_KEY=KEY,
        )
        try:
            with connected(serving.port) as client:
                client.entries("t", [UPDATES[0], UPDATES[1] | {"poison": True}], "1")
                assert client.confirmed() == "1"
            assert serving.stop() == 0
        finally:
            serving.end()
    [entry] = api.entries
    assert (entry["applicationName"], entry["subsystemName"]) == ("aws", entry["text"]["threat_purpose"])
    [letter] = serving.records("dead.jsonl")
    assert letter["reason"] == "refused"
    assert KEY not in "".join(serving.said)
    assert ": 1 record, 0 filtered, 1 rejected" in "".join(serving.said)
