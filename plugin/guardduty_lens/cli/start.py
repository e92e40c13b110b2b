"""Where the process of the command begins: SIGINT while the rest is imported ends it without a traceback."""

import os
import signal
from types import FrameType


def main() -> None:
    """Run the command."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end)
    from guardduty_lens.cli.main import main as command

    command(prog_name="guardduty-lens")


def _end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - signal's signature
    os._exit(128 + number)
