"""The account that a server runs under: never root, which the servers refuse."""

import os
import pwd
from dataclasses import dataclass
from pathlib import Path

# Above Debian's ordinary users and below `nobody`; the ids need no entry in /etc/passwd.
_UNUSED = range(61000, 61999)


@dataclass(frozen=True)
class Account:
    """User and group id, the same number; None means: whoever runs the tests."""

    number: int | None

    def own(self, folder: Path) -> None:
        """Give a folder and all that is in it to this account."""
        if self.number is None:
            return
        for parent, _, files in os.walk(folder):
            os.chown(parent, self.number, self.number)
            for name in files:
                os.chown(Path(parent, name), self.number, self.number, follow_symlinks=False)


def unprivileged() -> Account:
    """An account without privileges: an unused id if this is root, else this process's own."""
    if os.geteuid() != 0:
        return Account(None)
    taken = {entry.pw_uid for entry in pwd.getpwall()}
    return Account(next(number for number in _UNUSED if number not in taken))
