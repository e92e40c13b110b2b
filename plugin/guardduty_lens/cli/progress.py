"""How far a run is, on a terminal: bytes read of all there are, and records so far."""

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

SHOWN_AFTER_SECONDS = 0.5
"""A shorter run shows nothing, and does not wait for the import of rich."""

SECONDS_BETWEEN = 0.2


class Progress:
    """A line on standard error while what has a size is read; it is gone at the end.

    It is drawn between blocks, a few times a second, and only where standard error is a terminal.
    `total` gives the bytes of all there is (0: nobody can tell, None: not yet), `records` how many there are
    so far.
    """

    def __init__(self, total: Callable[[], int | None], records: Callable[[], int], *, wanted: bool) -> None:
        self._total = total
        self._is_shown = wanted and sys.stderr.isatty() and total() != 0
        self._records = records
        self._done = 0
        self._due = time.monotonic() + SHOWN_AFTER_SECONDS
        self._bar: Bar | None = None

    def advance(self, size: int) -> None:
        """Say that this many bytes more were read and worked on."""
        self._done += size
        if self._is_shown and time.monotonic() >= self._due:
            self._draw()
            self._due = time.monotonic() + SECONDS_BETWEEN

    def _draw(self) -> None:
        if self._bar is None:
            self._bar = _new_bar()
            self._bar.start()
        [task] = self._bar.task_ids
        self._bar.update(
            task, total=self._total(), completed=self._done, records=f"{self._records():,} records"
        )
        self._bar.refresh()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()


def _new_bar() -> "Bar":
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    bar = Progress(
        BarColumn(),
        DownloadColumn(),
        TextColumn("{task.fields[records]}"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        auto_refresh=False,  # no thread beside the loop
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )
    bar.add_task("", total=None, records="")
    return bar
