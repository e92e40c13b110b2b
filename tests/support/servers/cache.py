"""Where downloads and the state of `make opensearch` are kept: outside the checkout."""

import os
from pathlib import Path


def cache_folder() -> Path:
    """Folder of this project's cache, made if it is missing.

    `GUARDDUTY_LENS_CACHE` (else `XDG_CACHE_HOME`, else `~/.cache`) followed by `guardduty-lens`.
    """
    base = os.environ.get("GUARDDUTY_LENS_CACHE") or os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    folder = Path(base).expanduser().resolve() / "guardduty-lens"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
