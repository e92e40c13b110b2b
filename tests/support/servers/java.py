"""A Java of the versions that a server runs on."""

import functools
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from servers.failures import MissingError

VARIABLE = "OPENSEARCH_JAVA_HOME"
JAVAS = Path("/usr/lib/jvm")


def find_java(majors: range) -> Path | None:
    """Home of the newest Java with such a major version, None where there is none.

    OPENSEARCH_JAVA_HOME, if it is set, is the only one that is looked at.
    """
    found = {major: home for home in _homes() if (major := _major(home)) in majors}
    return found[max(found)] if found else None


def obtain_java(majors: range) -> Path:
    """As `find_java`; raises MissingError where there is none."""
    found = find_java(majors)
    if found is None:
        advice = f"apt-get install openjdk-{majors.start}-jre-headless, or set {VARIABLE} to one's home"
        raise MissingError(f"Java {majors.start}", advice)
    return found


def _homes() -> Iterator[Path]:
    if os.environ.get(VARIABLE):
        yield Path(os.environ[VARIABLE])
        return
    if os.environ.get("JAVA_HOME"):
        yield Path(os.environ["JAVA_HOME"])
    yield from {home.resolve() for home in JAVAS.glob("*")}
    on_path = shutil.which("java")
    if on_path is not None:
        yield Path(on_path).resolve().parent.parent


def _major(home: Path) -> int:
    """Major version of the Java there, 0 where there is none that runs."""
    program = home / "bin" / "java"
    return _major_of(program) if program.exists() else 0


@functools.cache
def _major_of(program: Path) -> int:
    try:
        told = subprocess.run([program, "-version"], capture_output=True, text=True, check=True, timeout=60)
    except (OSError, subprocess.SubprocessError):
        return 0
    version = re.search(r'version "(\d+)', told.stderr)
    return int(version[1]) if version else 0
