"""The way from inputs to outputs: one thread that works, batch by batch, and tells whoever waits.

Chunks that come while a batch is under way go into the next one together, so that an output is asked to
confirm seldom, and much at once.
"""

import asyncio
import fnmatch
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack

import msgspec

from guardduty_lens.inputs.delivery import Batch, NotDelivered
from guardduty_lens.inputs.files import BLOCK_BYTES
from guardduty_lens.lens import Lens
from guardduty_lens.outputs.dead_letters import DeadLetters
from guardduty_lens.outputs.sinks import CannotOpenError, DeliveryError, Sink
from guardduty_lens.payloads.pieces import Position, Rejected
from guardduty_lens.record import Record
from guardduty_lens.rules import Rule
from guardduty_lens.serve.ledger import Ledger
from guardduty_lens.serve.trouble import Trouble

MOST_IN_A_BATCH = 5_000
"""Payloads; more wait for the next."""

_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.5, 30.0

OpenSink = Callable[[], AbstractContextManager[Sink]]
_log = logging.getLogger(__name__)


class RouteCounts(msgspec.Struct):
    """What became of records at one output: taken, or left out by a rule of its own; and its failures."""

    records: int = 0
    left_out: int = 0
    failures: int = 0


class Route(msgspec.Struct, frozen=True):
    """An output: how it is opened, the tags that it takes, as patterns with `*`, and what it leaves out."""

    name: str
    open: OpenSink
    match: tuple[str, ...] = ("*",)
    without: Rule | None = None
    counts: RouteCounts = msgspec.field(default_factory=RouteCounts)

    def takes(self, tag: str) -> bool:
        """Tell whether a tag's records go here."""
        return any(fnmatch.fnmatchcase(tag, pattern) for pattern in self.match)


class Deliveries(msgspec.Struct):
    """Batches that were confirmed, the seconds they took, and how old the newest event of the last was."""

    batches: int = 0
    seconds: float = 0.0
    lag_seconds: float | None = None
    """From the time that the shipper gave the event to its confirmation; None where none gave one."""


class _Waiting(msgspec.Struct):
    batch: Batch
    done: "asyncio.Future[None]"


