"""Every sample conforms to AWS's own model of a finding."""

from collections import Counter

import pytest

from guardduty_lens.aws_model import load_finding_model
from guardduty_lens.samples import generate_findings

NULLS = {"Finding.service.evidence", "Finding.resource.instanceDetails.platform"}
"""What AWS really sends as null."""
LEAVES = {
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "long": (int,),
    "double": (int, float),
    "timestamp": (int, float, str),
}


def faults(value, name, path, shapes):
    """Give the places where a value is not what the model says."""
    shape = shapes[name]
    if value is None:
        return [] if path in NULLS else [f"{path}: null"]
    if shape.kind == "structure":
        return structure_faults(value, shape, path, shapes)
    if shape.kind == "list":
        if type(value) is not list:
            return [f"{path}: no list"]
        return [fault for item in value for fault in faults(item, shape.member.shape, f"{path}[]", shapes)]
    if shape.kind == "map":
        if type(value) is not dict:
            return [f"{path}: no map"]
        return [
            fault for item in value.values() for fault in faults(item, shape.value.shape, f"{path}.*", shapes)
        ]
    if type(value) not in LEAVES[shape.kind]:
        return [f"{path}: {type(value).__name__} is no {shape.kind}"]
    return [f"{path}: {value} is not of the enum"] if shape.enum and value not in shape.enum else []


def structure_faults(value, shape, path, shapes):
    if type(value) is not dict:
        return [f"{path}: no structure"]
    found = []
    for key, inner in value.items():
        member = shape.members.get(key)
        if member is not None:
            found += faults(inner, member.shape, f"{path}.{key}", shapes)
        elif path != "Finding.service.additionalInfo":
            found.append(f"{path}.{key}: unknown")
    return found


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_every_finding_conforms_to_the_model(seed):
    model = load_finding_model()
    found = Counter()
    for finding in generate_findings(1500, seed):
        found.update(faults(finding, model.root, "Finding", model.shapes))
    assert found == Counter()


def test_a_wrong_finding_does_not_conform():
    model = load_finding_model()
    wrong = {"id": 1, "nonsense": True, "service": {"count": 2.5, "archived": None}, "severity": "5"}
    assert len(faults(wrong, "Finding", "Finding", model.shapes)) == 5
