"""An installation as people and programs read it."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from guardduty_lens.opensearch.capabilities import Capabilities
from guardduty_lens.opensearch.changes import Change
from guardduty_lens.opensearch.index_mappings import MappingDifference
from guardduty_lens.opensearch.names import Names

_MOST_DETAILS = 12
_MOST_FIELDS = 3

_STATES = {
    "create": "absent",
    "unchanged": "as wanted",
    "foreign": "foreign",
    "remove": "not wanted any more",
}


def state_of(change: Change) -> str:
    """Give what an object is now, in words: what `status` says."""
    if change.action == "change":
        return "changed by hand" if change.by_hand else "differs"
    return _STATES[change.action]


def change_lines(changes: Iterable[Change], words: dict[str, str] | None = None) -> Iterable[str]:
    """Give a line for each change and for each place that differs; `words` stand for the actions."""
    for change in changes:
        word = (words or {}).get(change.name + change.kind, change.action)
        version = f" (version {change.version})" if change.version else ""
        yield f"{word:<20}{change.kind.replace('_', ' '):<20}{change.name}{version}".rstrip()
        for pointer in change.details[:_MOST_DETAILS]:
            yield f"{'':<20}{pointer or '/'}"
        if len(change.details) > _MOST_DETAILS:
            yield f"{'':<20}and {len(change.details) - _MOST_DETAILS} more"


def status_lines(changes: Sequence[Change]) -> Iterable[str]:
    """Give a line for each object: what it is now, and of which version."""
    return change_lines(changes, {each.name + each.kind: state_of(each) for each in changes})


def index_lines(names: Names, indices: Sequence[str]) -> Iterable[str]:
    """Say which of the indices are there."""
    log = [index for index in indices if index.startswith(names.log)]
    yield f"log: {_span(log)}"
    if names.state_index in indices:
        yield f"state: {names.state_index}"
    else:
        yield "state: absent; only triage and two of the alerts need it, and the output makes it"
    yield f"cloudtrail: {_span([index for index in indices if index.startswith(names.cloudtrail)])}"
    yield f"stats: {_span([index for index in indices if index.startswith(names.stats)])}"


def mapping_lines(differences: Iterable[MappingDifference]) -> Iterable[str]:
    """Say which indices are not as their templates would make them, and what to do."""
    for each in differences:
        if each.others:
            yield (
                f"{each.index}: its types are not our template's (made before `install`, they are guessed): "
                f"{_some(each.others)}; "
                "how to mend it: docs/opensearch.md, An index whose types were guessed"
            )
        else:
            yield (
                f"{each.index}: lacks {len(each.absent)} fields that its template has by now: "
                f"{_some(each.absent)}; install --update-indices adds them"
            )


def as_json(capabilities: Capabilities, changes: Sequence[Change], notes: Sequence[str], **more: Any) -> str:
    """Give a plan or a status as JSON: flavor, version, changes, notes, and what else is said."""
    document = {
        "flavor": capabilities.flavor,
        "version": capabilities.version,
        "changes": [msgspec.to_builtins(each) | {"state": state_of(each)} for each in changes],
        "notes": list(notes),
        **more,
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode()


def _some(words: Sequence[str]) -> str:
    more = f" and {len(words) - _MOST_FIELDS} more" if len(words) > _MOST_FIELDS else ""
    return ", ".join(words[:_MOST_FIELDS]) + more


def _span(indices: Sequence[str]) -> str:
    if len(indices) > 2:
        return f"{len(indices)} indices, {indices[0]} to {indices[-1]}"
    return ", ".join(indices) or "absent"
