"""The monitors' API of OpenSearch's Alerting plugin, as strict as its parsers, for a cluster without it."""

import json
import re
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

PATH = "/_plugins/_alerting/monitors"

_FIELDS = {
    *("type", "name", "monitor_type", "enabled", "schedule", "inputs", "triggers", "ui_metadata"),
}
_TRIGGERS = {"query_level_monitor": "query_level_trigger", "bucket_level_monitor": "bucket_level_trigger"}


class RefusedError(Exception):
    """What the plugin would not take, and its words."""


class AlertingApi:
    """Monitors by their ids. What is put comes back as the plugin writes it: searches anew, and more."""

    def __init__(self) -> None:
        self.monitors: dict[str, dict[str, Any]] = {}
        self.requests: list[tuple[str, str]] = []
        self._sequence = 0

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, dict[str, Any]]:
        url = urlsplit(path)
        rest = unquote(url.path.removeprefix(PATH)).strip("/")
        self.requests.append((method, rest))
        try:
            if rest == "_search":
                return self._search(json.loads(body)) if body else _no_body()
            if method == "POST" and not rest:
                return 201, self._put(f"monitor-{self._sequence + 1}", json.loads(body))
            if rest not in self.monitors:
                return 404, _error("status_exception", f"Monitor [{rest}] is not found")
            if method == "PUT":
                return self._replace(rest, parse_qs(url.query), json.loads(body))
            if method == "DELETE":
                del self.monitors[rest]
                return 200, {"_id": rest, "_version": 2}
        except RefusedError as error:
            return 400, _error("illegal_argument_exception", str(error))
        return 405, _error("illegal_argument_exception", f"{method} {path}")

    def named(self, name: str) -> dict[str, Any]:
        """Give the monitor of a name."""
        [found] = [each for each in self.monitors.values() if each["monitor"]["name"] == name]
        return found["monitor"]

    def _search(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        prefix = body.get("query", {}).get("prefix", {}).get("monitor.name.keyword", "")
        wanted = body.get("seq_no_primary_term", False)
        hits = [
            {"_id": identifier, "_source": each["monitor"]}
            | ({"_seq_no": each["_seq_no"], "_primary_term": 1} if wanted else {})
            for identifier, each in self.monitors.items()
            if each["monitor"]["name"].startswith(prefix)
        ]
        return 200, {"hits": {"hits": hits[: body.get("size", 20)]}}

    def _replace(
        self, identifier: str, query: dict[str, list[str]], body: dict[str, Any]
    ) -> tuple[int, dict[str, Any]]:
        there = self.monitors[identifier]
        if query != {"if_seq_no": [str(there["_seq_no"])], "if_primary_term": ["1"]}:
            return 409, _error("version_conflict_engine_exception", f"[{identifier}]: version conflict")
        return 200, self._put(identifier, body)

    def _put(self, identifier: str, body: dict[str, Any]) -> dict[str, Any]:
        check(body)
        self._sequence += 1
        for number, each in enumerate(body["triggers"]):
            for trigger in each.values():
                trigger.setdefault("id", f"{identifier}-trigger-{number}")
                for turn, action in enumerate(trigger["actions"]):
                    action.setdefault("id", f"{identifier}-action-{turn}")
        for each in body["inputs"]:
            each["search"]["query"] = _written_anew(each["search"]["query"])
        added = {"schema_version": 9, "last_update_time": 1, "enabled_time": 1, "owner": "alerting"}
        monitor = body | added | {"data_sources": {}, "delete_query_index_in_every_run": False}
        self.monitors[identifier] = {"monitor": monitor, "_seq_no": self._sequence}
        return {
            "_id": identifier,
            "_version": 1,
            "_seq_no": self._sequence,
            "_primary_term": 1,
            "monitor": monitor,
        }


def check(body: dict[str, Any]) -> None:
    """Refuse what the plugin's parsers refuse. Raises RefusedError."""
    if unknown := body.keys() - _FIELDS - {"id"}:
        raise RefusedError(f"unknown fields {sorted(unknown)}")
    kind = body.get("monitor_type")
    if kind not in _TRIGGERS or body.get("type") != "monitor" or not isinstance(body.get("enabled"), bool):
        raise RefusedError("not a monitor")
    period = body["schedule"]["period"]
    if period.keys() != {"interval", "unit"} or period["unit"] not in ("MINUTES", "HOURS", "DAYS"):
        raise RefusedError(f"no period: {period}")
    [given] = body["inputs"]
    search = given["search"]
    if search.keys() != {"indices", "query"} or not all(isinstance(each, str) for each in search["indices"]):
        raise RefusedError("SearchInput")
    if kind == "bucket_level_monitor" and not search["query"].get("aggregations"):
        raise RefusedError("At least one aggregation is required for the input")
    for each in body["triggers"]:
        [(name, trigger)] = each.items()
        if name != _TRIGGERS[kind]:
            raise RefusedError(f"Incompatible trigger [{name}] for monitor type [{kind}]")
        _check_trigger(name, trigger)


def _check_trigger(kind: str, trigger: dict[str, Any]) -> None:
    if trigger.keys() - {"id"} != {"name", "severity", "condition", "actions"}:
        raise RefusedError(f"trigger of {sorted(trigger)}")
    if not re.fullmatch("[1-5]", trigger["severity"]):
        raise RefusedError(f"severity {trigger['severity']}")
    condition = trigger["condition"]
    if kind == "query_level_trigger":
        if condition.keys() != {"script"} or condition["script"].keys() != {"source", "lang"}:
            raise RefusedError("condition")
    elif condition.keys() != {"buckets_path", "parent_bucket_path", "script", "gap_policy"}:
        raise RefusedError(f"condition of {sorted(condition)}")
    for action in trigger["actions"]:
        for template in ("subject_template", "message_template"):
            if action[template]["lang"] != "mustache":
                raise RefusedError(f"{template} must be a mustache script")
        if action["throttle_enabled"] and action["throttle"]["unit"] != "MINUTES":
            raise RefusedError("Only support MINUTES throttle unit currently")
        if not isinstance(action["destination_id"], str):
            raise RefusedError("destination_id")


def _written_anew(query: Any) -> Any:
    """Write a search as the plugin gives it back: with defaults that nobody wrote."""
    if isinstance(query, list):
        return [_written_anew(each) for each in query]
    if not isinstance(query, dict):
        return query
    anew = {key: _written_anew(value) for key, value in query.items()}
    return anew | {"boost": 1.0, "adjust_pure_negative": True} if "filter" in query else anew


def _no_body() -> tuple[int, dict[str, Any]]:
    cause = {"type": "parse_exception", "reason": "request body or source parameter is required"}
    return 400, {"error": {"root_cause": [cause], **cause}, "status": 400}


def _error(kind: str, reason: str) -> dict[str, Any]:
    return {"error": {"type": kind, "reason": reason}, "status": 400}
