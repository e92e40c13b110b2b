"""Print pip constraints that hold every dependency at its lower bound, for `make test-lowest`.

What only developers need is left out: its lowest versions are nobody's concern.
"""

import re
import tomllib
from pathlib import Path

PYPROJECT = Path(__file__).parent.parent / "pyproject.toml"
_BOUND = re.compile(r"(?P<name>[A-Za-z0-9._-]+)(?:\[[^]]*\])?>=(?P<version>[0-9.]+)$")


def constraints() -> list[str]:
    """List the constraints. Raises ValueError for a dependency without a lower bound."""
    project = tomllib.loads(PYPROJECT.read_text())["project"]
    extras = project["optional-dependencies"]
    texts = [*project["dependencies"], *(text for name in extras if name != "dev" for text in extras[name])]
    found = []
    for text in texts:
        bound = _BOUND.fullmatch(text)
        if bound is None:
            raise ValueError(f"{text!r} in pyproject.toml has no plain lower bound")
        found.append(f"{bound['name']}=={bound['version']}")
    return found


if __name__ == "__main__":
    print("\n".join(constraints()))
