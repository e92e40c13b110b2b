"""The output `opensearch`: records into a cluster, each confirmed, counted or refused.

A few threads send batches that are bounded in number and bytes; whoever writes waits while all are busy, so
what is held in memory is bounded too. Threads only send: everything is counted by the thread that writes.
"""

import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from types import TracebackType
from typing import NoReturn, Self

import msgspec

from guardduty_lens.counters import Counts, count
from guardduty_lens.opensearch.bulk import Bulk, CannotDeliver, Delivery, Refusal, Result
from guardduty_lens.opensearch.client import DEFAULT_CONNECTIONS
from guardduty_lens.opensearch.document import Document
from guardduty_lens.opensearch.documents import Documents, Refused
from guardduty_lens.opensearch.template_check import TemplateCheck
from guardduty_lens.payloads.pieces import Position, Rejected
from guardduty_lens.record import Record

BATCH_DOCUMENTS = 500
BATCH_BYTES = 4 * 1024 * 1024
_SECONDS_BETWEEN_LOOKS = 1.0
CHECK_SECONDS = 60.0
"""How long a cluster that does not answer is asked for at the start."""


class Undelivered(Exception):  # noqa: N818 - it names what happened, whoever's fault it was
    """Records that the cluster has not confirmed: how many, and why."""

    def __init__(self, records: int, why: str) -> None:
        super().__init__(f"{records:,} records were not confirmed: {why}")
        self.records = records


class _Batch(msgspec.Struct):
    """Records with how many documents each has, and all these documents in the same order."""

    records: list[tuple[Record, str, int]] = msgspec.field(default_factory=list)
    documents: list[Document] = msgspec.field(default_factory=list)
    bytes: int = 0


