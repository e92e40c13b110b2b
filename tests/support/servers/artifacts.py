"""Files of Maven Central, pinned by version and SHA-256, kept in the cache folder."""

import hashlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from servers.cache import cache_folder
from servers.failures import MissingError, ServerError

_SECONDS = 900
_POM = """<project xmlns="http://maven.apache.org/POM/4.0.0">
<modelVersion>4.0.0</modelVersion>
<groupId>guardduty-lens</groupId><artifactId>servers</artifactId><version>1</version><packaging>pom</packaging>
<build><plugins><plugin>
<groupId>org.apache.maven.plugins</groupId><artifactId>maven-dependency-plugin</artifactId><version>3.6.1</version>
<configuration><outputDirectory>${{basedir}}</outputDirectory><artifactItems>
{items}
</artifactItems></configuration>
</plugin></plugins></build>
</project>
"""


@dataclass(frozen=True)
class Artifact:
    """A file in Maven Central and the SHA-256 (hex) that it must have; `packaging` is `zip` or `jar`."""

    group: str
    name: str
    version: str
    sha256: str
    packaging: str = "jar"

    @property
    def file_name(self) -> str:
        """Name that Maven gives the downloaded file."""
        return f"{self.name}-{self.version}.{self.packaging}"

    @property
    def coordinates(self) -> str:
        """What Maven calls it."""
        return f"{self.group}:{self.name}:{self.version}:{self.packaging}"


def obtain(artifact: Artifact) -> Path:
    """Path of the artifact in the cache, downloaded if it is not there; raises as `obtain_all` does."""
    obtain_all([artifact])
    return cached(artifact)


def obtain_all(artifacts: Iterable[Artifact]) -> None:
    """Download what is not in the cache, with one run of Maven, whose start-up costs more than a small file.

    Raises MissingError where there is no Maven, ServerError where it fails or a checksum is another.
    """
    lacking = [artifact for artifact in artifacts if not _is_cached(artifact)]
    if not lacking:
        return
    what = f"{len(lacking)} files of test servers into {cache_folder()}, once; that may take minutes"
    sys.stderr.write(f"downloading {what}\n")
    # Beside its place, so that the rename is atomic.
    with tempfile.TemporaryDirectory(prefix="download-", dir=cache_folder()) as folder:
        _download(lacking, Path(folder))
        for artifact in lacking:
            downloaded = Path(folder, artifact.file_name)
            found = _sha256(downloaded)
            if found != artifact.sha256:
                raise ServerError(f"{artifact.coordinates}: SHA-256 is {found}, expected {artifact.sha256}")
            downloaded.replace(cached(artifact))


def cached(artifact: Artifact) -> Path:
    """Where the artifact lies once it was obtained."""
    return cache_folder() / artifact.file_name


def _is_cached(artifact: Artifact) -> bool:
    kept = cached(artifact)
    return kept.exists() and _sha256(kept) == artifact.sha256


def _download(artifacts: Sequence[Artifact], folder: Path) -> None:
    (folder / "pom.xml").write_text(_POM.format(items="\n".join(_item(artifact) for artifact in artifacts)))
    command = [_maven(), "-B", "-q", "dependency:copy"]
    names = ", ".join(artifact.coordinates for artifact in artifacts)
    try:
        outcome = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, check=False, timeout=_SECONDS
        )
    except subprocess.TimeoutExpired as error:
        raise ServerError(f"Maven did not deliver {names} in {_SECONDS} s") from error
    if outcome.returncode != 0:
        raise ServerError(f"Maven can't copy {names}:\n{outcome.stdout}{outcome.stderr}")


def _item(artifact: Artifact) -> str:
    members = {
        "groupId": artifact.group,
        "artifactId": artifact.name,
        "version": artifact.version,
        "type": artifact.packaging,
    }
    inside = "".join(f"<{name}>{value}</{name}>" for name, value in members.items())
    return f"<artifactItem>{inside}</artifactItem>"


def _maven() -> str:
    found = shutil.which("mvn")
    if found is None:
        raise MissingError("maven", "apt-get install maven; it downloads the test servers")
    return found


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
