"""Writes the roles of OpenSearch's security plugin, ready to be put, under `pipelines/opensearch/roles`.

`--check` writes nothing, and exits with 1 if a file on disk is stale.
"""

import sys

from generated_file import PACKAGE, check_wanted, render, write_or_check

from guardduty_lens.opensearch.names import Names
from guardduty_lens.opensearch.roles import roles

FOLDER = PACKAGE.parent.parent / "pipelines" / "opensearch" / "roles"


def main() -> int:
    """Write or check the files."""
    check = check_wanted(__doc__)
    bodies = roles(Names())
    return max(write_or_check(FOLDER / f"{name}.json", render(bodies[name]), check=check) for name in bodies)


if __name__ == "__main__":
    sys.exit(main())
