"""What an installation would do: a pure comparison of what is wanted with what was found."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import msgspec

from guardduty_lens.opensearch.ownership import Stamp, digest, stamp_of, unstamped
from guardduty_lens.opensearch.resources import Kind, Resource

Action = Literal["create", "change", "unchanged", "foreign", "remove"]

KINDS: tuple[Kind, ...] = (
    "component_template",
    "lifecycle_policy",
    "ingest_pipeline",
    "index_template",
    "shapes_index",
    "monitor",
    "saved_object",
)
"""The order in which objects are put: what others refer to comes first. They go in the reverse order."""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be done with one object, and why.

    `details` are JSON pointers of what differs; `by_hand` says that the object is no longer as we put it;
    `version` is the one that it was put there by, None where it is not ours, or not there.
    """

    action: Action
    kind: Kind
    name: str
    details: tuple[str, ...] = ()
    by_hand: bool = False
    version: str | None = None


class Found(msgspec.Struct, frozen=True):
    """An object as the cluster holds it.

    `condition` goes with a request that replaces it; `id` is what it is called there, if not by its name.
    """

    kind: Kind
    name: str
    body: dict[str, Any]
    condition: dict[str, int] = {}
    id: str = ""

    @property
    def stamp(self) -> Stamp | None:
        """Our stamp; None where the object is another's."""
        return stamp_of(self.body)

    @property
    def by_hand(self) -> bool:
        """Whether an object of ours is no longer as we put it."""
        stamp = self.stamp
        return stamp is not None and stamp.digest not in (None, digest(self.kind, self.body))


def compare(
    desired: Sequence[Resource], found: Sequence[Found], prefix: str, *, force: bool = False
) -> list[Change]:
    """Give the changes in the order they are made.

    `desired` are stamped. Objects under our names that do not say that they are ours are `foreign`; with
    `force` they are replaced. Objects of ours, of this prefix, that nothing wants any more are removed.
    """
    there = {(each.kind, each.name): each for each in found}
    wanted = {(each.kind, each.name) for each in desired}
    ordered = sorted(desired, key=lambda each: KINDS.index(each.kind))
    changes = [_change(each, there.get((each.kind, each.name)), force) for each in ordered]
    left_over = [each for each in found if (each.kind, each.name) not in wanted]
    return changes + removals(left_over, prefix)


def removals(found: Sequence[Found], prefix: str) -> list[Change]:
    """Give the removal of every object that is ours and of this prefix, in the order they are made."""
    ours = [each for each in found if each.stamp is not None and each.stamp.is_of(prefix)]
    return [
        Change(
            action="remove",
            kind=each.kind,
            name=each.name,
            by_hand=each.by_hand,
            version=each.stamp.version if each.stamp else None,
        )
        for each in sorted(ours, key=lambda each: -KINDS.index(each.kind))
    ]


def _change(wanted: Resource, there: Found | None, force: bool) -> Change:
    if there is None:
        return Change(action="create", kind=wanted.kind, name=wanted.name)
    stamp, new = there.stamp, stamp_of(wanted.body)
    details = tuple(differences(unstamped(wanted.kind, wanted.body), unstamped(there.kind, there.body)))
    action: Action = "change" if details or stamp != new else "unchanged"
    if stamp is None and not force:
        action = "foreign"
    return Change(
        action=action,
        kind=wanted.kind,
        name=wanted.name,
        details=details,
        by_hand=there.by_hand,
        version=stamp.version if stamp else None,
    )


def differences(wanted: Any, there: Any, pointer: str = "") -> Iterator[str]:
    """Give JSON pointers of what differs between two values, the deepest that say it."""
    if isinstance(wanted, Mapping) and isinstance(there, Mapping):
        for key in sorted(wanted.keys() | there.keys()):
            place = f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}"
            if key in wanted and key in there:
                yield from differences(wanted[key], there[key], place)
            else:
                yield place
    elif isinstance(wanted, list) and isinstance(there, list) and len(wanted) == len(there):
        for number, (one, other) in enumerate(zip(wanted, there, strict=True)):
            yield from differences(one, other, f"{pointer}/{number}")
    elif wanted != there or isinstance(wanted, bool) != isinstance(there, bool):
        yield pointer
