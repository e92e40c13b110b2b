"""A file (SQLite) in which an input remembers what was delivered."""

import sqlite3
import threading
from pathlib import Path


class Memory:
    """A database that several threads may use, one at a time. Raises OSError where it cannot be."""

    schema = ""
    """What makes its tables, where they are not there."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        try:
            self._database = sqlite3.connect(path, check_same_thread=False)
            self._database.executescript(self.schema)
        except sqlite3.Error as error:
            raise OSError(f"{path}: {error}") from error

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()
