"""What a record is in the cluster: its index, its id, its version and its body. Pure.

The ingest pipeline says the same of an event that comes without us; tests hold the two equal.
"""

import hashlib
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import UNSET

from guardduty_lens.catalogue.operations.kind import FOREIGN_KINDS, GUARDDUTY_SOURCE
from guardduty_lens.opensearch.dates import iso, milliseconds
from guardduty_lens.opensearch.document import Document
from guardduty_lens.opensearch.names import MONTH, Names
from guardduty_lens.opensearch.tags import tag_of_event
from guardduty_lens.outputs.forms import flattened
from guardduty_lens.payloads.json_text import encode_json
from guardduty_lens.record import Record
from guardduty_lens.rules import Rule

LONGEST_ID_BYTES = 512
"""Of an `_id`, in UTF-8: with a longer one the cluster refuses the whole bulk request."""

_COUNT_BITS = 19
_LARGEST_COUNT = (1 << _COUNT_BITS) - 1
_LATEST_MS = 1 << (63 - _COUNT_BITS - 1)  # beyond it, a version is no positive long

FOREIGN_RULE = "foreign"
"""By this name events that are none of GuardDuty's are counted, where they are left out."""


class Refused(ValueError):  # noqa: N818 - it names what happened to a record, and is no error of ours
    """A record that cannot be a document; `reason` is the code it is counted by."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def is_foreign(record: Record) -> bool:
    """Tell whether a record is an event that is none of GuardDuty's, nor says that something was deployed."""
    if record.kind not in FOREIGN_KINDS:
        return False
    event = record.event
    return event.get("source") != GUARDDUTY_SOURCE and tag_of_event(event) is None


def without_foreign() -> Rule:
    """Leave foreign events out, counted as filtered."""
    return Rule(FOREIGN_RULE, is_foreign)


class Documents:
    """Makes the documents of a record: one for the log, and for a finding one for the state, too.

    `flat` asks for the first seed's own form instead: `detail` flattened, in the one index `guarddutylogs`,
    created by finding id, so that the first version of a finding stays and later ones are duplicates.
    """

    def __init__(
        self, names: Names, *, field_prefix: str = "", state: bool = True, flat: bool = False
    ) -> None:
        self._names = names
        self._state = state and not flat
        self._flat = flat
        self._ingested_at = f"{field_prefix}ingested_at"
        self._lag = f"{field_prefix}ingest_lag_seconds"
        self._decode = msgspec.json.Decoder(_head_type(field_prefix, self._ingested_at, self._lag)).decode

    def of(self, record: Record, arrival: int) -> Sequence[Document]:
        """Give the documents of a record that arrived at `arrival`, in milliseconds since 1970.

        Raises Refused: `id_too_long`, or `date_out_of_range`.
        """
        if record.kind in FOREIGN_KINDS and (tag := tag_of_event(record.event)) is not None:
            return (tag.document(self._names),)
        buffer = bytearray()
        record.write_json(buffer)
        head = self._decode(buffer)
        finding_id = _finding_id(head) if record.kind == "finding" else ""
        index, name = self._place(record, head, finding_id, arrival)
        _check_id(name)
        body = self._body(record, head, buffer, arrival)
        log = Document(index, name, body)
        if not self._state or not finding_id:
            return (log,)
        return (log, Document(self._names.state_index, finding_id, body, _version(head)))

    def _place(self, record: Record, head: Any, finding_id: str, arrival: int) -> tuple[str, str]:
        """Give the index and the id of a record's document in the log, or among CloudTrail's records."""
        if record.kind == "api_call" and _is_cloudtrail(head):
            month = _month(head.event_time) or iso(arrival)[:7]
            _check_month(month)
            return self._names.cloudtrail_index(month), _text(head.event_id) or _digest(record)
        if self._flat:
            return self._names.log, finding_id or _text(head.id) or _digest(record)
        month = _month(head.updated_at) or _month(head.time) or iso(arrival)[:7]
        _check_month(month)
        index = self._names.log_index(month)
        if record.kind != "finding":
            return index, _text(head.id) or _digest(record)
        return index, _update_id(head, finding_id) if finding_id else _digest(record)

    def _body(self, record: Record, head: Any, buffer: bytearray, arrival: int) -> bytes:
        arrived = iso(arrival)
        seen = _text(head.last_seen) or _text(head.time) or _text(head.event_time) or arrived
        times: dict[str, Any] = {"@timestamp": seen, self._ingested_at: arrived}
        since = milliseconds(seen)
        if since is not None:
            times[self._lag] = round((arrival - since) / 1000, 3)
        if self._flat and record.kind == "finding":
            flat = bytearray()
            flattened(record, flat)
            return encode_json(msgspec.json.decode(flat) | times)
        if head.was_timestamp is UNSET and head.was_ingested is UNSET and head.was_lag is UNSET:
            encoded = msgspec.json.encode(times)
            buffer[-1:] = b","
            return bytes(buffer) + encoded[1:]
        # A shipper, or an earlier pass, set one of the three: no key may be there twice.
        kept = {key: value for key, value in record.to_dict().items() if key not in (*times, self._lag)}
        return encode_json(kept | times)


