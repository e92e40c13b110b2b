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

import click
import msgspec

from guardduty_lens.cli.sinks import ClusterError, Sink
from guardduty_lens.inputs.delivery import Batch, NotDelivered
from guardduty_lens.lens import Lens
from guardduty_lens.outputs.dead_letters import DeadLetters
from guardduty_lens.payloads.pieces import Position, Rejected
from guardduty_lens.record import Record

MOST_IN_A_BATCH = 5_000
"""Payloads; more wait for the next."""

_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.5, 30.0

OpenSink = Callable[[], AbstractContextManager[Sink]]
_log = logging.getLogger(__name__)


class Route(msgspec.Struct, frozen=True):
    """An output: how it is opened, and the tags that it takes, as patterns with `*`."""

    name: str
    open: OpenSink
    match: tuple[str, ...] = ("*",)

    def takes(self, tag: str) -> bool:
        """Tell whether a tag's records go here."""
        return any(fnmatch.fnmatchcase(tag, pattern) for pattern in self.match)


class _Waiting(msgspec.Struct):
    batch: Batch
    done: "asyncio.Future[None]"


class Pipeline:
    """Takes payloads of any number of inputs. Outputs are opened when needed, and again after a failure."""

    def __init__(
        self, lens: Lens, routes: Sequence[Route], dead_letters: DeadLetters, wrapper_keys: Sequence[str] = ()
    ) -> None:
        self.lens = lens
        # With keys of the user's own, what is wrapped may be another part of the record.
        self._shortcut = not wrapper_keys
        self._routes = routes
        self._dead_letters = dead_letters
        self._opened: dict[str, Sink] = {}
        self._stacks: dict[str, ExitStack] = {}
        self._waiting: list[_Waiting] = []
        self._wake = asyncio.Event()
        self._closing = False
        self._worker = ThreadPoolExecutor(1, "guardduty-lens")
        self._task: asyncio.Task[None] | None = None
        self._pause = _FIRST_PAUSE_SECONDS

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
        if self._task is not None:
            await self._task
        await asyncio.get_running_loop().run_in_executor(self._worker, self._close_outputs)
        self._worker.shutdown()

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        while not (self._closing and not self._waiting):
            if not self._waiting:
                self._wake.clear()
                await self._wake.wait()
                continue
            batch = self._next_batch()
            failure = await loop.run_in_executor(self._worker, self._pass_through, batch)
            for each in batch:
                if each.done.cancelled():
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
            for sink in self._opened.values():
                sink.flush()
        except (ClusterError, OSError, click.ClickException) as error:
            # click's comes from opening an output: a file in a folder that is not there, for example.
            words = error.message if isinstance(error, click.ClickException) else str(error)
            _log.error("could not deliver: %s", words)
            self._close_outputs()
            return words
        _log.debug("a batch took %.3f s", time.perf_counter() - start)
        return None

    def _pass(self, batch: Batch) -> None:
        sinks = [self._sink(route) for route in self._routes if route.takes(batch.tag)]
        written = sinks[0].at_once if len(sinks) == 1 else None
        lines = bytearray()
        for payload in batch.payloads:
            found = self.lens.finding(payload.text) if payload.text is not None and self._shortcut else None
            if found is None and payload.is_json:
                lines += payload.json()
                lines += b"\n"
                continue
            # In the order in which they came.
            self._put(self._of_lines(lines, batch.source, written), sinks, batch)
            lines.clear()
            found = self.lens.process(payload.raw, batch.source) if found is None else found
            self._put(found, sinks, batch)
        self._put(self._of_lines(lines, batch.source, written), sinks, batch)

    def _of_lines(
        self, lines: bytearray, source: str, written: bytearray | None
    ) -> Iterator[Record | Rejected]:
        """Give what lines of JSON hold; ordinary records may have been written at once (see `Lens.start`)."""
        return self.lens.stream([bytes(lines)], source, written) if lines else iter(())

    def _put(self, items: Iterable[Record | Rejected], sinks: Sequence[Sink], batch: Batch) -> None:
        for item in items:
            if isinstance(item, Rejected):
                self._dead_letters.write(item)
            elif not sinks:
                self._refuse_unmatched(item, batch)
            else:
                for sink in sinks:
                    sink.write(item, batch.source)

    def _refuse_unmatched(self, record: Record, batch: Batch) -> None:
        words = f"no output takes the tag {batch.tag!r}"
        unmatched = Rejected("no_output", words, record.to_json(), Position(), batch.source)
        self.lens.refuse(record, unmatched.reason)
        self._dead_letters.write(unmatched)

    def _sink(self, route: Route) -> Sink:
        sink = self._opened.get(route.name)
        if sink is None:
            stack = ExitStack()
            sink = stack.enter_context(route.open())
            self._stacks[route.name], self._opened[route.name] = stack, sink
        return sink

    def _close_outputs(self) -> None:
        stacks, self._stacks, self._opened = self._stacks, {}, {}
        for name, stack in stacks.items():
            try:
                stack.close()
            except (ClusterError, OSError) as error:
                _log.error("output %s: %s", name, error)
