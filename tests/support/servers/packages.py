"""Debian's packages, where this process may install them."""

import functools
import os
import shutil
import subprocess

from servers.failures import ServerError

_INSTALL = ["apt-get", "install", "-y", "-qq", "--no-install-recommends"]
# Another apt may hold the lock, such as the one that runs at start-up.
_WAIT = ["-o", "DPkg::Lock::Timeout=300"]
_SECONDS = 900


def may_install() -> bool:
    """Whether this process may install packages: as root, where there is apt-get."""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def has_lists() -> bool:
    """Whether it is known here what the distribution has."""
    return shutil.which("apt-cache") is not None


def offered(package: str) -> bool:
    """Whether the distribution is known to have the package."""
    if not has_lists():
        return False
    if not _listed(package) and may_install():
        update()
    return _listed(package)


def install(package: str) -> None:
    """Install a package; raises ServerError with apt's own words where that fails."""
    try:
        _apt([*_INSTALL, package])
    except ServerError:
        update()  # a list may name a version that is gone
        _apt([*_INSTALL, package])


def _listed(package: str) -> bool:
    outcome = subprocess.run(
        ["apt-cache", "show", package], capture_output=True, check=False, timeout=_SECONDS
    )
    return outcome.returncode == 0 and bool(outcome.stdout)


@functools.cache
def update() -> None:
    """Fetch the lists of packages, once a process; raises ServerError with apt's own words."""
    _apt(["apt-get", "update", "-qq"])


def _apt(command: list[str]) -> None:
    outcome = subprocess.run(
        [command[0], *_WAIT, *command[1:]],
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        capture_output=True,
        text=True,
        check=False,
        timeout=_SECONDS,
    )
    if outcome.returncode != 0:
        raise ServerError(f"{' '.join(command)}: {outcome.stdout}{outcome.stderr}")