def _head_type(prefix: str, ingested_at: str, lag: str) -> type[msgspec.Struct]:
    """Make the struct of what is looked at in a record; everything else is passed over undecoded."""
    keys = {
        "id": "id",
        "time": "time",
        "event_id": "eventID",
        "event_time": "eventTime",
        "event_name": "eventName",
        "event_source": "eventSource",
        "was_timestamp": "@timestamp",
        "was_ingested": ingested_at,
        "was_lag": lag,
        "finding_id": f"{prefix}finding_id",
        "finding_arn": f"{prefix}finding_arn",
        "updated_at": f"{prefix}updated_at",
        "count": f"{prefix}event_count",
        "archived": f"{prefix}is_archived",
        "last_seen": f"{prefix}eventLastSeen",
    }
    fields = [(name, Any, UNSET) for name in keys] + [("detail", msgspec.Raw | msgspec.UnsetType, UNSET)]
    return msgspec.defstruct("Head", fields, rename=keys | {"detail": "detail"}, gc=False)


def _text(value: Any) -> str:
    return value if type(value) is str else ""


def _month(value: Any) -> str:
    """Give the month that a date begins with, or nothing."""
    start = _text(value)[:7]
    return start if MONTH.fullmatch(start) else ""


def _is_cloudtrail(head: Any) -> bool:
    """Tell whether a call of an API is CloudTrail's record itself, in no envelope."""
    return head.detail is UNSET and bool(_text(head.event_source)) and bool(_text(head.event_name))


def _finding_id(head: Any) -> str:
    return _text(head.finding_id) or _text(head.finding_arn).rpartition("/")[2]


def _update_id(head: Any, finding_id: str) -> str:
    """Give the id of one update: `{id}_{updated at}_{count}_{archived}`; what is not there is empty."""
    count = _whole(head.count)
    digits = "" if count is None else str(count)
    return f"{finding_id}_{_text(head.updated_at)}_{digits}_{'true' if head.archived is True else 'false'}"


def _version(head: Any) -> int:
    """Give the version by which a later update replaces an earlier one, in whatever order they come.

    An update whose date is none, or beyond what a version can say, is older than any other.
    """
    since = milliseconds(_text(head.updated_at))
    if since is None or not 0 <= since < _LATEST_MS:
        since = 0
    count = min(max(_whole(head.count) or 0, 0), _LARGEST_COUNT)
    return (since << (_COUNT_BITS + 1)) | (count << 1) | (head.archived is True)


def _whole(value: Any) -> int | None:
    """Give a count as an integer: AWS and shippers also write 8.0."""
    if type(value) is float and value.is_integer():
        return int(value)
    return value if type(value) is int else None


def _digest(record: Record) -> str:
    """Give an id to an event that brought none: what is the same again gets the same."""
    return hashlib.sha256(encode_json(record.event)).hexdigest()


def _check_id(name: str) -> None:
    size = len(name.encode())
    if size > LONGEST_ID_BYTES:
        raise Refused("id_too_long", f"its id would be {size} bytes long; {LONGEST_ID_BYTES} are allowed")


def _check_month(month: str) -> None:
    """Refuse what would make an index that no template of ours is for: its types would be guessed."""
    if not month.startswith("2"):
        raise Refused("date_out_of_range", f"its date is in {month}; the log has the years 2000 to 2999")
