"""A record is the same document by our output and by the ingest pipeline: index, id and the time it shows."""

from pathlib import Path

import pytest
from finding_events import event
from pipelines import InstalledPipeline

from guardduty_lens import Lens, Record
from guardduty_lens.catalogue.operations.kind import is_finding
from guardduty_lens.opensearch.documents import Documents, is_foreign
from guardduty_lens.opensearch.names import Names
from guardduty_lens.payloads.envelope import wrap
from guardduty_lens.samples import generate_findings

CORPUS = Path(__file__).parents[1] / "corpus"
ARRIVAL = 1_000_000_000_000  # in September 2001, before GuardDuty: no event brings that month
ARRIVED = "guarddutylogs-2001.09"
PREFIX = "both-"


@pytest.fixture(scope="module")
def lens():
    return Lens(extractors=())


@pytest.fixture(scope="module")
def pipeline(opensearch_url, lens):
    installed = InstalledPipeline(opensearch_url, lens.plan, PREFIX)
    yield installed
    installed.remove()


def records_of(lens):
    payloads = [path.read_bytes() for path in sorted(CORPUS.glob("*/*")) if path.is_file()]
    payloads += [wrap(finding) for finding in generate_findings(500, seed=8)]
    payloads += [event({"service": {"count": count}}) for count in (1.0, 8.0, 8.5, -1, None)]
    found = [item for payload in payloads for item in lens.process(payload)]
    assert all(isinstance(item, Record) for item in found)
    return [record for record in found if not is_foreign(record)]


def test_output_and_pipeline_agree(lens, pipeline):
    records = records_of(lens)
    assert sum(is_finding(record.event.get("detail")) for record in records) > 600
    documents = Documents(Names(PREFIX))
    ours = [documents.of(record, ARRIVAL)[0] for record in records]
    theirs = list(pipeline.indexed([record.to_dict() for record in records]))
    places = [(each["chosen_index"], each["chosen_id"]) for each in theirs]
    for record, document, place, held in zip(records, ours, places, theirs, strict=True):
        assert document.id == place[1]
        if document.index != f"{PREFIX}{ARRIVED}":  # the pipeline's arrival is another
            assert document.index == place[0]
        seen = record.fields.get("eventLastSeen") or record.event.get("time") or record.event.get("eventTime")
        assert seen is None or held["@timestamp"] == seen


def test_a_count_with_a_fraction_of_zero_is_an_integer_in_the_id(lens):
    [record] = lens.process(event({"service": {"count": 8.0}}))
    log, state = Documents(Names()).of(record, ARRIVAL)
    assert log.id == "f1_2025-03-04T05:06:00.000Z_8_true"
    # 2025-03-04T05:06:00Z is 1,741,064,760 s since 1970.
    assert state.version == (1_741_064_760_000 << 20) | (8 << 1) | 1
