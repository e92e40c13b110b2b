"""Alerts and parsing rules for Coralogix: one Terraform file in JSON, for Coralogix's own provider.

The file holds to the provider's documentation ("coralogix_alert", "coralogix_parsing_rules", version 3).
Rules can say what a regex can: the parts of the finding type, for findings that come raw. All other fields
come with records, by the output `coralogix`.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from guardduty_lens.alerts.load import with_parameters
from guardduty_lens.alerts.model import Alert, minutes
from guardduty_lens.compilers.coralogix.lucene import lucene
from guardduty_lens.visuals.fields import Fields

FILE = "guardduty.tf.json"

_PROVIDER = {"coralogix": {"source": "coralogix/coralogix", "version": "~> 3.0"}}
_WINDOWS = {
    **{count: f"{count}_MINUTES" for count in (5, 10, 15, 30)},
    60: "1_HOUR",
    **{60 * count: f"{count}_HOURS" for count in (2, 4, 6, 12, 24, 36)},
}
"""Windows that every kind of alert takes, by their minutes."""

SEED_SPELLING = "threat_resorce_affected"
"""As the article spells the field of the affected resource."""

Body = dict[str, Any]


def type_pattern(resource_field: str = "threat_resource_affected") -> str:
    """Give the regex of a finding type, its groups called as our fields are."""
    word = "[A-Za-z][A-Za-z0-9]*"
    return (
        rf"^(?P<threat_purpose>{word}):(?P<{resource_field}>{word})/"
        r"(?P<threat_name>[^!\s]+)(?:!(?P<threat_artifact>\S+))?$"
    )


def coralogix_file(
    alerts: Sequence[Alert],
    fields: Fields,
    *,
    parameters: Mapping[str, Sequence[str]] | None = None,
    application: str = "guardduty",
    seed_spelling: bool = False,
) -> tuple[str, list[str]]:
    """Give the text of the file, and a line for each alert that is not in it, with the reason."""
    made: dict[str, Body] = {}
    notes = []
    for alert in alerts:
        filled = with_parameters(alert, parameters or {})
        reason = _why_not(alert) if filled is not None else "give --guardduty-bucket"
        if filled is None or reason:
            notes.append(f"skipped: alert {alert.id}: {reason}")
        else:
            made[alert.id.replace("-", "_")] = _alert(filled, fields)
    document = {
        "terraform": {"required_providers": _PROVIDER},
        "resource": {
            "coralogix_parsing_rules": {"guardduty": _rules(application, seed_spelling)},
            "coralogix_alert": made,
        },
    }
    return json.dumps(_escaped(document), indent=2, ensure_ascii=False) + "\n", notes


def _why_not(alert: Alert) -> str:
    """Say why Coralogix cannot have an alert; nothing where it can."""
    if alert.index not in ("log", "cloudtrail"):
        return f"it asks the {alert.index}, which is an index of OpenSearch"
    if alert.by or alert.kind not in ("above", "below", "share", "usual"):
        return "it compares records of one bucket with each other"
    if alert.window is None or minutes(alert.window) not in _WINDOWS:
        return f"it has no window of {alert.window}"
    return ""


def _alert(alert: Alert, fields: Fields) -> Body:
    return {
        "name": f"GuardDuty: {alert.title}",
        "description": f"{alert.meaning.strip()} {alert.response.strip()}",
        "priority": f"P{alert.severity}",
        "labels": {"alert_type": "security", "guardduty_lens": alert.id},
        "incidents_settings": {
            "notify_on": "Triggered Only",
            "retriggering_period": {"minutes": minutes(alert.throttle)},
        },
        "type_definition": _definition(alert, fields),
    }


def _definition(alert: Alert, fields: Fields) -> Body:
    query = lucene(alert.index, alert.where, fields)
    fires, window = alert.fires, _WINDOWS[minutes(alert.window or "")]
    override = {"priority": f"P{alert.severity}"}
    if fires.share is not None:
        condition = {
            "threshold": fires.share.above,
            "time_window": window,
            "condition_type": "MORE_THAN",
        }
        return {
            "logs_ratio_threshold": {
                "numerator_alias": "of that kind",
                "denominator_alias": "all",
                "numerator": _filter(f"({query}) AND {lucene(alert.index, fires.share.of, fields)}"),
                "denominator": _filter(query),
                "ignore_infinity": True,
                "rules": [{"condition": condition, "override": override}],
            }
        }
    if fires.usual is not None:
        condition = {"minimum_threshold": fires.usual.above, "time_window": window}
        rules = [{"condition": condition, "override": override}]
        return {"logs_anomaly": {"logs_filter": _filter(query), "rules": rules}}
    if fires.above == 0:
        return {"logs_immediate": {"logs_filter": _filter(query)}}
    condition = {
        "threshold": fires.above if fires.above is not None else fires.below,
        "time_window": window,
        "condition_type": "MORE_THAN" if fires.above is not None else "LESS_THAN",
    }
    rules = [{"condition": condition, "override": override}]
    return {"logs_threshold": {"logs_filter": _filter(query), "rules": rules}}


def _filter(query: str) -> Body:
    return {"simple_filter": {"lucene_query": query}}


def _rules(application: str, seed_spelling: bool) -> Body:
    field = SEED_SPELLING if seed_spelling else "threat_resource_affected"
    extract = {
        "name": "Parts of the finding type",
        "description": "threat_purpose, the affected resource, threat_name and threat_artifact",
        "source_field": "text.detail.type",
        "regular_expression": type_pattern(field),
    }
    return {
        "name": "GuardDuty findings",
        "description": "For findings that come raw; records of guardduty-lens have these fields already.",
        "applications": [application],
        "rule_subgroups": [{"rules": [{"extract": extract}]}],
    }


def _escaped(value: Any) -> Any:
    """Keep texts from being taken for Terraform's templates."""
    if isinstance(value, dict):
        return {key: _escaped(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_escaped(each) for each in value]
    return value.replace("${", "$${").replace("%{", "%%{") if isinstance(value, str) else value