class Pipeline:
    """Takes payloads of any number of inputs. Outputs are opened when needed, and again after a failure."""

    def __init__(
        self,
        lens: Lens,
        routes: Sequence[Route],
        dead_letters: DeadLetters,
        ledger: Ledger,
        trouble: Trouble,
        wrapper_keys: Sequence[str] = (),
    ) -> None:
        self.lens = lens
        self.routes = routes
        self.deliveries = Deliveries()
        self._trouble = trouble
        # With keys of the user's own, what is wrapped may be another part of the record.
        self._shortcut = not wrapper_keys
        self._dead_letters = dead_letters
        self._ledger = ledger
        self._opened: dict[str, Sink] = {}
        self._stacks: dict[str, ExitStack] = {}
        self._waiting: list[_Waiting] = []
        self._wake = asyncio.Event()
        self._under_way: list[_Waiting] = []
        self._closing = False
        self._finishing: asyncio.Task[None] | None = None
        self._worker = ThreadPoolExecutor(1, "guardduty-lens")
        self._task: asyncio.Task[None] | None = None
        self._pause = _FIRST_PAUSE_SECONDS

    @property
    def queue_depth(self) -> int:
        """Payloads that wait."""
        return sum(len(each.batch.payloads) for each in self._waiting)

    def start(self) -> None:
        """Begin to work, in the running loop."""
        self._task = asyncio.get_running_loop().create_task(self._work())

    async def deliver(self, batch: Batch) -> None:
        """Return once every output has confirmed. Raises NotDelivered."""
        if self._closing:
            raise NotDelivered("it is ending")
        done = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(batch, done))
        self._wake.set()
        await done

    async def close(self) -> None:
        """Finish what is waiting, and close the outputs."""
        self._closing = True
        self._wake.set()
        if not self._trouble.is_abandoned:
            self._finishing = asyncio.get_running_loop().create_task(self._finish())
            await asyncio.wait({self._finishing})
            if not self._finishing.cancelled():
                self._finishing.result()
        self._worker.shutdown(wait=not self._trouble.is_abandoned, cancel_futures=True)

    async def _finish(self) -> None:
        if self._task is not None:
            await self._task
        await asyncio.get_running_loop().run_in_executor(self._worker, self._close_outputs)

    def abandon(self) -> None:
        """Wait for nothing any more: what is not confirmed by now is not acknowledged."""
        self._closing = self._trouble.is_abandoned = True
        left = [each for each in self._under_way + self._waiting if not each.done.done()]
        for each in left:
            each.done.set_exception(NotDelivered("it ended before its outputs had confirmed"))
        if left:
            number = sum(len(each.batch.payloads) for each in left)
            _log.warning(
                "not confirmed in time, and not acknowledged (payloads: %d): send them again", number
            )
        for task in (self._task, self._finishing):
            if task is not None:
                task.cancel()

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        while not (self._closing and not self._waiting):
            if not self._waiting:
                self._wake.clear()
                await self._wake.wait()
                continue
            batch = self._under_way = self._next_batch()
            failure = await loop.run_in_executor(self._worker, self._pass_through, batch)
            for each in batch:
                if each.done.done():  # whoever waited does so no more
                    continue
                if failure is None:
                    each.done.set_result(None)
                else:
                    each.done.set_exception(NotDelivered(failure))
            if failure is None:
                self._pause = _FIRST_PAUSE_SECONDS
            elif not self._closing:
                await asyncio.sleep(self._pause)
                self._pause = min(2 * self._pause, _LONGEST_PAUSE_SECONDS)

    def _next_batch(self) -> list[_Waiting]:
        batch: list[_Waiting] = []
        size = 0
        while self._waiting and (not batch or size + len(self._waiting[0].batch.payloads) <= MOST_IN_A_BATCH):
            batch.append(self._waiting.pop(0))
            size += len(batch[-1].batch.payloads)
        return batch

    def _pass_through(self, batch: Sequence[_Waiting]) -> str | None:
        """Write a batch to its outputs and have them confirm; give what went wrong, if anything."""
        start = time.perf_counter()
        try:
            for waiting in batch:
                self._pass(waiting.batch)
            for name, sink in self._opened.items():
                self._confirm(name, sink)
        except (DeliveryError, CannotOpenError, OSError) as error:
            _log.error("could not deliver: %s", error)
            self._close_outputs(error)
            return str(error)
        except Exception as error:  # noqa: BLE001 - whoever waits must be told, and the fault seen
            _log.exception("a fault of guardduty-lens; nothing of the batch is acknowledged")
            self._close_outputs(error)
            return f"internal error: {type(error).__name__}"
        finally:
            self._ledger.close()
        self._note(batch, time.perf_counter() - start)
        return None

    def _confirm(self, name: str, sink: Sink) -> None:
        try:
            sink.flush()
        except (DeliveryError, OSError) as error:
            self._note_failure(self._route(name), error)
            raise
        if self._trouble.failing.pop(name, None) is not None:
            _log.info("output %s confirms again", name)
        sink.hand_on(more=True)

    def _note_failure(self, route: Route, error: Exception) -> None:
        route.counts.failures += 1
        self._trouble.failing[route.name] = str(error)

    def _note(self, batch: Sequence[_Waiting], seconds: float) -> None:
        self.deliveries.batches += 1
        self.deliveries.seconds += seconds
        times = [waiting.batch.newest for waiting in batch if waiting.batch.newest is not None]
        if times:
            self.deliveries.lag_seconds = time.time() - max(times)

    def _pass(self, batch: Batch) -> None:
        routes = [route for route in self.routes if route.takes(batch.tag)]
        sinks = [(route, self._sink(route)) for route in routes]
        written = sinks[0][1].at_once if len(sinks) == 1 and routes[0].without is None else None
        before, had = self._records(), routes[0].counts.records if routes else 0
        lines = bytearray()
        for payload in batch.payloads:
            found = self.lens.finding(payload.text) if payload.text is not None and self._shortcut else None
            if found is None and payload.is_json:
                lines += payload.json()
                lines += b"\n"
                continue
            # In the order in which they came.
            self._put(self._of_bytes(lines, batch.source, written), sinks, batch)
            lines.clear()
            self._put(
                self._of_bytes(payload.raw, batch.source, written) if found is None else found, sinks, batch
            )
        self._put(self._of_bytes(lines, batch.source, written), sinks, batch)
        if written is not None:  # those written at once, too
            routes[0].counts.records = had + self._records() - before

    def _records(self) -> int:
        return sum(self.lens.counters.records.values())

    def _of_bytes(
        self, data: bytes | bytearray, source: str, written: bytearray | None
    ) -> Iterator[Record | Rejected]:
        """Give what bytes hold; ordinary records may have been written at once (see `Lens.start`)."""
        # In blocks, so that each is still in the processor's cache when it is decoded.
        blocks = (bytes(data[at : at + BLOCK_BYTES]) for at in range(0, len(data), BLOCK_BYTES))
        return self.lens.stream(blocks, source, written) if data else iter(())

    def _put(
        self, items: Iterable[Record | Rejected], sinks: Sequence[tuple[Route, Sink]], batch: Batch
    ) -> None:
        for item in items:
            if isinstance(item, Rejected):
                self._dead_letters.write(item)
            elif not sinks:
                self._refuse_unmatched(item, batch)
            else:
                self._write(item, sinks, batch.source)

    def _write(self, record: Record, sinks: Sequence[tuple[Route, Sink]], source: str) -> None:
        left_out = []
        for route, sink in sinks:
            if route.without is not None and route.without.drops(record):
                left_out.append(route.without.name)
                route.counts.left_out += 1
            else:
                try:
                    sink.write(record, source)
                except (DeliveryError, OSError) as error:
                    self._note_failure(route, error)
                    raise
                route.counts.records += 1
        if len(left_out) == len(sinks):
            self._ledger.leave_out(record, left_out[0])

    def _refuse_unmatched(self, record: Record, batch: Batch) -> None:
        words = f"no output takes the tag {batch.tag!r}"
        unmatched = Rejected("no_output", words, record.to_json(), Position(), batch.source)
        self._ledger.refuse(record, unmatched)

    def _route(self, name: str) -> Route:
        return next(route for route in self.routes if route.name == name)

    def _sink(self, route: Route) -> Sink:
        sink = self._opened.get(route.name)
        if sink is None:
            stack = ExitStack()
            try:
                sink = stack.enter_context(route.open())
            except (CannotOpenError, DeliveryError, OSError) as error:
                self._note_failure(route, error)
                raise
            self._stacks[route.name], self._opened[route.name] = stack, sink
        return sink

    def _close_outputs(self, reason: Exception | None = None) -> None:
        """Close them, for a reason or since it is the end; a failure to close is told."""
        stacks, self._stacks, self._opened = self._stacks, {}, {}
        for name, stack in stacks.items():
            try:
                stack.__exit__(type(reason) if reason else None, reason, None)
            except (DeliveryError, OSError) as error:
                _log.error("output %s: %s", name, error)
