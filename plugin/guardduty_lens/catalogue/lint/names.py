"""Checks of the names of fields and tables."""

from collections.abc import Iterator, Mapping

from guardduty_lens.catalogue.lint.scope import shipped_tables
from guardduty_lens.catalogue.lint.shape import Shaped
from guardduty_lens.catalogue.lint.subject import Subject
from guardduty_lens.catalogue.lint.uses import FIXED_CODE
from guardduty_lens.catalogue.lint.words import Fault
from guardduty_lens.catalogue.model import ENVELOPE_KEYS, Entry

_ENVELOPE = "a key of EventBridge's envelope"
_INDEX = "set when a record enters an index"
_ALIAS = "an alias that the index templates define"
_SHIPPER = "a key that log shippers set themselves"
_CLOUDTRAIL = "a key of CloudTrail's records"

RESERVED_NAMES: Mapping[str, str] = (
    dict.fromkeys(sorted(ENVELOPE_KEYS), _ENVELOPE)
    | dict.fromkeys(("ingested_at", "ingest_lag_seconds"), _INDEX)
    | {"threat_resorce_affected": _ALIAS, "asff": "where an event in Security Hub's form is kept"}
    | dict.fromkeys(("message", "log", "tag", "tags", "host"), _SHIPPER)
    | dict.fromkeys(
        (
            "additionalEventData",
            "apiVersion",
            "awsRegion",
            "errorCode",
            "errorMessage",
            "eventCategory",
            "eventID",
            "eventName",
            "eventSource",
            "eventTime",
            "eventType",
            "eventVersion",
            "managementEvent",
            "readOnly",
            "recipientAccountId",
            "requestID",
            "requestParameters",
            "responseElements",
            "serviceEventDetails",
            "sharedEventID",
            "sourceIPAddress",
            "tlsDetails",
            "userAgent",
            "userIdentity",
            "vpcEndpointId",
        ),
        _CLOUDTRAIL,
    )
)
"""Names that no field may have, and why: it would take the place of what is there.

CloudTrail's keys are those of its record contents (AWS CloudTrail user guide).
"""


def check_reserved_name(subject: Subject) -> Iterator[Fault]:
    """Require that a field takes no name that has a meaning already."""
    reason = RESERVED_NAMES.get(subject.entry.field)
    if reason:
        yield Fault(("field",), f"no field may be called {subject.entry.field!r}: it is {reason}")


def check_name_ends(subject: Subject) -> Iterator[Fault]:
    """Require that a name has no line feed at its end, which the schema's `$` lets pass."""
    if subject.entry.field.endswith("\n"):
        yield Fault(("field",), "the name of a field has no line feed")


def check_duplicate(subject: Subject) -> Iterator[Fault]:
    """Require that a field is defined once in all files together."""
    if subject.first_place:
        yield Fault(
            ("field",), f"the field {subject.entry.field!r} is already defined at {subject.first_place}"
        )


def check_override(subject: Subject) -> Iterator[Fault]:
    """Require that a user's entry in a shipped one's place keeps what indices hold under its name."""
    field = subject.entry.field
    shipped = (subject.builtin or {}).get(field)
    if shipped is None:
        return
    if _is_fixed_code(shipped):
        yield Fault(("field",), f"the built-in field {field!r} is fixed code and cannot be replaced")
        return
    for name in ("type", "cardinality"):
        had, has = getattr(shipped, name), getattr(subject.entry, name)
        if had != has:
            yield Fault((name,), f"the built-in field {field!r} has the {name} {had!r}, which cannot change")


def check_tables(shaped: list[Shaped]) -> Iterator[tuple[Shaped, Fault]]:
    """Require that a table is named once in all files together, and takes no shipped one's name."""
    first_places: dict[str, str] = {}
    for file in shaped:
        for name in sorted(file.table_names):
            if name in shipped_tables():
                yield file, Fault(("tables", name), f"{name!r} is the name of a built-in table", key=True)
            elif name in first_places:
                message = f"the table {name!r} is already defined in {first_places[name]}"
                yield file, Fault(("tables", name), message, key=True)
            first_places.setdefault(name, file.document.name)


def _is_fixed_code(entry: Entry) -> bool:
    return any(source.operation and source.operation.name in FIXED_CODE for source in entry.sources())
