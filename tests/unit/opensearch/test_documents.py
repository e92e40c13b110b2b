"""What a record is in the cluster: ids, versions, months and dates written out by hand."""

import json
from typing import Any

import pytest

from guardduty_lens.lens import Lens
from guardduty_lens.opensearch.dates import iso, milliseconds
from guardduty_lens.opensearch.document import Document
from guardduty_lens.opensearch.documents import Documents, Refused, is_foreign
from guardduty_lens.opensearch.names import Names
from guardduty_lens.record import Record

ARRIVAL = 1_740_516_006_721  # 2025-02-25T20:40:06.721Z


def record_of(event: dict[str, Any], **options: Any) -> Record:
    [record] = Lens(extractors=(), **options).process(event)
    assert isinstance(record, Record)
    return record


def documents_of(event: dict[str, Any], **options: Any) -> list[Document]:
    return list(Documents(Names(), **options).of(record_of(event), ARRIVAL))


def finding(**members: Any) -> dict[str, Any]:
    return {
        "schemaVersion": "2.0",
        "type": "Recon:EC2/Portscan",
        "id": "f1",
        "severity": 5,
        "updatedAt": "2025-02-25T20:40:06.721Z",
        "service": {"count": 3, "archived": False, "eventLastSeen": "2025-02-25T20:40:00Z"},
    } | members


class TestFinding:
    def test_one_document_for_the_log_and_one_for_the_state(self) -> None:
        log, state = documents_of(finding())
        assert (log.index, log.id) == ("guarddutylogs-2025.02", "f1_2025-02-25T20:40:06.721Z_3_false")
        assert log.version is None
        assert (state.index, state.id) == ("guardduty-findings", "f1")
        assert state.version == 1_740_516_006_721 * 1_048_576 + 6
        assert state.body == log.body

    def test_archiving_makes_another_update_and_a_later_version(self) -> None:
        archived = {"count": 3, "archived": True, "eventLastSeen": "2025-02-25T20:40:00Z"}
        log, state = documents_of(finding(service=archived))
        assert log.id == "f1_2025-02-25T20:40:06.721Z_3_true"
        assert state.version == 1_740_516_006_721 * 1_048_576 + 7

    def test_count_in_a_version_is_bounded(self) -> None:
        _, state = documents_of(finding(service={"count": 10_000_000}))
        assert state.version == 1_740_516_006_721 * 1_048_576 + 524_287 * 2

    def test_id_is_the_end_of_the_arn_where_there_is_none(self) -> None:
        event = finding(arn="arn:aws:guardduty:eu-west-1:111122223333:detector/d/finding/f9")
        del event["id"]
        log, state = documents_of(event)
        assert log.id == "f9_2025-02-25T20:40:06.721Z_3_false"
        assert state.id == "f9"

    def test_missing_parts_of_an_id_are_empty_and_the_arrival_gives_the_month(self) -> None:
        event = finding(service={})
        del event["updatedAt"]
        log, state = documents_of(event)
        assert (log.index, log.id) == ("guarddutylogs-2025.02", "f1___false")
        assert state.version == 0

    @pytest.mark.parametrize("month", ["2025-13", "2025-00", "25-02-01", "soon"])
    def test_month_that_is_none_is_not_used(self, month: str) -> None:
        envelope = {
            "id": "e",
            "detail-type": "GuardDuty Finding",
            "source": "aws.guardduty",
            "time": "2024-11-30T00:00:00Z",
            "detail": finding(updatedAt=month),
        }
        assert documents_of(envelope)[0].index == "guarddutylogs-2024.11"

    def test_date_beyond_what_a_version_can_say_is_older_than_any_other(self) -> None:
        assert documents_of(finding(updatedAt="2999-01-01T00:00:00Z"))[1].version == 6

    def test_without_state(self) -> None:
        assert [each.index for each in documents_of(finding(), state=False)] == ["guarddutylogs-2025.02"]

    def test_id_over_512_bytes_is_refused(self) -> None:
        # `_2025-02-25T20:40:06.721Z_3_false` has 33 bytes, é two.
        assert len(documents_of(finding(id="é" * 239 + "a"))) == 2
        with pytest.raises(Refused, match="513 bytes") as caught:
            documents_of(finding(id="é" * 240))
        assert caught.value.reason == "id_too_long"

    @pytest.mark.parametrize("date", ["0001-01-01T00:00:00Z", "1999-12-31T23:59:59Z", "3000-01-01T00:00:00Z"])
    def test_a_date_whose_index_would_be_none_of_ours_is_refused(self, date: str) -> None:
        with pytest.raises(Refused) as caught:
            documents_of(finding(updatedAt=date))
        assert caught.value.reason == "date_out_of_range"
        assert str(caught.value) == f"its date is in {date[:7]}; the log has the years 2000 to 2999"

    def test_prefixes_reach_names_and_fields(self) -> None:
        record = record_of(finding(), field_prefix="gd_")
        log, state = Documents(Names("acme-"), field_prefix="gd_").of(record, ARRIVAL)
        assert (log.index, state.index) == ("acme-guarddutylogs-2025.02", "acme-guardduty-findings")
        assert log.id == "f1_2025-02-25T20:40:06.721Z_3_false"
        body = json.loads(log.body)
        assert body["@timestamp"] == "2025-02-25T20:40:00Z"
        assert (body["gd_ingested_at"], body["gd_ingest_lag_seconds"]) == ("2025-02-25T20:40:06.721Z", 6.721)