class OpenSearchOutput:
    """Writes records to a cluster; `flush` returns once all that were written are confirmed.

    `delivered` counts what became of documents. `refuse` is called with each record that cannot be stored,
    once, and `lose` with each that is not confirmed when the output fails. Raises CannotDeliver at the start
    where the cluster does not let us in, or `templates` finds one missing; then Undelivered, after which the
    output is of no more use. `clock` gives the time of taking records in, in milliseconds since 1970.
    """

    def __init__(
        self,
        bulk: Bulk,
        documents: Documents,
        delivered: Counts,
        *,
        refuse: Callable[[Record, Rejected], None],
        lose: Callable[[Record], None],
        templates: TemplateCheck | None = None,
        threads: int = DEFAULT_CONNECTIONS,
        clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._bulk = bulk
        self._documents = documents
        self._delivered = delivered
        self._refuse = refuse
        self._lose = lose
        self._templates = templates
        self._threads = threads
        self._clock = clock
        self._batch = _Batch()
        self._sent: deque[tuple[_Batch, Future[Delivery]]] = deque()
        bulk.check(CHECK_SECONDS)
        self._check_templates()
        self._pool = ThreadPoolExecutor(threads, "opensearch")

    def write(self, record: Record, source: str = "-") -> None:
        """Take a record, and wait while too many are on their way. Raises Undelivered."""
        try:
            documents = self._documents.of(record, self._clock())
        except Refused as error:
            self._refuse(record, _rejected(record, source, error.reason, str(error)))
            return
        batch = self._batch
        batch.records.append((record, source, len(documents)))
        batch.documents += documents
        batch.bytes += sum(len(document.body) for document in documents)
        if len(batch.documents) >= BATCH_DOCUMENTS or batch.bytes >= BATCH_BYTES:
            self.submit()

    def submit(self) -> None:
        """Send what is there on its way, without waiting for more. Raises Undelivered."""
        self._collect(self._threads)  # one more than there are threads, so that none waits for us
        if not self._batch.records:
            return
        try:
            self._check_templates(self._batch.documents)
        except CannotDeliver as error:
            self._fail(str(error))
        batch, self._batch = self._batch, _Batch()
        self._sent.append((batch, self._pool.submit(self._bulk.deliver, batch.documents)))

    def flush(self) -> None:
        """Return once every record written so far is confirmed, or refused. Raises Undelivered."""
        self.submit()
        self._collect(0)

    @property
    def is_busy(self) -> bool:
        """Whether anything that was written is not confirmed yet."""
        return bool(self._sent or self._batch.records)

    def close(self, *, wait: bool = True) -> None:
        """End the threads; what is still on its way is given up, and counted as not confirmed.

        Without `wait` a thread may still wait for an answer, which the end of Python would wait for.
        """
        self._bulk.stop.set()
        if not wait:
            self._give_up(wait=False)
        self._pool.shutdown(wait=wait, cancel_futures=True)

    def _check_templates(self, documents: Sequence[Document] = ()) -> None:
        if self._templates is not None:
            self._templates.check(self._bulk, self._clock(), {document.index for document in documents})

    def _collect(self, at_most: int) -> None:
        """Settle what is done, and wait until no more than some batches are on their way."""
        while self._sent:
            if len(self._sent) > at_most:
                wait([each for _, each in self._sent], _SECONDS_BETWEEN_LOOKS, FIRST_COMPLETED)
            elif not any(future.done() for _, future in self._sent):
                return
            failure = self._settle_done()
            if failure:
                self._fail(failure)

    def _settle_done(self) -> str:
        """Settle each batch that is done; give why one of them failed."""
        failure = ""
        for _ in range(len(self._sent)):
            batch, future = self._sent.popleft()
            if failure or not future.done():
                self._sent.append((batch, future))
                continue
            delivery = future.result()
            if delivery.failure:
                failure = delivery.failure
                self._sent.appendleft((batch, future))
            else:
                self._settle(batch, delivery)
        return failure

    def _fail(self, why: str) -> NoReturn:
        """End everything, count what is confirmed and what is not, and raise Undelivered."""
        self._bulk.stop.set()
        raise Undelivered(self._give_up(wait=True), why)

    def _give_up(self, *, wait: bool) -> int:
        """Count what is confirmed and what is not; give how many records are not."""
        lost = 0
        while self._sent:
            batch, future = self._sent[0]
            is_unknown = future.cancel() or not (wait or future.done())
            delivery = Delivery([None] * len(batch.documents)) if is_unknown else future.result()
            self._sent.popleft()  # only now: the wait for a result may be broken off by a signal
            lost += self._settle(batch, delivery)
        for record, _, _ in self._batch.records:
            self._lose(record)
        lost += len(self._batch.records)
        self._batch = _Batch()
        return lost

    def _settle(self, batch: _Batch, delivery: Delivery) -> int:
        """Count what became of each record and document; give how many records are not confirmed.

        Raises what a refusal raises, once all of the batch is counted.
        """
        lost = at = 0
        refusals = []
        for record, source, number in batch.records:
            documents = batch.documents[at : at + number]
            results = delivery.results[at : at + number]
            at += number
            for document, result in zip(documents, results, strict=True):
                _count(self._delivered, document, result)
            refused = [pair for pair in zip(documents, results, strict=True) if isinstance(pair[1], Refusal)]
            if refused:
                document, refusal = refused[0]
                assert isinstance(refusal, Refusal)
                place = f"{document.index}/{document.id}"
                rejected = _rejected(record, source, refusal.reason, refusal.message, place)
                refusals.append((record, rejected))
            elif None in results:
                self._lose(record)
                lost += 1
        with ExitStack() as each:  # which calls all, in reverse, whatever the others raise
            for record, rejected in reversed(refusals):
                each.callback(self._refuse, record, rejected)
        return lost

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


_OUTCOMES = {
    (False, "written"): "log_created",
    (False, "known"): "log_duplicates",
    (True, "written"): "state_written",
    (True, "known"): "state_older",
}


def _count(delivered: Counts, document: Document, result: Result) -> None:
    if isinstance(result, str):
        count(delivered, _OUTCOMES[document.version is not None, result])


def _rejected(record: Record, source: str, reason: str, message: str, place: str = "") -> Rejected:
    """Make the reject of a record, which holds all of it, so that `replay` can send it again."""
    return Rejected(reason, message, record.to_json(), Position(inside=place), source)


__all__ = ["CannotDeliver", "OpenSearchOutput", "Undelivered"]
