"""Servers as Maven Central has them, pinned by version and SHA-256, kept in the cache folder."""

import hashlib
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from servers import packages
from servers.cache import cache_folder
from servers.failures import ServerError

_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy"
_SECONDS = 900


@dataclass(frozen=True)
class Artifact:
    """A zip in Maven Central and the SHA-256 (hex) that it must have."""

    group: str
    name: str
    version: str
    sha256: str

    @property
    def file_name(self) -> str:
        """Name that Maven gives the downloaded file."""
        return f"{self.name}-{self.version}.zip"

    @property
    def coordinates(self) -> str:
        """What Maven calls it."""
        return f"{self.group}:{self.name}:{self.version}:zip"


OPENSEARCH = Artifact(
    "org.opensearch.distribution.integ-test-zip",
    "opensearch",
    "3.8.0",
    "196c3cf4602c394f2e40e6174ccbf2a924eae37246f08fa6bbb6b75f9fd5ff1f",
)
# Made for 3.4.0; `secured.py` says what makes 3.8.0 accept it.
SECURITY_PLUGIN = Artifact(
    "org.opensearch.plugin",
    "opensearch-security",
    "3.4.0.0",
    "fc164c084979f7f793d295b6bca56bf8bee76dafb762adef9f14fa872e0a7596",
)
ELASTICSEARCH = Artifact(
    "org.elasticsearch.distribution.integ-test-zip",
    "elasticsearch",
    "9.1.0",
    "be5c5440bb6344cee4070f8f77a6c3cd72363db494944047cdd93748c4e19111",
)


def obtain(artifact: Artifact) -> Path:
    """Path of the artifact's zip in the cache, downloaded if it is not there.

    Raises ServerError where Maven is missing or fails, or the checksum is another.
    """
    kept = cache_folder() / artifact.file_name
    if kept.exists() and _sha256(kept) == artifact.sha256:
        return kept
    # Beside its place, so that the rename is atomic; never in a folder with a pom, which Maven would read.
    with tempfile.TemporaryDirectory(prefix="download-", dir=cache_folder()) as folder:
        downloaded = _download(artifact, Path(folder))
        found = _sha256(downloaded)
        if found != artifact.sha256:
            raise ServerError(f"{artifact.coordinates}: SHA-256 is {found}, expected {artifact.sha256}")
        downloaded.replace(kept)
    return kept


def _download(artifact: Artifact, folder: Path) -> Path:
    maven = _maven()
    command = [maven, "-B", "-q", _COPY, f"-Dartifact={artifact.coordinates}", f"-DoutputDirectory={folder}"]
    try:
        outcome = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, check=False, timeout=_SECONDS
        )
    except subprocess.TimeoutExpired as error:
        raise ServerError(f"Maven did not deliver {artifact.coordinates} in {_SECONDS} s") from error
    if outcome.returncode != 0:
        raise ServerError(f"Maven can't copy {artifact.coordinates}:\n{outcome.stdout}{outcome.stderr}")
    return folder / artifact.file_name


def _maven() -> str:
    if shutil.which("mvn") is None:
        packages.install("maven")
    found = shutil.which("mvn")
    if found is None:
        raise ServerError("Maven (mvn) is needed to download the test servers: apt-get install maven")
    return found


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
