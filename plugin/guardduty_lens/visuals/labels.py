"""What fields are called where people read them."""

from collections.abc import Mapping

LABELS: Mapping[str, str] = {
    "account_id": "account",
    "console_url": "console",
    "created_at": "created",
    "eventLastSeen": "last seen",
    "event_count": "count",
    "finding_region": "region",
    "finding_type": "type",
    "is_archived": "archived",
    "is_sample": "sample",
    "mitre_tactic_names": "tactics",
    "resource_name": "resource",
    "sequence_signals": "signals",
    "severity_label": "severity",
    "severity_score": "score",
    "updated_at": "updated",
    "user_type": "kind of user",
}


def label_of(field: str) -> str:
    """Give a field's label: its own, or its name in words.

    >>> label_of("account_id"), label_of("remote_ips")
    ('account', 'remote ips')
    """
    return LABELS.get(field, field.replace("_", " "))
