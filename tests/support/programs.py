"""Programs that tests start, and what becomes of a test on a machine that lacks one.

It is skipped, in a line that says what to install. In CI, where `make test` installs them, it fails, but for
Java 21, which Debian 12 does not have.
"""

import os
import shutil
import sys
from collections.abc import Generator
from pathlib import Path

import pytest
from servers import MissingError

NOT_EVERYWHERE = "Java 21"
# Where tools/setup_log_daemons.sh lays some, and where Debian has daemons, which a user's PATH may leave out.
_ALSO = (str(Path(sys.executable).parent), "/usr/sbin")


def extend_path() -> None:
    """Have this process and those that it starts find programs in these folders, too."""
    os.environ["PATH"] = os.pathsep.join([os.environ.get("PATH", os.defpath), *_ALSO])


def program(name: str, package: str) -> str:
    """Return the path of a program, which Debian has in this package. Raises MissingError."""
    found = shutil.which(name)
    if found is None:
        raise MissingError(name, f"apt-get install {package}")
    return found


def skipped_where_missing() -> Generator[None, object, object]:
    """Be the body of a hook around setup or call: skip the test for the reason that MissingError gives."""
    try:
        return (yield)
    except MissingError as missing:
        if os.environ.get("CI") and missing.name != NOT_EVERYWHERE:
            raise
        pytest.skip(str(missing))
