"""The lines of OpenSearch that the tests run on, newest first; a new line is a new row."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

from servers.artifacts import Artifact
from servers.failures import ServerError
from servers.java import find_java
from servers.modules import OPENSEARCH_2_19, Module

VARIABLE = "OPENSEARCH_VERSION"


@dataclass(frozen=True)
class Line:
    """A version, the majors of Java it runs on, its artifact, modules to add, and its security plugin."""

    version: str
    java: range
    server: Artifact
    security: Artifact
    modules: Sequence[Module] = ()


def _server(version: str, sha256: str) -> Artifact:
    return Artifact("org.opensearch.distribution.integ-test-zip", "opensearch", version, sha256, "zip")


def _security(version: str, sha256: str) -> Artifact:
    return Artifact("org.opensearch.plugin", "opensearch-security", version, sha256, "zip")


LINES = (
    Line(
        "3.8.0",
        range(21, 100),
        _server("3.8.0", "196c3cf4602c394f2e40e6174ccbf2a924eae37246f08fa6bbb6b75f9fd5ff1f"),
        # Maven Central's newest, made for 3.4.0; `secured.py` says what makes 3.8.0 accept it.
        _security("3.4.0.0", "fc164c084979f7f793d295b6bca56bf8bee76dafb762adef9f14fa872e0a7596"),
    ),
    Line(
        "2.19.4",
        range(17, 24),  # it asks for the security manager, which Java 24 took away
        _server("2.19.4", "3902e642715210d1d9d7cbdcc8f5abd6f931d1d7a679cea3750937becf16c406"),
        _security("2.19.4.0", "1f673622c462c4171a8c53f9b1ad20e5b839834cb79b0d3b388da180a0e514e8"),
        OPENSEARCH_2_19,
    ),
)


def chosen_line() -> Line:
    """The line that OPENSEARCH_VERSION names, else the newest that a Java here runs, else the oldest.

    Raises ServerError for an unknown version.
    """
    version = os.environ.get(VARIABLE)
    if version:
        for line in LINES:
            if line.version == version:
                return line
        known = " or ".join(line.version for line in LINES)
        raise ServerError(f"{VARIABLE} is {version}; the tests run on {known}")
    for line in LINES:
        if find_java(line.java) is not None:
            return line
    return LINES[-1]
