"""How a saved object says that it is ours: at the end of its description, as ingest pipelines do.

Index patterns have no description, and keep unknown attributes: theirs is one.
"""

import hashlib
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from guardduty_lens.opensearch.ownership import Stamp
from guardduty_lens.version import __version__
from guardduty_lens.visuals.saved_objects.objects import SavedObject

ATTRIBUTE = "guarddutyLens"
"""Of an index pattern: the stamp."""

_DIGEST_LENGTH = 16
_TEXT = re.compile(r" ?\[guardduty-lens version=([^ \]]*) prefix=([^ \]]*) digest=([^ \]]*)\]$")


def stamped(bare: SavedObject, prefix: str) -> SavedObject:
    """Give an object with our stamp: this version, the index prefix, a digest of what it says."""
    content = msgspec.json.encode([bare.attributes, bare.references], order="deterministic")
    digest = hashlib.sha256(content).hexdigest()[:_DIGEST_LENGTH]
    text = Stamp(__version__, prefix, digest).text()
    key = ATTRIBUTE if bare.type == "index-pattern" else "description"
    described = f"{bare.attributes.get(key, '')} {text}".strip()
    return msgspec.structs.replace(bare, attributes=bare.attributes | {key: described})


def stamp_of(attributes: Mapping[str, Any]) -> Stamp | None:
    """Give the stamp of an object's attributes; None where it is not ours."""
    for key in ("description", ATTRIBUTE):
        if match := _TEXT.search(str(attributes.get(key, ""))):
            return Stamp(*match.groups())
    return None
