"""A walk through a detector's findings by the time of their update, without I/O.

Findings change while they are listed: one that is updated moves to the end, and all behind it move up by one,
so that whoever goes on by page misses some. So each list begins anew at the last update that was passed, and
pages are turned only among findings of that very moment. It never begins later than what is settled: an
update may be seen only some time after the time that it tells.

Facts: Amazon GuardDuty API, ListFindings (`findingCriteria.criterion.updatedAt` in milliseconds since 1970,
`sortCriteria`, at most 50 a page).
"""

from collections.abc import Sequence

SETTLED_MS = 10 * 60 * 1000
"""What is younger is listed again, later."""


class Walk:
    """Where to list from: `since`, in milliseconds since 1970, and `token`, a page of that list."""

    def __init__(self, since: int) -> None:
        self.since = since
        self.token = ""
        self._found = False

    def passed(self, updates: Sequence[int], listed_at: int, next_token: str, *, found: bool) -> bool:
        """Take note that a page was delivered, of updates at these times; tell whether to go on.

        `listed_at` is the server's time when it was listed; `found` says that something on it was new.
        """
        # One that was updated after it was listed tells nothing of where the list had come to.
        settled = [update for update in updates if update < listed_at - SETTLED_MS]
        reached = max(settled, default=self.since)
        self._found = self._found or found
        if reached == self.since:
            self.token = next_token
            return bool(next_token)
        if self.token and self._found:
            # Pages were turned among findings of one moment: again, until nothing there is new.
            self.token, self._found = "", False
            return True
        self.since, self.token, self._found = reached, "", False
        return bool(next_token)
