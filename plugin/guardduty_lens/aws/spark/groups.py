"""What the job reads, in groups: all of a group is read by one task, and Parquet's files are named by it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from zlib import crc32

import click
import msgspec

from guardduty_lens.cli.archive_options import aws_client
from guardduty_lens.inputs.files import expand
from guardduty_lens.inputs.s3_archive import location_of, selected
from guardduty_lens.inputs.selection import Selection, day_of, group_of
from guardduty_lens.inputs.sources import is_wanted, local_group_of

BUCKETS = 16
"""Groups that sources without a day in their names are spread over, always the same."""


class Group(msgspec.Struct, frozen=True):
    """Sources that belong together: their bucket, or None, and each by its key or path, and its bytes."""

    name: str
    bucket: str | None
    sources: list[tuple[str, int]]

    @property
    def bytes(self) -> int:
        """The size of all."""
        return sum(size for _, size in self.sources)


def groups_in(places: Iterable[str], selection: Selection, region: str | None) -> list[Group]:
    """Find the sources of files, folders and buckets, in their groups.

    Raises CannotListError, UsageError.
    """
    found: dict[tuple[str, str | None], list[tuple[str, int]]] = defaultdict(list)
    for place in places:
        for group, bucket, name, size in _found(place, selection, region):
            found[group, bucket].append((name, size))
    return [Group(name, bucket, sources) for (name, bucket), sources in found.items()]


def _found(
    place: str, selection: Selection, region: str | None
) -> Iterator[tuple[str, str | None, str, int]]:
    if not place.startswith("s3://"):
        path = Path(place)
        if not path.exists():
            raise click.UsageError(f"there is no file or folder {place}")
        for file in expand([path]):
            if is_wanted(file, selection):
                group = _spread(local_group_of(file, path, selection), str(file.resolve()))
                yield group, None, str(file.resolve()), file.stat().st_size
        return
    try:
        location = location_of(place)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    for each in selected(aws_client("s3", region, f"reading {place}"), location, selection):
        group = group_of(f"s3://{location.bucket}/{each.key}", str(location), selection)
        yield _spread(group, f"/{each.key}"), location.bucket, each.key, each.size


def _spread(group: str, name: str) -> str:
    """Divide a group that may be all there is, so that there is something to share out."""
    return group if day_of(name) else f"{group} {crc32(name.encode()) % BUCKETS:02}"


def slices_of(groups: Sequence[Group], number: int) -> list[list[Group]]:
    """Share groups out, so that shares are about as large as each other."""
    slices: list[list[Group]] = [[] for _ in range(max(1, min(number, len(groups))))]
    sizes = [0] * len(slices)
    for group in sorted(groups, key=lambda each: (-each.bytes, each.name)):
        least = sizes.index(min(sizes))
        slices[least].append(group)
        sizes[least] += group.bytes
    return slices
