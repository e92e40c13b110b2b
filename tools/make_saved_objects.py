"""Writes `saved_objects/`: all objects in one import file, and a file a dashboard that can be imported alone.

`--check` writes nothing, and exits with 1 if a file is stale, missing or too much.
"""

import sys
from pathlib import Path

from generated_file import PACKAGE, check_wanted, write_or_check_all

from guardduty_lens.lens import Lens
from guardduty_lens.opensearch.names import Names
from guardduty_lens.visuals.fields import fields_of_lens
from guardduty_lens.visuals.load import load_dashboards
from guardduty_lens.visuals.saved_objects import files_of, saved_objects

FOLDER = PACKAGE.parent.parent / "saved_objects"


def build() -> dict[Path, str]:
    """Give the text of each file, by its path."""
    fields = fields_of_lens(Lens(extractors=()))
    objects = saved_objects(load_dashboards(fields), fields, Names())
    return {FOLDER / name: text for name, text in files_of(objects).items()}


def main() -> int:
    """Write or check the files, and take away (or name) those that nothing gives any more."""
    return write_or_check_all(build(), FOLDER.glob("*"), check=check_wanted(__doc__))


if __name__ == "__main__":
    sys.exit(main())
