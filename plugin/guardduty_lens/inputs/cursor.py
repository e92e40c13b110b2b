"""How far each place was worked through, in a small file: `{"s3://bucket/prefix": "last key"}`."""

import os
from pathlib import Path

import msgspec

from guardduty_lens.outputs.places import cannot_write

_decode = msgspec.json.Decoder(dict[str, str]).decode


class CursorError(ValueError):
    """A file that is no cursor, or cannot be one, and why."""


class Cursor:
    """The last name of each place that was done, in a file; without a path nothing is kept."""

    def __init__(self, path: Path | None) -> None:
        """Read it, where it is there. Raises CursorError."""
        self._path = path
        self._last: dict[str, str] = {}
        if path is None:
            return
        if not path.parent.is_dir():
            raise CursorError(f"cannot write {path}: there is no folder {path.parent}")
        try:
            self._last = _decode(path.read_bytes())
        except FileNotFoundError:
            return
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise CursorError(f"{path} is no cursor: {error}") from error

    @property
    def is_kept(self) -> bool:
        """Whether it is in a file."""
        return self._path is not None

    @property
    def has_begun(self) -> bool:
        """Whether something was done already."""
        return bool(self._last)

    def after(self, place: str) -> str:
        """Give the name after which to go on in a place; nothing for its beginning."""
        return self._last.get(place, "")

    def keep(self, place: str, name: str) -> None:
        """Remember that a place was done up to a name, on disk, whole or not at all. Raises CursorError."""
        self._last[place] = name
        if self._path is None:
            return
        try:
            self._replace(self._path)
        except OSError as error:
            raise CursorError(cannot_write("the cursor", self._path, error, "--cursor")) from error

    def _replace(self, path: Path) -> None:
        fresh = path.with_name(f"{path.name}.new")
        with fresh.open("wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(self._last)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
