"""Where Parquet files go: a folder, or a prefix of a bucket; names are relative to it."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

from guardduty_lens.inputs.s3_archive import Location, listed


class Store(Protocol):
    """Takes files whole: nobody sees half of one."""

    @property
    def folder(self) -> Path | None:
        """Where files are best made before they are put, if that matters."""

    def put(self, name: str, path: Path) -> None:
        """Put a file, in place of one of that name. Raises OSError, or AWS's errors."""

    def names(self, folder: str = "") -> Iterator[str]:
        """Give the names of files below a folder."""

    def delete(self, name: str) -> None:
        """Take a file away."""


class FolderStore:
    """A folder, which is made. Raises OSError."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def put(self, name: str, path: Path) -> None:
        """Put a file in place of one of that name."""
        target = self.folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.stat().st_dev == target.parent.stat().st_dev:
            path.replace(target)
            return
        fresh = target.with_name(f"_{target.name}.new")
        shutil.copyfile(path, fresh)
        fresh.replace(target)

    def names(self, folder: str = "") -> Iterator[str]:
        """Give the names of files below a folder."""
        for path in sorted((self.folder / folder).rglob("*")):
            if path.is_file():
                yield path.relative_to(self.folder).as_posix()

    def delete(self, name: str) -> None:
        """Take a file away, and its folder when that is empty then."""
        path = self.folder / name
        path.unlink(missing_ok=True)
        if not any(path.parent.iterdir()):
            path.parent.rmdir()


class S3Store:
    """A prefix of a bucket."""

    folder = None

    def __init__(self, s3: Any, location: Location) -> None:
        prefix = location.prefix
        self._s3, self._bucket = s3, location.bucket
        self._prefix = prefix if not prefix or prefix.endswith("/") else f"{prefix}/"

    def put(self, name: str, path: Path) -> None:
        """Put a file in place of one of that name."""
        self._s3.upload_file(str(path), self._bucket, f"{self._prefix}{name}")

    def names(self, folder: str = "") -> Iterator[str]:
        """Give the names of files below a folder."""
        for each in listed(self._s3, Location(self._bucket, f"{self._prefix}{folder}")):
            yield each.key.removeprefix(self._prefix)

    def delete(self, name: str) -> None:
        """Take a file away."""
        self._s3.delete_object(Bucket=self._bucket, Key=f"{self._prefix}{name}")
