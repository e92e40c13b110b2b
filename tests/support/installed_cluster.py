"""A cluster as a test sees it, with our templates under a prefix of their own."""

import json
import urllib.request
from typing import Any

from analysis import has_analysis, without_analysis
from http_json import Server

from guardduty_lens.lens import Lens
from guardduty_lens.opensearch.names import Names
from guardduty_lens.opensearch.resources import Flavor, IndexOptions
from guardduty_lens.opensearch.templates import templates

PATHS = {"component_template": "_component_template", "index_template": "_index_template"}


class Cluster:
    """A cluster as a test sees it, with our templates under a prefix of their own."""

    def __init__(self, url: str, prefix: str, flavor: Flavor = "opensearch") -> None:
        self.url = url
        self.names = Names(prefix)
        options = IndexOptions(replicas=0)
        self.templates = templates(Lens(extractors=()).plan, self.names, options, flavor=flavor, flat=True)

    def request(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"content-type": "application/json"}
        request = urllib.request.Request(f"{self.url}/{path}", data, headers, method=method)
        with urllib.request.urlopen(request, timeout=60) as response:
            return json.loads(response.read())

    def install(self) -> None:
        whole = has_analysis(Server(self.url))
        for each in self.templates:
            body = each.body if whole else without_analysis(each.body)
            self.request("PUT", f"{PATHS[each.kind]}/{each.name}", body)

    def uninstall(self) -> None:
        self.clear()
        for each in reversed(self.templates):
            self.request("DELETE", f"{PATHS[each.kind]}/{each.name}")

    def clear(self) -> None:
        for index in self.request("GET", f"_cat/indices/{self.names.prefix}guardduty*?format=json"):
            self.request("DELETE", index["index"])

    def hits(self, pattern: str) -> list[dict[str, Any]]:
        self.request("POST", f"{pattern}/_refresh")
        query = "size=10000&version=true&_source_includes=finding_id,event_count,is_archived"
        found: list[dict[str, Any]] = self.request("GET", f"{pattern}/_search?{query}")["hits"]["hits"]
        return found

    @property
    def log(self) -> set[str]:
        return {hit["_id"] for hit in self.hits(f"{self.names.log}-*")}

    @property
    def state(self) -> dict[str, tuple[int, int | None, bool]]:
        """Of each finding its version, count, and whether it is archived."""
        return {
            hit["_id"]: (hit["_version"], hit["_source"].get("event_count"), hit["_source"]["is_archived"])
            for hit in self.hits(self.names.state_index)
        }
