"""The Alerting plugin: monitors, by state. Nothing is run here, so there are no alerts."""

import copy
import re
import time
from collections.abc import Callable
from typing import Any

from plugins.indices import Indices, resolved
from plugins.monitor_search import found, search_of
from plugins.monitors import parsed, wrapped
from plugins.refusals import UnrecordedError, no_body, refusal
from plugins.requests import Request, Route, routed

ROOT = "/_plugins/_alerting/"
_OLD_ROOT = "/_opendistro/_alerting/"
_CONFIG = ".opendistro-alerting-config"
_STATUS = "org.opensearch.OpenSearchStatusException"
_LIMIT = "plugins.alerting.monitor.max_monitors"
_MOST = 1_000
_PUT_VERSION = 8
"""What `schema_version` becomes by a PUT; it is 0 by a POST."""
_UNMODELLED = {
    "comments",
    "destinations",
    "findings",
    "remote",
    "stats",
    "workflows",
}

_ADDED: dict[str, Any] = {
    "data_sources": {
        "query_index": ".opensearch-alerting-queries",
        "findings_index": ".opensearch-alerting-finding-history-write",
        "findings_index_pattern": "<.opensearch-alerting-finding-history-{now/d}-1>",
        "alerts_index": ".opendistro-alerting-alerts",
        "alerts_history_index": ".opendistro-alerting-alert-history-write",
        "alerts_history_index_pattern": "<.opendistro-alerting-alert-history-{now/d}-1>",
        "comments_index": ".opensearch-alerting-comments-history-write",
        "comments_index_pattern": "<.opensearch-alerting-comments-history-{now/d}-1>",
        "query_index_mappings_by_type": {},
        "findings_enabled": False,
    },
    "delete_query_index_in_every_run": False,
    "should_create_single_alert_for_findings": False,
    "owner": "alerting",
}


def _now() -> int:
    return int(time.time() * 1000)