class TestBody:
    def test_it_is_the_record_with_three_keys_more(self) -> None:
        body = json.loads(documents_of(finding())[0].body)
        added = {key: body.pop(key) for key in ("@timestamp", "ingested_at", "ingest_lag_seconds")}
        assert body == record_of(finding()).to_dict()
        assert added == {
            "@timestamp": "2025-02-25T20:40:00Z",
            "ingested_at": "2025-02-25T20:40:06.721Z",
            "ingest_lag_seconds": 6.721,
        }

    def test_key_that_was_there_is_replaced_and_not_doubled(self) -> None:
        envelope = {
            "@timestamp": "of a shipper",
            "ingested_at": "before",
            "detail-type": "GuardDuty Finding",
            "source": "aws.guardduty",
            "detail": finding(),
        }
        body = documents_of(envelope)[0].body
        assert body.count(b'"@timestamp"') == body.count(b'"ingested_at"') == 1
        assert json.loads(body)["@timestamp"] == "2025-02-25T20:40:00Z"

    def test_time_that_is_no_date_gives_no_lag(self) -> None:
        envelope = {"id": "e", "source": "aws.guardduty", "detail-type": "x", "time": "soon", "detail": {}}
        body = json.loads(documents_of(envelope)[0].body)
        assert body["@timestamp"] == "soon"
        assert "ingest_lag_seconds" not in body

    def test_flat_form_is_the_seeds(self) -> None:
        [document] = documents_of(finding(), flat=True)
        assert (document.index, document.id, document.version) == ("guarddutylogs", "f1", None)
        body = json.loads(document.body)
        assert body["service.count"] == 3
        assert "detail" not in body


class TestOtherEvents:
    def test_envelope_goes_to_the_log_by_its_id(self) -> None:
        envelope = {
            "id": "e7",
            "source": "aws.guardduty",
            "detail-type": "GuardDuty Runtime Protection Unhealthy",
            "time": "2025-01-31T23:59:59Z",
            "detail": {},
        }
        [document] = documents_of(envelope)
        assert (document.index, document.id) == ("guarddutylogs-2025.01", "e7")

    def test_cloudtrail_record_goes_to_its_own_index(self) -> None:
        record = {
            "eventVersion": "1.08",
            "eventSource": "guardduty.amazonaws.com",
            "eventName": "CreateFilter",
            "eventID": "c1",
            "eventTime": "2024-12-01T00:00:00Z",
        }
        [document] = documents_of(record)
        assert (document.index, document.id) == ("guardduty-cloudtrail-2024.12", "c1")
        assert json.loads(document.body)["@timestamp"] == "2024-12-01T00:00:00Z"

    def test_event_without_id_is_the_same_document_again(self) -> None:
        event = {"source": "aws.guardduty", "detail-type": "New", "detail": {"a": 1}}
        [first], [again] = documents_of(event), documents_of(event)
        assert first.id == again.id
        assert len(first.id) == 64

    def test_foreign_is_what_is_not_guarddutys(self) -> None:
        assert is_foreign(record_of({"hello": "world"}))
        assert is_foreign(record_of({"source": "aws.ec2", "detail-type": "x", "detail": {}}))
        assert not is_foreign(record_of({"source": "aws.guardduty", "detail-type": "x", "detail": {}}))
        assert not is_foreign(record_of(finding()))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2025-02-25T20:40:06.721Z", 1_740_516_006_721),
        ("2025-02-25 20:40:06.721", 1_740_516_006_721),
        ("2025-02-25T20:40:06.721987654Z", 1_740_516_006_721),
        ("2025-02-25T20:40:06.7Z", 1_740_516_006_700),
        ("2025-02-25T20:40:06Z", 1_740_516_006_000),
        ("2025-02-25T22:10:06+01:30", 1_740_516_006_000),
        ("2025-02-25T15:40:06-0500", 1_740_516_006_000),
        ("2025-02-25", 1_740_441_600_000),
        ("2025-02-30T00:00:00Z", None),
        ("2025-02-25T24:00:00Z", None),
        ("2025-02-25T20:40:06Z ", None),
        ("٢٠٢٥-02-25T20:40:06Z", None),
        ("", None),
    ],
)
def test_dates(text: str, expected: int | None) -> None:
    assert milliseconds(text) == expected


def test_dates_are_written_with_milliseconds() -> None:
    assert iso(1_740_516_006_000) == "2025-02-25T20:40:06.000Z"
