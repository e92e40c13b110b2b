"""Trying again, as whoever runs an output has a say in it: until when, and who is told."""

import threading
import time
from collections.abc import Callable

_SECONDS_BETWEEN_LOOKS = 0.25


class Retries:
    """Waits before a next try, unless there is to be none any more.

    `are_over` may become true at any time, and is asked while it waits; `tell` is told why something is tried
    again. Both are called by the threads of outputs.
    """

    def __init__(
        self, are_over: Callable[[], bool] = lambda: False, tell: Callable[[str], None] = lambda _: None
    ) -> None:
        self.are_over = are_over
        self._tell = tell

    def wait(self, seconds: float, why: str, stop: threading.Event | None = None) -> bool:
        """Wait, and tell whether there may be a next try: not once `stop` is set, or they are over."""
        self._tell(why)
        stop = stop or threading.Event()
        ends = time.monotonic() + seconds
        while not (self.are_over() or stop.is_set()):
            left = ends - time.monotonic()
            if left <= 0:
                return True
            stop.wait(min(left, _SECONDS_BETWEEN_LOOKS))
        return False
