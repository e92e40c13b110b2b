"""Outputs that do not confirm: which, why, and for how long they are tried again."""

import threading

from guardduty_lens.retries import Retries


class Trouble:
    """Of the outputs of one configuration; their threads and the server's loop use it at once."""

    def __init__(self) -> None:
        self.failing: dict[str, str] = {}
        """Outputs whose last try failed, by name, and why."""
        self.is_abandoned = False
        """Whether an output has not answered in time at the end, and is left to itself."""
        self._hurry = threading.Event()

    def hurry(self) -> None:
        """Have nothing tried again from now on."""
        self._hurry.set()

    def is_hurried(self) -> bool:
        """Tell whether nothing is to be tried again."""
        return self._hurry.is_set()

    def retries_of(self, name: str) -> Retries:
        """Give what an output tries again by."""

        def tell(why: str) -> None:
            self.failing[name] = why

        return Retries(self.is_hurried, tell)
