"""Writes what runs inside Fluent Bit and Logstash, with the built-in fields, to `pipelines/SHIPPER/native`.

`--check` writes nothing, and exits with 1 if a file is stale, missing or too much.
"""

import sys
from collections.abc import Callable
from pathlib import Path

from generated_file import PACKAGE, check_wanted, write_or_check_all

from guardduty_lens.compilers.fluent_bit import fluent_bit_files
from guardduty_lens.compilers.logstash import logstash_files
from guardduty_lens.engine.plan import Plan
from guardduty_lens.lens import Lens
from guardduty_lens.opensearch.names import Names

FOLDER = PACKAGE.parent.parent / "pipelines"
COMPILERS: dict[Path, Callable[[Plan, Names], dict[str, str]]] = {
    FOLDER / "fluent-bit/native": fluent_bit_files,
    FOLDER / "logstash/native": logstash_files,
}


def build() -> dict[Path, str]:
    """Give the text of each file, by its path."""
    plan = Lens(extractors=()).plan
    return {
        folder / name: text
        for folder, compiled in COMPILERS.items()
        for name, text in compiled(plan, Names()).items()
    }


def main() -> int:
    """Write or check the files, and take away (or name) those that nothing gives any more."""
    there = (path for folder in COMPILERS for path in folder.glob("*"))
    return write_or_check_all(build(), there, check=check_wanted(__doc__))


if __name__ == "__main__":
    sys.exit(main())
