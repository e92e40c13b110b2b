"""Files to write to: what stands in the way of it, told before, and what to do after it failed."""

import errno
import os
from pathlib import Path

from guardduty_lens.inputs.files import STANDARD

_ADVICE = {
    errno.EACCES: "let this user write there",
    errno.EPERM: "let this user write there",
    errno.EROFS: "it is mounted read-only",
    errno.ENOSPC: "free some space there",
    errno.EDQUOT: "free some space there",
    errno.ENOENT: "make its folder",
    errno.ENOTDIR: "make its folder",
    errno.EISDIR: "name a file in that folder",
}


def why_not_writable(path: Path, option: str = "--output") -> str | None:
    """Say why a file could not be written, and what to do; None where it can be. `option` names it."""
    reason = why_no_file(path)
    if reason is not None:
        return reason
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        advice = f"let this user write there, or name another place with {option}"
        return f"cannot write {path}: Permission denied; {advice}"
    return None


def why_no_file(path: Path) -> str | None:
    """Say why there can be no file of that name, and what to do; None where there can be."""
    if path.is_dir():
        return f"cannot write {path}: it is a folder; name a file in it, such as {path / 'records.jsonl'}"
    if not path.parent.is_dir():
        return f"cannot write {path}: there is no folder {path.parent}; make it, or name another file"
    return None


def why_no_folder(path: Path) -> str | None:
    """Say why a folder of that name could not be made or filled, and what to do; None where it can be."""
    if path.exists() and not path.is_dir():
        return f"cannot write {path}: it is a file; name a folder"
    if not path.parent.is_dir():
        return f"cannot write {path}: there is no folder {path.parent}; make it, or name another folder"
    return None


def cannot_write(what: str, path: Path, error: OSError, option: str) -> str:
    """Say that writing failed: what, where, why, and what to do."""
    why = error.strerror or str(error)
    place = "standard output" if path == STANDARD else str(path)
    if error.errno == errno.EPIPE:
        return f"whatever read {place} has ended before it had everything"  # as `head` does
    advice = _ADVICE.get(error.errno or 0, "see what is wrong with it")
    return f"cannot write {what} to {place}: {why}; {advice}, or name another place with {option}"
