"""A Java of the versions that a server runs on: found, or as root installed from Debian's packages."""

import functools
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from servers import packages
from servers.failures import MissingError

VARIABLE = "OPENSEARCH_JAVA_HOME"
JAVAS = Path("/usr/lib/jvm")
# Of each Debian one or two; the newest that serves is taken.
_PACKAGED = (25, 21, 17)


def find_java(majors: range) -> Path | None:
    """Home of the newest Java with such a major version, None where there is none.

    OPENSEARCH_JAVA_HOME, if it is set, is the only one that is looked at.
    """
    found = {major: home for home in _homes() if (major := _major(home)) in majors}
    return found[max(found)] if found else None


def obtain_java(majors: range) -> Path:
    """As `find_java`, but installed where there is none; raises MissingError where that can't be done."""
    found = find_java(majors)
    if found is not None:
        return found
    name = f"Java {majors.start}"
    if os.environ.get(VARIABLE):
        advice = f"{VARIABLE} is not one of {majors.start} to {majors[-1]}; unset or change it"
        raise MissingError(name, advice)
    candidates = [_package(major) for major in _PACKAGED if major in majors]
    package = next((candidate for candidate in candidates if packages.offered(candidate)), None)
    if package is None:
        advice = f"no package known here has one that serves; set {VARIABLE}"
        raise MissingError(name, advice, packaged=not packages.has_lists())
    if not packages.may_install():
        raise MissingError(name, f"apt-get install {package}, or set {VARIABLE}")
    packages.install(package)
    installed = find_java(majors)
    if installed is None:
        raise MissingError(name, f"{package} is installed, and {JAVAS} has no such Java")
    return installed


def _package(major: int) -> str:
    return f"openjdk-{major}-jre-headless"


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
