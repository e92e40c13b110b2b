"""A policy as Index State Management reads it, with what it refuses in its own words."""

import json
import re
from typing import Any

from plugins.refusals import RefusalError, UnrecordedError, no_body, refusal
from plugins.tokens import CutOffError, decoded, tokens

ILLEGAL = "illegal_argument_exception"
_FIELDS = {
    *("policy_id", "description", "default_state", "states", "ism_template", "error_notification"),
    *("last_updated_time", "schema_version"),
}
_ACTIONS = {
    *("alias", "allocation", "close", "force_merge", "index_priority", "notification", "open", "read_only"),
    *("read_write", "replica_count", "rollup", "rollover", "search_only", "shrink", "snapshot", "transform"),
    *("stop_replication", "convert_index_to_remote"),
}
"""Kinds that are there, and of which nobody has recorded how they are written anew."""
_RETRY = {"count": 3, "backoff": "exponential", "delay": "1m"}
_UNITS = {"nanos": 1e-9, "micros": 1e-6, "ms": 0.001, "s": 1, "m": 60, "h": 3_600, "d": 86_400}


def parsed(text: str, now: int) -> dict[str, Any]:
    """Read the body of a policy. Raises RefusalError, UnrecordedError."""
    if not text:
        raise no_body()
    try:
        body = decoded(text)
    except CutOffError as error:
        kind = "unexpected_end_of_input_exception"
        refused = refusal(kind, str(error))
        refused.body["error"]["caused_by"] = {"type": kind, "reason": str(error)}
        raise refused from error
    _check_frame(text, body)
    return _policy(body["policy"], now)


def _check_frame(text: str, body: Any) -> None:
    """The body has to be one member, whose value is an object."""
    each = tokens(text)
    expected = ("START_OBJECT", "FIELD_NAME", "START_OBJECT")
    for kind, token in zip(expected, each, strict=False):
        if token.kind != kind:
            raise _misplaced(kind, token.kind, token.line, token.column)
    if (name := next(iter(body))) != "policy":
        raise UnrecordedError(f"a policy under the name {name}")
    for token in each:
        if token.depth == 1 and token.kind == "FIELD_NAME":
            raise _misplaced("END_OBJECT", token.kind, token.line, token.column)


def _misplaced(wanted: str, found: str, line: int, column: int) -> RefusalError:
    said = f"Failed to parse object: expecting token of type [{wanted}] but found [{found}]"
    return refusal("parsing_exception", said, line=line, col=column)


def _policy(given: dict[str, Any], now: int) -> dict[str, Any]:
    for name in given:
        if name not in _FIELDS:
            raise refusal(ILLEGAL, f"Invalid field: [{name}] found in Policy.")
    states = [_state(each) for each in given.get("states", ())]
    templates = _templates(given.get("ism_template"), now)
    notification = _notification(given.get("error_notification"))
    for name in ("description", "default_state"):
        if given.get(name) is None:
            raise refusal(ILLEGAL, f"{name} is null")
    _check_states(states, given["default_state"])
    return {
        "description": given["description"],
        "last_updated_time": now,
        "schema_version": given.get("schema_version", 1),
        "error_notification": notification,
        "default_state": given["default_state"],
        "states": states,
        "ism_template": templates,
    }


def _check_states(states: list[dict[str, Any]], default: str) -> None:
    names = [each["name"] for each in states]
    if not names:
        raise refusal(ILLEGAL, "Policy must contain at least one State")
    for state in states:
        for each in state["transitions"]:
            if each["state_name"] not in names:
                said = f"Policy contains a transition in state={state['name']} pointing to a nonexistent "
                raise refusal(ILLEGAL, f"{said}state={each['state_name']}")
    if default not in names:
        raise refusal(ILLEGAL, "Policy must have a valid default state")


