"""Builds `build/guardduty-lens.zip`, the code of the three functions, for Lambda's Python 3.12 on x86_64.

In it: the package without what only a terminal or a page needs, its core dependencies, opensearch-py, and
Powertools for metrics.
boto3 is in every Lambda runtime. The zip is the same bytes for the same sources and dependencies.
"""

import platform
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
ZIP = ROOT / "build" / "guardduty-lens.zip"
RUNTIME = "3.12"
PLATFORMS = (
    "manylinux_2_34_x86_64",
    "manylinux_2_28_x86_64",
    "manylinux_2_17_x86_64",
    "manylinux2014_x86_64",
)
"""What Amazon Linux 2023, under Python 3.12, takes: glibc 2.34 and older."""
HANDLERS = ("archive", "index", "transform")
AS_BOTOCORE_WANTS = ("python-dateutil<3", "urllib3<3")
"""What is in the zip goes before the runtime's own, which its boto3 shares."""
NOT_NEEDED = (
    "alerts",
    "cli",
    "compilers",
    "parquet",
    "samples",
    "saved_objects_api",
    "serve",
    "shippers",
    "visuals",
)
"""Packages of ours that no handler imports; tests/aws/test_package.py holds them to it."""
FOREIGN_NOT_NEEDED = ("google", "grpc", "opensearch", "click", "markdown_it", "mdurl", "pygments", "rich")
"""What comes with opensearch-py for its gRPC transport, and with click and rich for a terminal."""
MOST_BYTES = 50 * 1024 * 1024  # Lambda's limit of a zip, AWS Lambda developer guide, "Lambda quotas"
_EPOCH = (1980, 1, 1, 0, 0, 0)


def main() -> int:
    """Build the zip; print its size and what its handlers take to import."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "code"
        install(folder, Path(scratch))
        prune(folder)
        ZIP.parent.mkdir(exist_ok=True)
        pack(folder, ZIP)
    size = ZIP.stat().st_size
    print(f"{ZIP.relative_to(ROOT)}: {size / 1e6:.1f} MB of Lambda's {MOST_BYTES / 1e6:.0f}")
    for name in HANDLERS:
        print(f"import of {name}: {import_seconds(name):.2f} s here, Python {platform.python_version()}")
    return 0 if size < MOST_BYTES else 1


def install(folder: Path, scratch: Path) -> None:
    """Install the wheel of this checkout, and what it needs in the runtime, into a folder."""
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--no-deps", "-w", str(scratch), str(ROOT)], check=True)
    [wheel] = scratch.glob("*.whl")
    platforms = [word for name in PLATFORMS for word in ("--platform", name)]
    target = ["--target", str(folder), *platforms, "--python-version", RUNTIME]
    wanted = [f"{wheel}[lambda]", *AS_BOTOCORE_WANTS]
    subprocess.run([*pip, "install", "--no-compile", "--only-binary=:all:", *target, *wanted], check=True)


def prune(folder: Path) -> None:
    """Take away what no handler needs."""
    for name in NOT_NEEDED:
        shutil.rmtree(folder / "guardduty_lens" / name)
    for name in FOREIGN_NOT_NEEDED:
        shutil.rmtree(folder / name)
    shutil.rmtree(folder / "bin", ignore_errors=True)


def pack(folder: Path, path: Path) -> None:
    """Zip a folder, in a stable order and with no times."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(each for each in folder.rglob("*") if each.is_file()):
            entry = zipfile.ZipInfo(file.relative_to(folder).as_posix(), _EPOCH)
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, file.read_bytes())


def import_seconds(name: str) -> float:
    """Give how long an interpreter takes that imports a handler and nothing else."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", f"import guardduty_lens.aws.{name}"], check=True)
    return time.perf_counter() - started


if __name__ == "__main__":
    sys.exit(main())
