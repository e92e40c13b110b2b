"""How an object in a cluster says that it is ours: of which version, and what it was when it was put there.

Templates and ILM policies carry it in `_meta`. Ingest pipelines and ISM policies of OpenSearch refuse a
`_meta`, so that they carry it at the end of their description; monitors carry it in their `ui_metadata`.
"""

import hashlib
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from guardduty_lens.opensearch.canonical import canonical, with_description
from guardduty_lens.opensearch.resources import META, Kind, Resource
from guardduty_lens.version import __version__

_DIGEST_LENGTH = 16


class Stamp(msgspec.Struct, frozen=True):
    """What an object of ours says of itself; `digest` is of its body in canonical form.

    What was put by hand from our files says its version alone.
    """

    version: str
    prefix: str | None = None
    digest: str | None = None

    def text(self) -> str:
        """Give the stamp as a description ends with it."""
        return f"[guardduty-lens version={self.version} prefix={self.prefix} digest={self.digest}]"

    def is_of(self, prefix: str) -> bool:
        """Tell whether the object was put under this prefix, as far as it says."""
        return self.prefix in (None, prefix)


_TEXT = re.compile(r" ?\[guardduty-lens version=([^ \]]*) prefix=([^ \]]*) digest=([^ \]]*)\]$")
_COMPILED = re.compile(rf"{META} ([^ :]+):")
"""How the description of a compiled pipeline begins."""


def digest(kind: Kind, body: Mapping[str, Any]) -> str:
    """Give a short digest of a body, the same for what was put and for what the server gives back."""
    encoded = msgspec.json.encode(canonical(kind, _without_stamp(body)), order="deterministic")
    return hashlib.sha256(encoded).hexdigest()[:_DIGEST_LENGTH]


def stamped(resource: Resource, prefix: str) -> Resource:
    """Give a resource with our stamp of this version.

    >>> pipeline = Resource("ingest_pipeline", "guardduty-lens", {"description": "Ours.", "processors": []})
    >>> stamped(pipeline, "acme-").body["description"].rpartition(" digest=")[0]
    'Ours. [guardduty-lens version=0.1.0 prefix=acme-'
    """
    stamp = Stamp(__version__, prefix, digest(resource.kind, resource.body))
    body = _without_stamp(resource.body)
    if resource.kind == "monitor":
        body["ui_metadata"] = body.get("ui_metadata", {}) | {META: msgspec.to_builtins(stamp)}
    elif _has_meta(resource):
        place = body["policy"] if resource.kind == "lifecycle_policy" else body
        place["_meta"] = place.get("_meta", {}) | {META: msgspec.to_builtins(stamp)}
    else:
        body = with_description(body, lambda text: f"{text} {stamp.text()}".strip())
    return Resource(resource.kind, resource.name, body)


def stamp_of(body: Mapping[str, Any]) -> Stamp | None:
    """Give the stamp of a body; None where the object is not ours."""
    shown = body.get("ui_metadata")
    if isinstance(shown, Mapping) and META in shown:
        return _from_meta(shown[META])
    for place in (body, body.get("policy")):
        if not isinstance(place, Mapping):
            continue
        meta = place.get("_meta")
        ours = meta.get(META) if isinstance(meta, Mapping) else None
        if ours is not None:
            return _from_meta(ours)
        description = str(place.get("description", ""))
        if match := _TEXT.search(description) or _COMPILED.match(description):
            return Stamp(*match.groups())
    return None


def unstamped(kind: Kind, body: Mapping[str, Any]) -> dict[str, Any]:
    """Give a body in canonical form, without the stamp: what is compared."""
    return canonical(kind, _without_stamp(body))


def _has_meta(resource: Resource) -> bool:
    if resource.kind == "lifecycle_policy":
        return "phases" in resource.body["policy"]  # ILM; ISM's policies have states
    return resource.kind != "ingest_pipeline"


def _from_meta(ours: Any) -> Stamp:
    if not isinstance(ours, Mapping):
        return Stamp(str(ours))
    return Stamp(str(ours.get("version", "")), ours.get("prefix"), ours.get("digest"))


def _without_stamp(body: Mapping[str, Any]) -> dict[str, Any]:
    bare = with_description(dict(body), lambda text: _TEXT.sub("", text))
    if isinstance(bare.get("policy"), Mapping):
        bare["policy"] = _without_meta(bare["policy"])
    if isinstance(bare.get("ui_metadata"), Mapping):
        shown = {key: value for key, value in bare["ui_metadata"].items() if key != META}
        bare["ui_metadata"] = shown
    return _without_meta(bare)


def _without_meta(place: Mapping[str, Any]) -> dict[str, Any]:
    meta = place.get("_meta")
    rest = {key: value for key, value in place.items() if key != "_meta"}
    if isinstance(meta, Mapping) and (others := {key: meta[key] for key in meta if key != META}):
        rest["_meta"] = others
    return rest
