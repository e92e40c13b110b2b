"""Programs that tests start, which a machine may lack.

Then a test is skipped, in a line that says what to install; in CI, where `make test` installs them, it fails.
"""

import os
import shutil
import sys
from pathlib import Path

import pytest

# Where tools/setup_log_daemons.sh lays them, and where Debian has daemons, which a user's PATH may leave out.
_BESIDE = (str(Path(sys.executable).parent), "/usr/sbin")


def program(name: str, package: str) -> str:
    """Return the path of a program, which Debian has in this package."""
    found = shutil.which(name, path=os.pathsep.join([*_BESIDE, os.environ.get("PATH", os.defpath)]))
    if found is None:
        assert not os.environ.get("CI"), f"no {name}: tools/setup_tests.sh installs it"
        pytest.skip(f"needs {name}: apt-get install {package}")
    return found
