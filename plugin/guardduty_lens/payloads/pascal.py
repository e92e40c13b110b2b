"""PascalCase findings, as GetFindings, the CLI and boto3 give them, into AWS's camelCase.

Names are translated by AWS's model, never by lower-casing: `Code` is `productCodeId`, `SourceIps` is
`sourceIPs`, and `LoginAttributes` stays as it is.
"""

from functools import cache
from typing import Any

import msgspec

from guardduty_lens.aws_model import FindingModel, Shape, load_finding_model

_FINDING_PARTS = ("Service", "Resource", "Severity", "SchemaVersion", "AccountId")


class _Renaming(msgspec.Struct, frozen=True):
    """How values of one shape are renamed; shapes without names below them have none.

    `names` gives the JSON name of an API name where the two differ, `members` what to do below a JSON name,
    `each` what to do with every element of a list or every value of a map.
    """

    kind: type[dict[str, Any]] | type[list[Any]]
    names: dict[str, str] = {}
    members: dict[str, "_Renaming"] = {}
    each: "_Renaming | None" = None


def to_camel_case(finding: dict[str, Any]) -> dict[str, Any]:
    """Give the finding with AWS's camelCase keys, in the same order; the argument is not changed.

    Keys that the model does not know, the keys of maps, and values that are not of their shape's kind stay as
    they came. A PascalCase key whose camelCase form stands beside it stays too, so nothing is lost. Never
    raises on JSON data, however deep: only as deep as the model goes is looked at.
    """
    return _rename_members(finding, _finding_renaming())


def is_pascal_finding(value: object) -> bool:
    """Tell whether a value is a finding with PascalCase keys.

    That is an object with a `Type`, an `Id` or `Arn` (non-empty strings), and at least two of Service,
    Resource, Severity, SchemaVersion and AccountId that are not null.
    """
    if not isinstance(value, dict) or not _is_name(value.get("Type")):
        return False
    if not (_is_name(value.get("Id")) or _is_name(value.get("Arn"))):
        return False
    return sum(value.get(part) is not None for part in _FINDING_PARTS) >= 2


def _is_name(value: object) -> bool:
    return isinstance(value, str) and value != ""


def _rename(value: Any, renaming: _Renaming) -> Any:
    if not isinstance(value, renaming.kind):
        return value
    each = renaming.each
    if each is None:
        assert isinstance(value, dict)
        return _rename_members(value, renaming)
    if isinstance(value, list):
        return [_rename(element, each) for element in value]
    return {key: _rename(element, each) for key, element in value.items()}


def _rename_members(value: dict[str, Any], renaming: _Renaming) -> dict[str, Any]:
    renamed = {}
    name_of, below = renaming.names.get, renaming.members.get
    for key, element in value.items():
        name = name_of(key, key)
        if name in value and name != key:
            renamed[key] = element
        elif (renaming_below := below(name)) is not None:
            renamed[name] = _rename(element, renaming_below)
        else:
            renamed[name] = element
    return renamed


@cache
def _finding_renaming() -> _Renaming:
    model = load_finding_model()
    return _structure_renaming(model, model.shapes[model.root])


def _renaming(model: FindingModel, shape: Shape) -> _Renaming | None:
    """Give the renaming of a shape, None for leaves; ends because no shape of the model holds itself."""
    if shape.kind == "structure":
        return _structure_renaming(model, shape)
    reference = shape.member or shape.value
    each = reference and _renaming(model, model.shapes[reference.shape])
    return _Renaming(kind=list if shape.kind == "list" else dict, each=each) if each else None


def _structure_renaming(model: FindingModel, shape: Shape) -> _Renaming:
    members = {name: _renaming(model, model.shapes[member.shape]) for name, member in shape.members.items()}
    return _Renaming(
        kind=dict,
        names={member.api: name for name, member in shape.members.items() if member.api != name},
        members={name: renaming for name, renaming in members.items() if renaming},
    )
