"""What becomes of a test where the machine lacks a program that a server needs."""

import os
from collections.abc import Generator

import pytest
from servers import MissingError

# Debian 12 has no Java 21, and the tests pass on it all the same. Anything else can be installed.
NOT_EVERYWHERE = "Java 21"


def skipped_where_missing() -> Generator[None, object, object]:
    """The body of a hook around setup or call: skips the test with the reason that MissingError gives.

    As root, and in CI, it fails instead, but for a Java that the distribution does not have.
    """
    try:
        return (yield)
    except MissingError as missing:
        must_be_there = missing.packaged or missing.name != NOT_EVERYWHERE
        if must_be_there and (os.environ.get("CI") or os.geteuid() == 0):
            raise
        pytest.skip(str(missing))
