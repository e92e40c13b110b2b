"""Templates for an Elasticsearch that is built without its analysis module, as the tests' is."""

from copy import deepcopy
from typing import Any

from http_json import Server

from guardduty_lens.opensearch.leaves import LABEL, LABEL_SEARCH

# It gets its standard analyser in the place of ours.
WITHOUT_ANALYSIS = {"analyzer": {name: {"type": "standard"} for name in (LABEL, LABEL_SEARCH)}}


def has_analysis(server: Server) -> bool:
    nodes = server.request("GET", "_nodes/plugins")["nodes"].values()
    return all("analysis-common" in {module["name"] for module in node["modules"]} for node in nodes)


def without_analysis(body: dict[str, Any]) -> dict[str, Any]:
    changed = deepcopy(body)
    index = changed.get("template", {}).get("settings", {}).get("index", {})
    if "analysis" in index:
        index["analysis"] = WITHOUT_ANALYSIS
    return changed
