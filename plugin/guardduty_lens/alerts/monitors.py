"""Alerts as monitors of OpenSearch's Alerting plugin (its API's documentation, "Create a monitor").

A monitor with buckets is a bucket-level monitor, any other a query-level one. Document-level monitors, which
match each document as it comes, fit none: they would tell of every update of a finding anew.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from guardduty_lens.alerts.load import with_parameters
from guardduty_lens.alerts.model import Alert, minutes
from guardduty_lens.alerts.search import BUCKET_AGGREGATION, AlertSearch, Asked
from guardduty_lens.opensearch.monitors import TELL
from guardduty_lens.opensearch.names import Names
from guardduty_lens.opensearch.resources import Resource
from guardduty_lens.visuals.fields import Fields

_UNITS = {"m": "MINUTES", "h": "HOURS", "d": "DAYS"}

Body = dict[str, Any]


def monitor_name(title: str, names: Names) -> str:
    """Give a monitor's name: what is upserted by it is found by it.

    >>> monitor_name("Phishing attempt", Names("acme-"))
    'acme-GuardDuty: Phishing attempt'
    """
    return f"{names.prefix}GuardDuty: {title}"


def monitors(
    alerts: Sequence[Alert],
    fields: Fields,
    names: Names,
    *,
    parameters: Mapping[str, Sequence[str]] | None = None,
    channel: str | None = None,
) -> tuple[list[Resource], list[str]]:
    """Give the monitors of alerts, and a line for each that lacks a parameter.

    With `channel`, the id of a notification channel, each gets an action that tells it.
    """
    search = AlertSearch(fields, names)
    made, notes = [], []
    for alert in alerts:
        filled = with_parameters(alert, parameters or {})
        if filled is None:
            wanted = ", ".join(f"--{name.replace('_', '-').removesuffix('s')}" for name in alert.parameters)
            notes.append(f"skipped: alert {alert.id}: give {wanted}")
            continue
        body = monitor(filled, search.asked(filled), names, channel)
        made.append(Resource("monitor", monitor_name(alert.title, names), body))
    return made, notes


def monitor(alert: Alert, asked: Asked, names: Names, channel: str | None = None) -> Body:
    """Give the body of one monitor, as it is posted."""
    kind = "bucket" if alert.by else "query"
    trigger: Body = {
        "name": alert.title,
        "severity": str(alert.severity),
        "condition": _condition(asked),
        "actions": [] if channel is None else [action(alert, channel)],
    }
    return {
        "type": "monitor",
        "name": monitor_name(alert.title, names),
        "monitor_type": f"{kind}_level_monitor",
        "enabled": True,
        "schedule": {"period": {"interval": minutes(alert.every), "unit": "MINUTES"}},
        "inputs": [{"search": {"indices": asked.indices, "query": asked.body}}],
        "triggers": [{f"{kind}_level_trigger": trigger}],
        # How the editor of Dashboards shows it: as the query that it is. The plugin writes searches anew, so
        # what was put is known by its digest.
        "ui_metadata": {"search": {"searchType": "query"}, "guardduty_lens_search": _digest(asked)},
    }


def _digest(asked: Asked) -> str:
    encoded = msgspec.json.encode([asked.indices, asked.body], order="deterministic")
    return hashlib.sha256(encoded).hexdigest()[:16]


def _condition(asked: Asked) -> Body:
    if isinstance(asked.condition, str):
        return {"script": {"source": asked.condition, "lang": "painless"}}
    return {"parent_bucket_path": BUCKET_AGGREGATION} | asked.condition


def action(alert: Alert, channel: str) -> Body:
    """Give the action that tells a channel."""
    number, unit = int(alert.throttle[:-1]), _UNITS[alert.throttle[-1]]
    if unit == "DAYS":  # the plugin's throttle knows minutes and hours alone
        number, unit = number * 24, "HOURS"
    if unit == "HOURS":
        number, unit = number * 60, "MINUTES"
    made: Body = {
        "name": TELL,
        "destination_id": channel,
        "subject_template": {"source": "{{ctx.monitor.name}}", "lang": "mustache"},
        "message_template": {"source": message(alert), "lang": "mustache"},
        "throttle_enabled": True,
        "throttle": {"value": number, "unit": unit},
    }
    if alert.by:
        made["action_execution_policy"] = {
            "action_execution_scope": {"per_alert": {"actionable_alerts": ["NEW"]}}
        }
    return made


def message(alert: Alert) -> str:
    """Give the message: what it means and what to do, and in braces what the plugin fills in."""
    about = [
        "{{ctx.monitor.name}} (severity {{ctx.trigger.severity}})",
        "",
        alert.meaning,
        "",
        alert.response,
    ]
    if alert.by:
        keys = "{{#ctx.newAlerts}}{{bucket_keys}}\n{{/ctx.newAlerts}}"
        about += ["", f"{', '.join(alert.by)}:", keys.rstrip()]
    about += ["", "From {{ctx.periodStart}} to {{ctx.periodEnd}}."]
    return "\n".join(about)
