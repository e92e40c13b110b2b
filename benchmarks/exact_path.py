"""`filter` without splicing: every event decoded as a whole, enriched, encoded."""

import sys
from pathlib import Path

from guardduty_lens import Lens
from guardduty_lens.inputs.files import read_blocks

lens = Lens(splice=False)
with Path(sys.argv[1]).open("rb") as file, Path(sys.argv[2]).open("wb") as output:
    written = bytearray()
    for item in lens.stream(read_blocks(file)):
        item.write_json(written)
        written += b"\n"
        if len(written) > 1024 * 1024:
            output.write(written)
            written.clear()
    output.write(written)
