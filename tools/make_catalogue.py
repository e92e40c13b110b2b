"""Writes what the package reads of its own catalogue at start-up: one JSON file, made of YAML and tables.

`--check` writes nothing, and exits with 1 if the file on disk is stale.
"""

import sys

import msgspec
from generated_file import PACKAGE, check_wanted, write_or_check

from guardduty_lens.catalogue.load import catalogue_of_builtin_files

TARGET = PACKAGE / "catalogue" / "builtin.json"


def build() -> str:
    """Give the file's text: compact, in the order of the entries."""
    return msgspec.json.encode(catalogue_of_builtin_files()).decode() + "\n"


def main() -> int:
    """Write or check the file."""
    check = check_wanted(__doc__)
    return write_or_check(TARGET, build(), check=check)


if __name__ == "__main__":
    sys.exit(main())