class AlertingPlugin:
    """Monitors by their ids, each as the plugin stores it: `monitor`, `_version`, `_seq_no`."""

    def __init__(self, indices: Indices, now: Callable[[], int] = _now) -> None:
        self.monitors: dict[str, dict[str, Any]] = {}
        self.requests: list[tuple[str, str]] = []
        self._indices, self._now = indices, now
        self._config_made = False
        self._sequence, self._ids = 0, 0
        once = frozenset({"if_seq_no", "if_primary_term", "refresh"})
        searching = frozenset({"index", "source", "source_content_type"})
        execute = frozenset({"dryrun", "period_end"})
        one = {"GET": self._get, "HEAD": self._get, "PUT": self._put, "DELETE": self._delete}
        listing = frozenset({"monitorId", "size", "sortString", "sortOrder", "alertState", "severityLevel"})
        self._routes = [
            Route("monitors", {"POST": self._post}),
            Route("monitors/_search", {"GET": self._search, "POST": self._search}, searching),
            Route("monitors/alerts", {"GET": self._alerts}, listing),
            Route("monitors/_execute", {"POST": self._execute}, execute),
            Route("monitors/*/_execute", {"POST": self._execute}, execute),
            Route("monitors/*/_acknowledge/alerts", {"POST": self._acknowledge}),
            Route("monitors/*", one, once),
        ]

    def answer(self, request: Request) -> tuple[int, Any]:
        self.requests.append((request.method, request.path))
        root = _OLD_ROOT if request.path.startswith(_OLD_ROOT) else ROOT
        return routed(request, root, self._routes, _UNMODELLED)

    def named(self, name: str) -> dict[str, Any]:
        """Give the monitor of a name."""
        [there] = [each for each in self.monitors.values() if each["monitor"]["name"] == name]
        monitor: dict[str, Any] = there["monitor"]
        return monitor

    def _new_id(self) -> str:
        self._ids += 1
        return f"monitors-{self._ids:011}"

    def _post(self, request: Request, _: str) -> tuple[int, Any]:
        monitor = self._read(request)
        self._config_made = True
        limit = int(self._indices.setting(_LIMIT) or _MOST)
        if len(self.monitors) >= limit:
            raise wrapped(f"This request would create more than the allowed monitors [{limit}].")
        identifier = self._new_id()
        self._store(identifier, monitor, 1)
        self._sequence += 2  # what the plugin notes of a new monitor, in the same index
        return 201, self._told(identifier)

    def _put(self, request: Request, identifier: str) -> tuple[int, Any]:
        query = request.query
        given = [name for name in ("if_seq_no", "if_primary_term") if name in query]
        monitor = self._read(request)
        if len(given) == 1:
            raise wrapped("Both ifSeqNo and ifPrimaryTerm must be set or unassigned.")
        self._config_made = True
        there = self.monitors.get(identifier)
        if there is None:
            raise wrapped(f"Monitor with {identifier} is not found", 404, _STATUS)
        if given and (query["if_seq_no"], query["if_primary_term"]) != (str(there["_seq_no"]), "1"):
            said = f"Document version conflict putting {identifier} in index {_CONFIG}"
            raise wrapped(said, 409, _STATUS)
        before = there["monitor"]
        if monitor["enabled"] and before["enabled"]:
            monitor["enabled_time"] = before["enabled_time"]
        monitor["schema_version"] = _PUT_VERSION
        self._store(identifier, monitor, there["_version"] + 1)
        return 200, self._told(identifier)

    def _read(self, request: Request) -> dict[str, Any]:
        if not request.body:
            raise no_body()
        monitor = parsed(request.text, self._new_id)
        expressions = [one for each in monitor["inputs"] for one in each["search"]["indices"]]
        _, missing = resolved(self._indices, expressions)
        if missing:
            java = "org.opensearch.index.IndexNotFoundException"
            refused = wrapped(f"Configured indices are not found: [{missing[0]}]", 404, java)
            refused.body["error"]["caused_by"]["reason"] = f"{java}: no such index [{missing[0]}]"
            raise refused
        now = self._now()
        enabled = (monitor.get("enabled_time") or now) if monitor["enabled"] else None
        times = {"enabled_time": enabled, "last_update_time": now}
        return monitor | {"schema_version": 0} | times | copy.deepcopy(_ADDED)

    def _store(self, identifier: str, monitor: dict[str, Any], version: int) -> None:
        self.monitors[identifier] = {"monitor": monitor, "_version": version, "_seq_no": self._sequence}
        self._sequence += 1

    def _told(self, identifier: str) -> dict[str, Any]:
        return {"_id": identifier, **self.monitors[identifier], "_primary_term": 1}

    def _get(self, request: Request, identifier: str) -> tuple[int, Any]:
        if identifier not in self.monitors:
            raise wrapped("Monitor not found.", 404, _STATUS)
        told = self._told(identifier)
        return 200, told | {"monitor": _shown(told["monitor"], request), "associated_workflows": []}

    def _delete(self, _: Request, identifier: str) -> tuple[int, Any]:
        there = self.monitors.pop(identifier, None)
        if there is None:
            raise refusal("status_exception", f"Monitor with {identifier} is not found", 404)
        self._sequence += 1
        return 200, {"_id": identifier, "_version": there["_version"] + 1}

    def _search(self, request: Request, _: str) -> tuple[int, Any]:
        search = search_of(request)
        there = list(self.monitors)
        total, page = found(search, [self.monitors[each]["monitor"]["name"] for each in there])
        if not self._config_made:
            return 200, _nothing()
        score = None if "sort" in search else 1.0
        hits = []
        for place in page:
            told = self._told(there[place])
            source = _shown(told.pop("monitor"), request)
            hit = {"_index": _CONFIG, **told, "_score": score, "_source": source}
            hits.append(hit | ({"sort": [source["name"]]} if "sort" in search else {}))
        counted = {"value": total, "relation": "eq"}
        shards = {"total": 1, "successful": 1, "skipped": 0, "failed": 0}
        inner = {"total": counted, "max_score": score if hits else None, "hits": hits}
        return 200, {"took": 1, "timed_out": False, "_shards": shards, "hits": inner}

    def _alerts(self, request: Request, _: str) -> tuple[int, Any]:
        wanted = request.query.get("monitorId")
        there = self.monitors if wanted is None else wanted in self.monitors
        if there or request.query.keys() - {"monitorId"}:
            raise UnrecordedError("alerts: schedules do not run here, so that nobody knows them")
        return 200, {"alerts": [], "totalAlerts": 0}

    def _execute(self, request: Request, identifier: str) -> tuple[int, Any]:
        end = request.query.get("period_end")
        if end is not None and not re.fullmatch(r"\d+(ms|s|m|h|d)", end):
            said = f"failed to parse setting [period_end] with value [{end}] as a time value: "
            raise refusal("illegal_argument_exception", f"{said}unit is missing or unrecognized")
        if not identifier:
            parsed(request.text, self._new_id)
        elif identifier not in self.monitors:
            raise wrapped(f"Can't find monitor with id: {identifier}", 404, _STATUS)
        raise UnrecordedError("_execute: the stand-in runs no monitor")

    def _acknowledge(self, request: Request, identifier: str) -> tuple[int, Any]:
        if not request.body:
            raise no_body()
        if identifier not in self.monitors:
            java = "org.opensearch.ResourceNotFoundException"
            raise wrapped(f"No monitor found with id [{identifier}]", 500, java)
        raise UnrecordedError("acknowledging: there are no alerts here")


def _shown(monitor: dict[str, Any], request: Request) -> dict[str, Any]:
    """Give a monitor as it is read: `ui_metadata` for Dashboards alone."""
    hidden = set() if "OpenSearch-Dashboards" in request.headers.get("user-agent", "") else {"ui_metadata"}
    return {name: each for name, each in monitor.items() if name not in hidden}


def _nothing() -> dict[str, Any]:
    """Give the answer to a search where no monitor was ever made: the index is not there."""
    hits = {"total": {"value": 0, "relation": "eq"}, "max_score": 0.0, "hits": []}
    shards = {"total": 0, "successful": 0, "skipped": 0, "failed": 0}
    return {
        "_scroll_id": "", "took": 0, "timed_out": False, "terminated_early": False, "num_reduce_phases": 0,
        "_shards": shards, "hits": hits, "suggest": {}, "profile": {"shards": []},
    }  # fmt: skip
