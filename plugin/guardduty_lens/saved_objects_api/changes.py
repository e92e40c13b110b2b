"""What putting the saved objects would do: a pure comparison of what is wanted with what is there."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from guardduty_lens.opensearch.changes import Action, Change
from guardduty_lens.visuals.saved_objects.objects import SavedObject
from guardduty_lens.visuals.saved_objects.stamp import stamp_of

Attributes = Mapping[tuple[str, str], Mapping[str, Any]]
"""Of objects that are there, by type and id."""


def compare_saved(
    wanted: Sequence[SavedObject], there: Attributes, prefix: str, *, force: bool = False
) -> list[Change]:
    """Give the changes in the order in which they are made.

    An object is as wanted if it has the stamp that we would give it: what a user changed in Dashboards
    stays until another version, or other options, give it another stamp. Objects under our ids without a
    stamp are foreign; with `force` they are replaced. Objects of ours, of this prefix, that nothing wants
    any more, are removed.
    """
    keys = {(each.type, each.id) for each in wanted}
    left_over = {key: attributes for key, attributes in there.items() if key not in keys}
    return [*(_change(each, there, force) for each in wanted), *removals_of_saved(left_over, prefix)]


def removals_of_saved(there: Attributes, prefix: str) -> list[Change]:
    """Give the removal of every object that is ours and of this prefix, what refers to others first."""
    order = ("dashboard", "search", "visualization", "index-pattern")
    stamps = {key: stamp_of(attributes) for key, attributes in there.items()}
    ours = [(key, stamp) for key, stamp in stamps.items() if stamp is not None and stamp.is_of(prefix)]
    return [
        Change(action="remove", kind="saved_object", name=name_of(*key), version=stamp.version)
        for key, stamp in sorted(ours, key=lambda each: (order.index(each[0][0]), each[0][1]))
    ]


def name_of(kind: str, name: str) -> str:
    """Give the name of an object in a plan.

    >>> name_of("dashboard", "guardduty-lens-overview")
    'dashboard guardduty-lens-overview'
    """
    return f"{kind} {name}"


def pending(wanted: Iterable[SavedObject], changes: Iterable[Change]) -> list[SavedObject]:
    """Give the objects that are to be put, what others refer to first."""
    names = {each.name for each in changes if each.action in ("create", "change")}
    return [each for each in wanted if name_of(each.type, each.id) in names]


def _change(wanted: SavedObject, there: Attributes, force: bool) -> Change:
    name = name_of(wanted.type, wanted.id)
    found = there.get((wanted.type, wanted.id))
    if found is None:
        return Change(action="create", kind="saved_object", name=name)
    stamp = stamp_of(found)
    action: Action = "unchanged" if stamp == stamp_of(wanted.attributes) else "change"
    if stamp is None and not force:
        action = "foreign"
    return Change(
        action=action, kind="saved_object", name=name, version=stamp.version if stamp is not None else None
    )
