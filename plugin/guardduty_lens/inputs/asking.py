"""What inputs have in common that ask AWS instead of listening."""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

import msgspec

from guardduty_lens.inputs.memory import Memory
from guardduty_lens.inputs.s3_objects import NotReadableError, aws_errors

Result = TypeVar("Result")
_log = logging.getLogger(__name__)


class AskingCounts(msgspec.Struct):
    """What any such input counts: objects and their bytes, and how often AWS could not be asked."""

    objects: int = 0
    objects_gone: int = 0
    bytes: int = 0
    errors: int = 0


Counts = TypeVar("Counts", bound=AskingCounts)


class Asking(ABC, Generic[Counts]):
    """Asks in threads, since boto3 blocks; waits until it is time, or the end."""

    kind: str

    def __init__(self, counts: Counts, threads: int) -> None:
        self._counts = counts
        self._closing = asyncio.Event()
        self._threads = ThreadPoolExecutor(threads, "guardduty-lens-aws")

    @abstractmethod
    async def start(self) -> None:
        """Begin to ask. Raises OSError."""

    @abstractmethod
    async def close(self) -> None:
        """Ask no more; deliver what is under way, if its output is there."""

    def counted(self) -> dict[str, int]:
        """Give the counts, by name."""
        return msgspec.structs.asdict(self._counts)

    def _note(self, what: str, error: Exception) -> None:
        """Tell of an error, and of one that nobody expects where it came from."""
        self._counts.errors += 1
        is_expected = isinstance(error, (NotReadableError, *aws_errors()))
        _log.error("%s: %s", what, error, exc_info=None if is_expected else error)

    async def _sleep(self, seconds: float) -> None:
        """Sleep, or until we end."""
        try:
            await asyncio.wait_for(self._closing.wait(), seconds)
        except TimeoutError:
            return

    async def _call(self, function: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._threads, function)


Remembered = TypeVar("Remembered", bound=Memory)


class Following(Asking[Counts], Generic[Counts, Remembered]):
    """Asks again and again, and remembers in a file what was delivered."""

    def __init__(self, counts: Counts, threads: int) -> None:
        super().__init__(counts, threads)
        self._task: asyncio.Task[None] | None = None
        self._memory: Remembered

    @abstractmethod
    def _begin(self) -> Remembered:
        """Open what is remembered, and make what is asked. Raises OSError."""

    @abstractmethod
    async def _follow(self) -> None:
        """Ask until it is the end."""

    async def start(self) -> None:
        """Begin to follow. Raises OSError where nothing can be remembered."""
        self._memory = self._begin()
        self._task = asyncio.create_task(self._follow())

    async def close(self) -> None:
        """Ask no more; deliver what is under way, if its output is there."""
        self._closing.set()
        if self._task is not None:
            await self._task
        self._threads.shutdown()
        self._memory.close()