def _state(given: dict[str, Any]) -> dict[str, Any]:
    if given.keys() != {"name", "actions", "transitions"}:
        raise UnrecordedError(f"a state of {sorted(given)}")
    actions = [_action(each) for each in given["actions"]]
    for each in given["transitions"]:
        if each.keys() != {"state_name", "conditions"} or each["conditions"].keys() != {"min_index_age"}:
            raise UnrecordedError(f"a transition of {each}")
        seconds(each["conditions"]["min_index_age"], "min_index_age")
    return {"name": given["name"], "actions": actions, "transitions": given["transitions"]}


def _action(given: dict[str, Any]) -> dict[str, Any]:
    for kind in given.keys() - {"retry", "delete"}:
        if kind in _ACTIONS or kind == "timeout":
            raise UnrecordedError(f"an action of {sorted(given)}")
        raise refusal(ILLEGAL, f"Invalid field: [{kind}] found in Actions.")
    return {"retry": _RETRY} | given


def seconds(text: str, name: str) -> float:
    """Read a time value. Raises RefusalError."""
    if match := re.fullmatch(r"(\d+)(nanos|micros|ms|s|m|h|d)", text):
        return int(match[1]) * _UNITS[match[2]]
    said = f"failed to parse setting [{name}] with value [{text}] as a time value: "
    raise refusal(ILLEGAL, f"{said}unit is missing or unrecognized")


def _templates(given: Any, now: int) -> list[dict[str, Any]] | None:
    if given is None:
        return None
    templates = [given] if isinstance(given, dict) else given
    for each in templates:
        if not each["index_patterns"]:
            raise refusal(ILLEGAL, "Requires at least one index pattern")
        if each["priority"] < 0:
            raise refusal(ILLEGAL, "Requires priority to be >= 0")
    return [{"last_updated_time": now} | each for each in templates]


def _notification(given: Any) -> Any:
    if given is None:
        return None
    if not given.keys() & {"channel", "destination"}:
        raise refusal(ILLEGAL, "ErrorNotification must contain a destination or channel")
    if "message_template" not in given:
        raise refusal(ILLEGAL, "ErrorNotification message template is null")
    return given | {"message_template": {"lang": "mustache"} | given["message_template"]}


def check_patterns(identifier: str, policy: dict[str, Any], others: dict[str, dict[str, Any]]) -> None:
    """Refuse patterns that are wrong, or that another policy has with the same priority."""
    templates = policy["ism_template"]
    if templates is None:
        return
    if not templates:
        said = (
            "index_patterns must contain at least one inclusion pattern (patterns cannot be all exclusions)"
        )
        raise _invalid(said)
    for template in templates:
        patterns = template["index_patterns"]
        for pattern in patterns:
            _check_pattern(pattern)
        theirs = [
            other
            for name, each in others.items()
            if name != identifier
            for there in each["ism_template"] or ()
            if there["priority"] == template["priority"]
            for other in there["index_patterns"]
        ]
        if any(overlap(one, other) for one in patterns for other in theirs):
            said = (
                f"New policy {identifier} has an ISM template with index pattern [{', '.join(patterns)}] "
                "matching existing policy templates, please use a different priority than "
                f"{template['priority']}"
            )
            raise refusal("index_management_exception", said, java="java.lang.IllegalArgumentException")


def _check_pattern(pattern: str) -> None:
    if pattern.startswith(("-", "_")) or pattern != pattern.lower() or "#" in pattern or ":" in pattern:
        raise UnrecordedError(f"a policy's pattern {json.dumps(pattern)}")
    if re.search(r'[ "\\<|,>/?]', pattern):
        said = 'must not contain the following characters [ , ", *, \\, <, |, ,, >, /, ?]'
        raise _invalid(f"index_pattern [{pattern}] {said}")


def _invalid(said: str) -> RefusalError:
    reason = f"Validation Failed: 1: {said};"
    return refusal("index_management_exception", reason, java="org.opensearch.common.ValidationException")


def overlap(one: str, other: str) -> bool:
    """Say whether some name fits both patterns."""
    if not one or not other:
        return not (one or other).strip("*")
    if one[0] == "*":
        return overlap(one[1:], other) or overlap(one, other[1:])
    if other[0] == "*":
        return overlap(other, one)
    return one[0] == other[0] and overlap(one[1:], other[1:])
