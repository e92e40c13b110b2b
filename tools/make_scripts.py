"""Writes what runs elsewhere, with the built-in fields: inside Fluent Bit and Logstash, and Coralogix's file.

`--check` writes nothing, and exits with 1 if a file is stale, missing or too much.
"""

import sys
from collections.abc import Callable
from pathlib import Path

from generated_file import PACKAGE, check_wanted, write_or_check_all

from guardduty_lens.alerts.load import load_alerts
from guardduty_lens.compilers.coralogix import FILE, coralogix_file
from guardduty_lens.compilers.fluent_bit import fluent_bit_files
from guardduty_lens.compilers.logstash import logstash_files
from guardduty_lens.engine.plan import Plan
from guardduty_lens.lens import Lens
from guardduty_lens.opensearch.names import Names
from guardduty_lens.visuals.fields import fields_of_lens

FOLDER = PACKAGE.parent.parent / "pipelines"
COMPILERS: dict[Path, Callable[[Plan, Names], dict[str, str]]] = {
    FOLDER / "fluent-bit/native": fluent_bit_files,
    FOLDER / "logstash/native": logstash_files,
}


def build() -> dict[Path, str]:
    """Give the text of each file, by its path."""
    lens = Lens(extractors=())
    files = {
        folder / name: text
        for folder, compiled in COMPILERS.items()
        for name, text in compiled(lens.plan, Names()).items()
    }
    fields = fields_of_lens(lens)
    files[FOLDER / "coralogix" / FILE], _ = coralogix_file(load_alerts(fields), fields)
    return files


def main() -> int:
    """Write or check the files, and take away (or name) those that nothing gives any more."""
    there = (path for folder in COMPILERS for path in folder.glob("*"))
    return write_or_check_all(build(), there, check=check_wanted(__doc__))


if __name__ == "__main__":
    sys.exit(main())
