"""Debian's packages, where this process may install them."""

import os
import shutil
import subprocess


def install(package: str) -> bool:
    """Install a Debian package as root; whether it is there now. Without root or apt-get nothing is tried."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return False
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", package]
    if _succeeds(command, environment):
        return True
    return _succeeds(["apt-get", "update", "-qq"], environment) and _succeeds(command, environment)


def _succeeds(command: list[str], environment: dict[str, str]) -> bool:
    outcome = subprocess.run(command, env=environment, capture_output=True, check=False, timeout=900)
    return outcome.returncode == 0
