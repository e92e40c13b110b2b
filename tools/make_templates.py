"""Writes the templates of a default installation to `pipelines/opensearch/`, a folder a kind, a file each.

Those for Elasticsearch go to the sub-folder `elasticsearch`. `--check` writes nothing, and exits with 1 if a
file is stale, missing or too much.
"""

import sys
from pathlib import Path

from generated_file import PACKAGE, check_wanted, render, write_or_check_all

from guardduty_lens.lens import Lens
from guardduty_lens.opensearch.names import Names
from guardduty_lens.opensearch.resources import Flavor, IndexOptions
from guardduty_lens.opensearch.templates import templates

FOLDER = PACKAGE.parent.parent / "pipelines" / "opensearch"
FLAVORS: dict[Flavor, Path] = {"opensearch": FOLDER, "elasticsearch": FOLDER / "elasticsearch"}
KINDS = ("component_template", "index_template")


def build() -> dict[Path, str]:
    """Give the text of each file, by its path."""
    plan = Lens(extractors=()).plan
    return {
        folder / resource.kind / f"{resource.name}.json": render(resource.body)
        for flavor, folder in FLAVORS.items()
        for resource in templates(plan, Names(), IndexOptions(), flavor=flavor, flat=True)
    }


def main() -> int:
    """Write or check the files, and take away (or name) those that nothing gives any more."""
    there = (path for folder in FLAVORS.values() for kind in KINDS for path in (folder / kind).glob("*"))
    return write_or_check_all(build(), there, check=check_wanted(__doc__))


if __name__ == "__main__":
    sys.exit(main())
