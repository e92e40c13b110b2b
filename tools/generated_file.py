"""Write a generated JSON file, or say that the one on disk is stale."""

import argparse
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).resolve().parent.parent / "plugin" / "guardduty_lens"


def render(document: dict[str, Any]) -> str:
    """Give JSON text that is the same on every run: sorted keys, two blanks, newline at the end."""
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def write_or_check(path: Path, text: str, *, check: bool) -> int:
    """Write `text` to `path`, or with `check` only compare; give the exit code (1 = stale)."""
    name = path.relative_to(PACKAGE.parent.parent)
    if check:
        fresh = path.is_file() and path.read_text(encoding="utf-8") == text
        print(f"{name}: {'up to date' if fresh else 'stale'}")
        return 0 if fresh else 1
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    print(f"{name}: written")
    return 0


def write_or_check_all(files: Mapping[Path, str], there: Iterable[Path], *, check: bool) -> int:
    """Write or compare files, and take away (or name) what is there besides; give the exit code."""
    codes = [write_or_check(path, text, check=check) for path, text in files.items()]
    for path in sorted(set(there) - files.keys()):
        print(f"{path.relative_to(PACKAGE.parent.parent)}: {'not wanted' if check else 'removed'}")
        codes.append(int(check))
        if not check:
            path.unlink()
    return max(codes)


def check_wanted(description: str | None) -> bool:
    """Read the one switch that the generators share: `--check`."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if the file is stale")
    return bool(parser.parse_args().check)
