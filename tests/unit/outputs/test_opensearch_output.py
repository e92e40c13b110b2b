"""What an output counts where a cluster refuses, and what it refused cannot be kept either."""

import threading
from collections.abc import Sequence

import pytest
from finding_events import event

from guardduty_lens import Lens
from guardduty_lens.opensearch.bulk import Delivery, Refusal
from guardduty_lens.opensearch.document import Document
from guardduty_lens.opensearch.documents import Documents
from guardduty_lens.opensearch.names import Names
from guardduty_lens.outputs.opensearch import OpenSearchOutput
from guardduty_lens.outputs.sinks import DeliveryError
from guardduty_lens.payloads.pieces import Rejected
from guardduty_lens.record import Record


class Refusing:
    """Stands for a cluster that refuses every second document, and confirms the others."""

    def __init__(self) -> None:
        self.stop = threading.Event()

    def check(self, seconds: float) -> None:
        pass

    def deliver(self, documents: Sequence[Document]) -> Delivery:
        refusal = Refusal("document_refused", "400 mapper_parsing_exception")
        return Delivery([refusal if number % 2 else "written" for number in range(len(documents))])


def test_a_batch_is_counted_whole_although_its_refusals_cannot_be_kept() -> None:
    lens = Lens(extractors=())
    tried = []

    def refuse(record: Record, rejected: Rejected) -> None:
        lens.refuse(record, rejected.reason)
        tried.append(rejected.reason)
        raise DeliveryError("no space left")

    documents = Documents(Names(""), state=False)
    output = OpenSearchOutput(Refusing(), documents, lens.counters.delivered, refuse=refuse, lose=lens.lose)
    with output:
        for number in range(10):
            for item in lens.process(event(id=f"finding-{number}")):
                assert isinstance(item, Record)
                output.write(item)
        with pytest.raises(DeliveryError, match="no space left"):
            output.flush()
    assert tried == ["document_refused"] * 5
    assert lens.counters.delivered == {"log_created": 5}
    assert lens.counters.rejected == {"document_refused": 5}
    assert sum(lens.counters.records.values()) == 5
