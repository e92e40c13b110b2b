"""The index of country shapes, which region maps of Dashboards are drawn with, without a map service.

Its name ends in `-map`, which is how Dashboards finds it. Natural Earth's shapes are in the public domain.
"""

import hashlib
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

from guardduty_lens.opensearch.names import Names
from guardduty_lens.opensearch.resources import Resource

LOADED = "shapes"
"""The key in `_meta` that has the digest of the documents, once all of them are there."""


def shapes_index(names: Names) -> Resource:
    """Give the index; its body is the mapping, as it is once the documents are loaded.

    Shapes are not indexed: OpenSearch's geo_shape refuses several countries.
    """
    keyword = {"type": "keyword"}
    properties = {
        "location": {"type": "object", "enabled": False},
        "name": keyword,
        "iso2": keyword,
        "iso3": keyword,
    }
    body = {"dynamic": "false", "properties": properties, "_meta": {LOADED: _digest()}}
    return Resource("shapes_index", names.countries_map, body)


def shape_documents() -> Iterator[tuple[str, bytes]]:
    """Give the id (ISO 3166-1 alpha-2) and the JSON of each country's document."""
    for each in msgspec.json.decode(_raw())["countries"]:
        document = {key: each[key] for key in ("name", "iso2", "iso3")} | {"location": each["geometry"]}
        yield each["iso2"], msgspec.json.encode(document)


def bulk_body() -> bytes:
    """Give one bulk request that writes every document; again, it changes nothing."""
    lines: list[bytes] = []
    for name, document in shape_documents():
        action: dict[str, Any] = {"index": {"_id": name}}
        lines += [msgspec.json.encode(action), document]
    return b"\n".join(lines) + b"\n"


@cache
def _raw() -> bytes:
    return (files("guardduty_lens.visuals") / "countries.json").read_bytes()


@cache
def _digest() -> str:
    return hashlib.sha256(_raw()).hexdigest()[:16]
