"""Where each record is counted in the end: once, however many outputs had something to say of it."""

from guardduty_lens.lens import Lens
from guardduty_lens.outputs.dead_letters import DeadLetters
from guardduty_lens.payloads.pieces import Rejected
from guardduty_lens.record import Record


class Ledger:
    """Of one batch after the other; `close` ends one."""

    def __init__(self, lens: Lens, dead_letters: DeadLetters) -> None:
        self._lens = lens
        self._dead_letters = dead_letters
        self._counted: dict[int, Record] = {}  # the records too, so that no id is given anew

    def refuse(self, record: Record, rejected: Rejected) -> None:
        """Take a record that an output will not have."""
        self._dead_letters.write(rejected)
        if self._is_first(record):
            self._lens.refuse(record, rejected.reason)

    def lose(self, record: Record) -> None:
        """Take a record that an output has not confirmed."""
        if self._is_first(record):
            self._lens.lose(record)

    def leave_out(self, record: Record, rule: str) -> None:
        """Take a record that no output is to get."""
        if self._is_first(record):
            self._lens.leave_out(record, rule)

    def close(self) -> None:
        """End a batch."""
        self._counted.clear()

    def _is_first(self, record: Record) -> bool:
        is_first = id(record) not in self._counted
        self._counted[id(record)] = record
        return is_first
