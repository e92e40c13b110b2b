"""Files made of other packages, whose exact versions the extra `dev` names, are fresh."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PACKAGE = Path("plugin") / "guardduty_lens"
GENERATORS = [
    ("make_aws_model.py", PACKAGE / "aws_model" / "finding.json"),
    ("make_countries.py", PACKAGE / "catalogue" / "tables" / "countries.json"),
]


def _run(root: Path, tool: str, *arguments: str) -> int:
    command = [sys.executable, str(root / "tools" / tool), *arguments]
    return subprocess.run(command, check=False, capture_output=True, cwd=root).returncode


@pytest.mark.parametrize(("tool", "made"), GENERATORS)
def test_the_file_on_disk_is_fresh(tool: str, made: Path) -> None:
    assert _run(ROOT, tool, "--check") == 0


@pytest.mark.parametrize(("tool", "made"), GENERATORS)
def test_a_stale_file_is_told_and_mended(tool: str, made: Path, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "tools", tmp_path / "tools", ignore=shutil.ignore_patterns("__pycache__"))
    copy = tmp_path / made
    assert _run(tmp_path, tool, "--check") == 1
    assert not copy.exists()
    assert _run(tmp_path, tool) == 0
    assert copy.read_bytes() == (ROOT / made).read_bytes()
    copy.write_bytes(copy.read_bytes() + b"\n")
    assert _run(tmp_path, tool, "--check") == 1
