"""Whether the indices that are there have the mappings that our templates give: pure comparison.

Templates are for new indices alone. One that was made before they were there has types that the cluster
guessed, and keeps them; one of an earlier version of ours merely lacks fields.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from guardduty_lens.opensearch.resources import Resource
from guardduty_lens.opensearch.template_check import IndexTemplate, NamedTemplate, template_for


class MappingDifference(msgspec.Struct, frozen=True):
    """An index whose mapping is not its template's.

    `others` says of each field with another type what it is; these stay so until the index is made anew.
    `absent` are fields that the template has by now, which can be added.
    """

    index: str
    others: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()


def mapping_differences(
    indices: Mapping[str, Mapping[str, Any]], desired: Sequence[Resource]
) -> list[MappingDifference]:
    """Compare indices, given by name with their mappings, with what the desired templates give them.

    What an index has beside that is a user's own. Those of no template are passed over.
    """
    found = []
    for index, there in indices.items():
        wanted = mapping_for(index, desired)
        if wanted is None:
            continue
        others = tuple(_others(wanted, there))
        absent = tuple(_absent(wanted, there))
        if others or absent:
            found.append(MappingDifference(index, others, absent))
    return found


def is_of_first_form(mapping: Mapping[str, Any]) -> bool:
    """Tell whether the seed's one index was made by our template for it, whether that is there by now or not.

    Our other templates do not say how dates are found, nor does a cluster that guesses.
    """
    return mapping.get("date_detection") is False


def mapping_for(index: str, desired: Sequence[Resource]) -> dict[str, Any] | None:
    """Give the mapping that an index of this name is made with; None where no template is for it."""
    bodies = {(each.kind, each.name): each.body for each in desired}
    named = [
        NamedTemplate(name, msgspec.convert(body, IndexTemplate))
        for (kind, name), body in bodies.items()
        if kind == "index_template"
    ]
    template = template_for(index, named)
    if template is None:
        return None
    body = bodies["index_template", template.name]
    parts = [bodies["component_template", name] for name in body["composed_of"]]
    mappings = [each.get("template", {}).get("mappings", {}) for each in [*parts, body]]
    whole: dict[str, Any] = {}
    for each in mappings:
        whole = _merged(whole, each)
    return whole


def _merged(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    properties = {**one.get("properties", {}), **other.get("properties", {})}
    return {**one, **other, "properties": properties}


def _others(wanted: Mapping[str, Any], there: Mapping[str, Any]) -> Iterator[str]:
    if _dynamic(wanted) != _dynamic(there):
        yield f"dynamic is {_dynamic(there)}, not {_dynamic(wanted)}"
    for path, ours, theirs in _pairs(wanted, there):
        if theirs is not None and _kind(ours) != _kind(theirs):
            yield f"{path} is {_kind(theirs)}, not {_kind(ours)}"


def _absent(wanted: Mapping[str, Any], there: Mapping[str, Any]) -> Iterator[str]:
    return (path for path, _, theirs in _pairs(wanted, there) if theirs is None)


def _pairs(
    wanted: Mapping[str, Any], there: Mapping[str, Any], before: str = ""
) -> Iterator[tuple[str, Mapping[str, Any], Mapping[str, Any] | None]]:
    """Give each field that is wanted, its mapping, and the index's; nothing below one that differs."""
    for below in ("properties", "fields"):
        held = there.get(below, {})
        for key, ours in wanted.get(below, {}).items():
            path, theirs = f"{before}{key}", held.get(key)
            yield path, ours, theirs
            if theirs is not None and _kind(ours) == _kind(theirs):
                yield from _pairs(ours, theirs, f"{path}.")


def _kind(mapping: Mapping[str, Any]) -> str:
    kind = str(mapping.get("type", "object"))
    return f"{kind} ({mapping['analyzer']})" if "analyzer" in mapping else kind


def _dynamic(mapping: Mapping[str, Any]) -> str:
    return str(mapping.get("dynamic", True)).lower()


def spoiled(differences: Iterable[MappingDifference]) -> list[str]:
    """Give the indices whose types are others than their templates'."""
    return [each.index for each in differences if each.others]
