"""A monitor as the Alerting plugin reads it, with what it refuses in its own words."""

import json
import re
from collections.abc import Callable
from typing import Any

from plugins.refusals import RefusalError, UnrecordedError, refusal
from plugins.searches import UnknownQueryError, written_anew
from plugins.tokens import CutOffError, decoded, value_of

ILLEGAL = "java.lang.IllegalArgumentException"
_STATE = "java.lang.IllegalStateException"
_PARSING = "org.opensearch.core.common.ParsingException"
_UNSET = "kotlin.UninitializedPropertyAccessException"
_MOST_TRIGGERS = 10
_LONGEST_THROTTLE = 1_440
_UNITS = ("SECONDS", "MINUTES", "HOURS", "DAYS")
_ACTION = {
    *("id", "name", "destination_id", "subject_template", "message_template"),
    *("throttle_enabled", "throttle", "action_execution_policy"),
}
_KINDS = {"query_level_monitor": "query_level_trigger", "bucket_level_monitor": "bucket_level_trigger"}


def wrapped(reason: str, status: int = 400, java: str = ILLEGAL) -> RefusalError:
    """Make a refusal as Alerting wraps those of its own code."""
    return refusal("alerting_exception", reason, status, java=java)


def parsed(text: str, new_id: Callable[[], str]) -> dict[str, Any]:
    """Read a monitor, without what the plugin adds. Raises RefusalError, UnrecordedError."""
    try:
        given = decoded(text)
    except CutOffError as error:
        java = "org.opensearch.tools.jackson.core.UnexpectedEndOfInputException"
        raise wrapped(str(error), 500, java) from error
    if not isinstance(given, dict):
        raise UnrecordedError(f"a monitor that is {text[:40]}")
    if "name" in given and given["name"] is None:
        at = value_of(text, "name")
        raise wrapped(f"Can't get text on a VALUE_NULL at {at.line}:{at.column}", 500, _STATE)
    monitor = {
        "type": "monitor",
        "name": given.get("name"),
        "monitor_type": given.get("monitor_type", "query_level_monitor"),
        "enabled": _boolean(given.get("enabled", True)),
        "schedule": _schedule(given["schedule"]) if "schedule" in given else None,
        "inputs": [_input(each) for each in given.get("inputs", ())],
        "triggers": [_trigger(each, new_id) for each in given.get("triggers", ())],
    }
    for name in ("name", "schedule"):
        if monitor[name] is None:
            raise wrapped(f"Monitor {name} is null")
    _check(monitor)
    return monitor | {name: given[name] for name in ("ui_metadata", "enabled_time") if given.get(name)}


def _check(monitor: dict[str, Any]) -> None:
    kind = monitor["monitor_type"]
    if kind.startswith(("doc_level", "cluster_metrics", "ppl")):
        raise UnrecordedError(f"a {kind}, which the stand-in does not know")
    for each in monitor["triggers"]:
        [(name, trigger)] = each.items()
        if _KINDS.get(kind, name) != name:
            raise wrapped(f"Incompatible trigger [{trigger['id']}] for monitor type [{kind}]")
    if len(monitor["inputs"]) > 1:
        raise wrapped("Monitors can only have 1 search input.")
    if len(monitor["triggers"]) > _MOST_TRIGGERS:
        said = f"The current cluster settings only allow up to {_MOST_TRIGGERS} triggers per monitor."
        raise wrapped(said)
    for each in monitor["inputs"]:
        search = each["search"]
        if kind == "bucket_level_monitor" and not search["query"].get("aggregations"):
            query = json.dumps(search["query"], separators=(",", ":"), ensure_ascii=False)
            said = f"SearchInput(indices=[{', '.join(search['indices'])}], query={query})"
            raise wrapped(f"At least one aggregation is required for the input [{said}]")


def _boolean(given: Any) -> bool:
    if given in (True, False, "true", "false"):
        return given in (True, "true")
    raise UnrecordedError(f"enabled: {given!r}")


def _schedule(given: dict[str, Any]) -> dict[str, Any]:
    [(kind, inner)] = given.items()
    if kind == "cron":
        if inner.get("timezone") is None:
            raise wrapped("Timezone in cron schedule is null.")
        return given
    if kind != "period" or inner.keys() != {"interval", "unit"}:
        raise UnrecordedError(f"a schedule of {given}")
    unit = inner["unit"].upper()
    if unit not in _UNITS:
        known = ", ".join(each.capitalize() for each in _UNITS)
        raise wrapped(f"Timezone {inner['unit'].capitalize()} is not supported expected [{known}]")
    if inner["interval"] <= 0:
        raise wrapped("Interval is not allowed to be 0 or negative")
    return {"period": {"interval": inner["interval"], "unit": unit}}


