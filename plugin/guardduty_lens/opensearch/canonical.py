"""One form for what we put and for what the server gives back, so that the two can be compared.

Servers write settings as nested objects under `index` with numbers and booleans as text, and add what they
keep books by: times, sequence numbers, defaults of actions.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from guardduty_lens.opensearch.resources import Kind

_DATES = frozenset({"created_date", "created_date_millis", "modified_date", "modified_date_millis"})

# What servers add to the body of an object, by kind.
_ADDED: dict[Kind, frozenset[str]] = {
    "component_template": _DATES,
    "index_template": _DATES,
    "ingest_pipeline": _DATES,
    "lifecycle_policy": frozenset(
        {"policy_id", "last_updated_time", "schema_version", "error_notification", "user", "retry"}
    ),
    "shapes_index": frozenset(),
    "monitor": frozenset(),
    "saved_object": frozenset(),
}


def canonical(kind: Kind, body: Mapping[str, Any]) -> dict[str, Any]:
    """Give a body in the form that does not depend on who wrote it.

    >>> canonical("component_template", {"template": {"settings": {"number_of_shards": 1}}})
    {'template': {'settings': {'index.number_of_shards': '1'}}}
    >>> canonical("component_template", {"template": {"settings": {"index": {"number_of_shards": "1"}}}})
    {'template': {'settings': {'index.number_of_shards': '1'}}}
    """
    added = _ADDED[kind]
    form = {key: value for key, value in body.items() if key not in added}
    if kind in ("component_template", "index_template"):
        form["template"] = _template(form.get("template") or {})
    elif kind == "monitor":
        form = _monitor(form)
    elif kind == "lifecycle_policy":
        form = _without(form, added)
    return _without_empty(form)


def with_description(body: dict[str, Any], change: Callable[[str], str]) -> dict[str, Any]:
    """Give a body whose description, its own or its policy's, has gone through `change`.

    Bodies that have none but could (pipelines, ISM policies) get one if `change` makes one.
    """
    if isinstance(body.get("policy"), Mapping):
        policy = dict(body["policy"])
        return {**body, "policy": policy if "phases" in policy else with_description(policy, change)}
    if not ({"processors", "states", "description"} & body.keys()):
        return body
    return {**body, "description": change(str(body.get("description", "")))}


def flat_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Give index settings by their full dotted names, scalars as text."""
    return {
        name if name.startswith("index.") else f"index.{name}": _as_text(value)
        for name, value in sorted(_leaves("", settings))
    }


def _leaves(prefix: str, value: Any) -> Iterator[tuple[str, Any]]:
    if not isinstance(value, Mapping):
        yield prefix, value
        return
    for key, item in value.items():
        yield from _leaves(f"{prefix}.{key}" if prefix else key, item)


def _as_text(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return [_as_text(item) for item in value]
    return str(value)


def _template(template: Mapping[str, Any]) -> dict[str, Any]:
    form = dict(template)
    if "settings" in form:
        form["settings"] = flat_settings(form["settings"])
    return form


def _monitor(body: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what is the user's (whether it is on, whom it tells), and the search, written anew."""
    form = {key: body.get(key) for key in ("name", "monitor_type", "schedule", "ui_metadata")}
    triggers = [
        {kind: {key: trigger.get(key) for key in ("name", "severity", "condition")}}
        for each in body.get("triggers", ())
        for kind, trigger in each.items()
    ]
    return form | {"triggers": triggers}


def _without(value: Any, added: frozenset[str]) -> Any:
    if isinstance(value, Mapping):
        return {key: _without(item, added) for key, item in value.items() if key not in added}
    return [_without(item, added) for item in value] if isinstance(value, list) else value


def _without_empty(form: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what is empty at the top of a body: servers leave it out, or add it."""
    return {key: value for key, value in form.items() if value not in (None, {}, "") and value != []}
