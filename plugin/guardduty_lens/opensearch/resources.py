"""What an installation consists of: named objects with a body, each put by one request."""

from typing import Any, Literal

import msgspec

Kind = Literal[
    "component_template",
    "index_template",
    "ingest_pipeline",
    "lifecycle_policy",
    "shapes_index",
    "monitor",
    "saved_object",
]
"""`shapes_index` is an index with documents of ours, its body the mapping; `monitor` is the Alerting
plugin's, `saved_object` Dashboards'."""

Flavor = Literal["opensearch", "elasticsearch"]

META = "guardduty_lens"
"""The key in `_meta` under which an object says that it is ours, and of which version."""


class Resource(msgspec.Struct, frozen=True):
    """One object of a cluster: what it is, its name, and its body as it is put."""

    kind: Kind
    name: str
    body: dict[str, Any]


class IndexOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What a user may say of indices; days of None keep them for ever."""

    shards: int = 1
    replicas: int = 1
    retention_days: int | None = None