def _input(given: dict[str, Any]) -> dict[str, Any]:
    if given.keys() != {"search"} or given["search"].keys() != {"indices", "query"}:
        raise UnrecordedError(f"an input of {sorted(given)}")
    search = given["search"]
    if isinstance(search["indices"], str):
        found = "expecting token of type [START_ARRAY] but found [VALUE_STRING]"
        raise wrapped(f"Failed to parse object: {found}", 500, _PARSING)
    try:
        query = written_anew(search["query"])
    except UnknownQueryError as error:
        raise wrapped(str(error), 500, _PARSING) from error
    return {"search": {"indices": search["indices"], "query": query}}


def _trigger(given: dict[str, Any], new_id: Callable[[], str]) -> dict[str, Any]:
    # Dashboards' editor sends a query-level trigger bare.
    bare = not given.keys() & {*_KINDS.values(), "document_level_trigger", "chained_alert_trigger"}
    [(kind, inner)] = {"query_level_trigger": given}.items() if bare else given.items()
    if kind not in _KINDS.values():
        raise UnrecordedError(f"a trigger of the kind {kind}, which the stand-in does not know")
    identifier = inner.get("id") or new_id()
    condition = _CONDITIONS[kind](inner["condition"], identifier)
    actions = [_action(each, new_id) for each in inner.get("actions", ())]
    for name in ("name", "severity"):
        if inner.get(name) is None:
            raise wrapped(f"lateinit property {name} has not been initialized", 500, _UNSET)
    about = {"id": identifier, "name": inner["name"], "severity": str(inner["severity"])}
    return {kind: about | {"condition": condition, "actions": actions}}


def _query_condition(given: dict[str, Any], identifier: str) -> dict[str, Any]:
    if given.keys() != {"script"}:
        raise UnrecordedError(f"a condition of {sorted(given)}")
    script = {"lang": "painless"} | given["script"]
    if script["lang"] != "painless":
        raise wrapped("Invalid script language. Allowed languages are [painless]")
    return {"script": script}


def _bucket_condition(given: dict[str, Any], identifier: str) -> dict[str, Any]:
    if "parent_bucket_path" not in given:
        said = f"Missing required field [parent_bucket_path] for bucket_selector aggregation [{identifier}]"
        raise wrapped(said, 500, _PARSING)
    known = {"parent_bucket_path", "buckets_path", "script", "gap_policy"}
    if known - given.keys() - {"gap_policy"} or given.keys() - known or given["script"]["lang"] != "painless":
        raise UnrecordedError(f"a bucket-level condition of {given}")
    return {"gap_policy": "skip"} | given


_CONDITIONS = {"query_level_trigger": _query_condition, "bucket_level_trigger": _bucket_condition}


def _action(given: dict[str, Any], new_id: Callable[[], str]) -> dict[str, Any]:
    if unknown := given.keys() - _ACTION:
        raise wrapped(f"Unexpected field: {min(unknown)}, while parsing action", 500, _STATE)
    action: dict[str, Any] = {"id": given.get("id") or new_id()} | given
    action["throttle_enabled"] = given.get("throttle_enabled", False)
    for template in ("subject_template", "message_template"):
        if template in action and action[template].get("lang") != "mustache":
            if template == "subject_template" or "lang" not in action[template]:
                raise UnrecordedError(f"a {template} of {action[template]}")
            raise wrapped(f"{template} must be a mustache script")
    _check_throttle(action)
    if "action_execution_policy" in action:
        _check_scope(action["action_execution_policy"]["action_execution_scope"])
    for name in ("name", "destination_id", "message_template"):
        if action.get(name) is None:
            said = re.sub("_(.)", lambda found: found[1].upper(), name)
            raise wrapped(f"lateinit property {said} has not been initialized", 500, _UNSET)
    return action


def _check_throttle(action: dict[str, Any]) -> None:
    throttle = action.get("throttle")
    if throttle is None:
        if action["throttle_enabled"]:
            raise wrapped("Action throttle enabled but not set throttle value")
        return
    if throttle["unit"].upper() != "MINUTES":
        raise wrapped("Only support MINUTES throttle unit currently")
    if throttle["value"] <= 0:
        raise wrapped("Can only set positive throttle period")
    if throttle["value"] > _LONGEST_THROTTLE:
        raise wrapped("Can only set throttle period less than or equal to 1d")


def _check_scope(scope: dict[str, Any]) -> None:
    [kind] = scope
    if kind not in ("per_alert", "per_execution"):
        raise wrapped(f"Invalid field [{kind}] found in action execution scope.")
