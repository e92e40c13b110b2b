"""Cut the shapes of a GuardDuty finding out of botocore's service model into aws_model/finding.json.

Source of facts: botocore's `guardduty` service model, read by botocore's own loader. Its documentation texts
are left out; of each shape its type, members (with JSON and API name) and enum values stay.
"""

import sys
from typing import Any

import botocore
from botocore.loaders import create_loader
from generated_file import PACKAGE, check_wanted, render, write_or_check

ROOT = "Finding"
TARGET = PACKAGE / "aws_model" / "finding.json"

# The model knows only `value` and `type` here, but EventBridge and S3 deliver free keys beside them.
OPEN_SHAPES = frozenset({"ServiceAdditionalInfo"})

Shape = dict[str, Any]


def build() -> dict[str, Any]:
    """Give the document: source, root and every shape reachable from the root."""
    model = create_loader().load_service_model("guardduty", "service-2")
    version = model["metadata"]["apiVersion"]
    shapes = reachable(model["shapes"], ROOT)
    missing = OPEN_SHAPES - shapes.keys()
    if missing:
        raise LookupError(f"the model has no such open shapes any more: {sorted(missing)}")
    return {
        "source": f"botocore {botocore.__version__}, guardduty {version}",
        "root": ROOT,
        "shapes": {name: cut(name, shape) for name, shape in shapes.items()},
    }


def reachable(shapes: dict[str, Shape], root: str) -> dict[str, Shape]:
    """Give the shapes that can be reached from `root`, itself included."""
    found: dict[str, Shape] = {}
    waiting = [root]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = shapes[name]
            waiting += [child["shape"] for child in children(shapes[name])]
    return found


def children(shape: Shape) -> list[Shape]:
    """Give the references that a botocore shape holds: members, list element, map key and value."""
    inner = [shape[part] for part in ("member", "key", "value") if part in shape]
    return [*shape.get("members", {}).values(), *inner]


def cut(name: str, shape: Shape) -> Shape:
    """Give one shape in our form."""
    kept: Shape = {"type": shape["type"]}
    if name in OPEN_SHAPES:
        kept["open"] = True
    if "enum" in shape:
        kept["enum"] = list(shape["enum"])
    if "members" in shape:
        kept["members"] = {
            ref.get("locationName", api): {"api": api, "shape": ref["shape"]}
            for api, ref in shape["members"].items()
        }
    for part in ("member", "key", "value"):
        if part in shape:
            kept[part] = {"shape": shape[part]["shape"]}
    return kept


def main() -> int:
    """Write or check the file."""
    check = check_wanted(__doc__)
    return write_or_check(TARGET, render(build()), check=check)


if __name__ == "__main__":
    sys.exit(main())
