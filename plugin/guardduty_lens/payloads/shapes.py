"""The shapes GuardDuty arrives in, told apart by content in one ordered table.

A shape recognises an object and opens it: into the event itself, objects inside, bytes to be read anew,
or a control message. The first shape of the table that recognises an object opens it.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from guardduty_lens.catalogue.operations.kind import GUARDDUTY_SOURCE, is_cloudtrail_record, is_finding
from guardduty_lens.payloads.compressed import decode_base64
from guardduty_lens.payloads.envelope import complete, is_envelope, wrap
from guardduty_lens.payloads.json_text import decode_json
from guardduty_lens.payloads.limits import Limits
from guardduty_lens.payloads.pascal import is_pascal_finding, to_camel_case
from guardduty_lens.payloads.pieces import UnreadableError
from guardduty_lens.payloads.security_hub import event_of_asff, is_guardduty_asff

Object = dict[str, Any]


class Found(NamedTuple):
    """The event itself, in the layout of a record."""

    event: Object


class Inside(NamedTuple):
    """A value inside, at a place such as `Records[0]`."""

    value: Any
    place: str


class Content(NamedTuple):
    """Bytes inside that hold JSON of their own."""

    raw: bytes
    place: str


class Message(NamedTuple):
    """A transport's message about itself."""

    name: str


class Broken(NamedTuple):
    """A part that cannot be read, with its bytes as they stood."""

    raw: bytes
    place: str
    error: UnreadableError


Piece = Found | Inside | Content | Message | Broken


class Shape(NamedTuple):
    """One row of the table; an object that it recognises has at least one of its `keys`."""

    name: str
    keys: tuple[str, ...]
    recognises: Callable[[Object], bool]
    open: Callable[[Object, Limits], Iterable[Piece]]


DEFAULT_WRAPPER_KEYS = ("log", "message", "event", "_source")
"""Where shippers put what they read."""


def text_bytes(text: str) -> bytes:
    """Give the bytes of a text that JSON held; half a surrogate pair stays, and is rejected as no UTF-8."""
    return text.encode(errors="surrogatepass")


# --- our own ----------------------------------------------------------------------------------------

_DEAD_LETTER_KEYS = frozenset({"reason", "message", "source", "position"})


def _is_dead_letter(value: Object) -> bool:
    has_raw = isinstance(value.get("raw"), str) or isinstance(value.get("raw_base64"), str)
    return has_raw and value.keys() >= _DEAD_LETTER_KEYS and isinstance(value["position"], dict)


def _open_dead_letter(value: Object, limits: Limits) -> Iterator[Piece]:
    if isinstance(value.get("raw"), str):
        yield Content(text_bytes(value["raw"]), "raw")
    else:
        yield from _base64("raw_base64", value["raw_base64"], limits)


# --- findings and events ----------------------------------------------------------------------------


def _is_security_hub_event(value: Object) -> bool:
    detail = value.get("detail")
    findings = detail.get("findings") if isinstance(detail, dict) else None
    return isinstance(findings, list) and any(is_guardduty_asff(finding) for finding in findings)


def _open_security_hub_event(value: Object, _limits: Limits) -> Iterator[Piece]:
    yield from _each(value["detail"]["findings"], "detail.findings")


def _open_asff(value: Object, _limits: Limits) -> Iterator[Piece]:
    yield Found(event_of_asff(value))


def _is_finding_event(value: Object) -> bool:
    return is_finding(value.get("detail"))


def _is_text_envelope(value: Object) -> bool:
    detail = value.get("detail")
    return isinstance(detail, str) and (is_envelope(value) or _is_finding_text(detail))


def _is_finding_text(text: str) -> bool:
    if not text.lstrip().startswith("{"):
        return False
    try:
        detail = decode_json(text_bytes(text), None)
    except UnreadableError:
        return False
    return is_finding(detail) or is_pascal_finding(detail)


def _is_object_envelope(value: Object) -> bool:
    detail = value.get("detail")
    return isinstance(detail, dict) and (is_envelope(value) or is_pascal_finding(detail))


def _open_envelope(value: Object, _limits: Limits) -> Iterator[Piece]:
    detail = value["detail"]
    if is_pascal_finding(detail):
        value = value | {"detail": to_camel_case(detail)}
    yield Found(complete(value))


def _open_text_envelope(value: Object, limits: Limits) -> Iterator[Piece]:
    text = text_bytes(value["detail"])
    try:
        detail = decode_json(text, limits.nesting)
    except UnreadableError as error:
        # A finding cut short must not pass as an event without one.
        ours = value.get("source") == GUARDDUTY_SOURCE and text.lstrip().startswith(b"{")
        yield Broken(text, "detail", error) if ours else Found(value)
        return
    yield Inside(value | {"detail": detail}, "detail") if isinstance(detail, dict) else Found(value)


def _open_finding(value: Object, _limits: Limits) -> Iterator[Piece]:
    yield Found(wrap(value))


def _open_pascal_finding(value: Object, _limits: Limits) -> Iterator[Piece]:
    yield Found(wrap(to_camel_case(value)))


def _open_event(value: Object, _limits: Limits) -> Iterator[Piece]:
    yield Found(value)


# --- lists ------------------------------------------------------------------------------------------

_FINDING_LISTS = ("Findings", "findings")
_NEXT_TO_FINDINGS = frozenset({"NextToken", "nextToken", "ResponseMetadata"})
_RECORD_LISTS = ("Records", "records", "Messages")


def _list_key(value: Object, keys: Iterable[str]) -> str | None:
    return next((key for key in keys if isinstance(value.get(key), list)), None)


def _is_findings_page(value: Object) -> bool:
    key = _list_key(value, _FINDING_LISTS)
    if key is None:
        return False
    if not value[key]:
        return value.keys() - {key} <= _NEXT_TO_FINDINGS
    return any(_is_any_finding(finding) for finding in value[key])


def _is_any_finding(value: Any) -> bool:
    return isinstance(value, dict) and (
        is_finding(value) or is_pascal_finding(value) or "ProductArn" in value or is_envelope(value)
    )


def _open_findings_page(value: Object, _limits: Limits) -> Iterator[Piece]:
    key = _list_key(value, _FINDING_LISTS) or ""
    yield from _each(value[key], key)


def _is_batch(value: Object) -> bool:
    key = _list_key(value, _RECORD_LISTS)
    return key is not None and any(isinstance(item, dict) and _is_record(item) for item in value[key])


def _is_record(item: Object) -> bool:
    event_source = item.get("eventSource")
    of_aws = isinstance(event_source, str) and event_source.startswith("aws:")
    return of_aws or any(shape.recognises(item) for shape in _rows_of(item) if shape in _RECORD_SHAPES)


def _open_batch(value: Object, _limits: Limits) -> Iterator[Piece]:
    key = _list_key(value, _RECORD_LISTS) or ""
    yield from _each(value[key], key)


def _each(values: Iterable[Any], place: str) -> Iterator[Piece]:
    for number, value in enumerate(values):
        yield Inside(value, f"{place}[{number}]")


# --- transports -------------------------------------------------------------------------------------


def _is_awslogs(value: Object) -> bool:
    awslogs = value.get("awslogs")
    return isinstance(awslogs, dict) and isinstance(awslogs.get("data"), str)


def _open_awslogs(value: Object, limits: Limits) -> Iterator[Piece]:
    yield from _base64("awslogs.data", value["awslogs"]["data"], limits)


def _is_cloudwatch_logs(value: Object) -> bool:
    return isinstance(value.get("logEvents"), list) and isinstance(value.get("messageType"), str)


def _open_cloudwatch_logs(value: Object, _limits: Limits) -> Iterator[Piece]:
    if value["messageType"] == "CONTROL_MESSAGE":
        yield Message("cloudwatch_logs_control_message")
        return
    for number, event in enumerate(value["logEvents"]):
        yield _text_or_value(event, "message", f"logEvents[{number}]")


def _is_sns_confirmation(value: Object) -> bool:
    kinds = ("SubscriptionConfirmation", "UnsubscribeConfirmation")
    return value.get("Type") in kinds and "TopicArn" in value


def _open_sns_confirmation(value: Object, _limits: Limits) -> Iterator[Piece]:
    name = "subscription" if value["Type"] == "SubscriptionConfirmation" else "unsubscribe"
    yield Message(f"sns_{name}_confirmation")


def _is_sns_notification(value: Object) -> bool:
    return "Message" in value and "TopicArn" in value and isinstance(value["Message"], str)


def _open_sns_notification(value: Object, _limits: Limits) -> Iterator[Piece]:
    yield Content(text_bytes(value["Message"]), "Message")


def _is_sns_record(value: Object) -> bool:
    sns = value.get("Sns")
    return isinstance(sns, dict) and isinstance(sns.get("Message"), str)


def _open_sns_record(value: Object, _limits: Limits) -> Iterator[Piece]:
    if _is_sns_confirmation(value["Sns"]):
        yield from _open_sns_confirmation(value["Sns"], _limits)
    else:
        yield Content(text_bytes(value["Sns"]["Message"]), "Sns.Message")


def _sqs_body(value: Object) -> str | None:
    for body, identity in (("body", "messageId"), ("Body", "MessageId")):
        if isinstance(value.get(body), str) and (identity in value or value.get("eventSource") == "aws:sqs"):
            return body
    return None


def _is_sqs_message(value: Object) -> bool:
    return _sqs_body(value) is not None


def _open_sqs_message(value: Object, _limits: Limits) -> Iterator[Piece]:
    body = _sqs_body(value) or ""
    yield Content(text_bytes(value[body]), body)


def _is_kinesis_record(value: Object) -> bool:
    kinesis = value.get("kinesis")
    return isinstance(kinesis, dict) and isinstance(kinesis.get("data"), str)


def _open_kinesis_record(value: Object, limits: Limits) -> Iterator[Piece]:
    yield from _base64("kinesis.data", value["kinesis"]["data"], limits)


_DATA_NEIGHBOURS = frozenset({"recordId", "PartitionKey", "SequenceNumber", "approximateArrivalTimestamp"})


# How base64 of `{"`, `[{`, `{` with a line break, and gzip begins.
_BASE64_STARTS = ("eyJ", "W3s", "ewo", "ewA", "H4sI")


def _data_key(value: Object) -> str | None:
    key = next((key for key in ("data", "Data") if isinstance(value.get(key), str)), None)
    if key is None or value.keys() & _DATA_NEIGHBOURS:
        return key
    # Firehose's HTTP delivery gives `data` alone; any other object may do so too.
    return key if len(value) == 1 and value[key].startswith(_BASE64_STARTS) else None


def _is_data_record(value: Object) -> bool:
    return _data_key(value) is not None


def _open_data_record(value: Object, limits: Limits) -> Iterator[Piece]:
    key = _data_key(value) or ""
    yield from _base64(key, value[key], limits)


def _is_firehose_request(value: Object) -> bool:
    records = value.get("records")
    return (
        isinstance(value.get("requestId"), str)
        and "timestamp" in value
        and isinstance(records, list)
        and any(_is_firehose_record(record) for record in records)
    )


def _is_firehose_record(record: Any) -> bool:
    return isinstance(record, dict) and isinstance(record.get("data"), str)


def _open_firehose_request(value: Object, limits: Limits) -> Iterator[Piece]:
    for number, record in enumerate(value["records"]):
        place = f"records[{number}]"
        if _is_firehose_record(record):
            yield from _base64(f"{place}.data", record["data"], limits)
        else:
            yield Inside(record, place)


def _base64(place: str, text: str, limits: Limits) -> Iterator[Piece]:
    try:
        yield Content(decode_base64(text, limits.value_bytes), place)
    except UnreadableError as error:
        yield Broken(text_bytes(text), place, error)


def _text_or_value(holder: Any, key: str, place: str) -> Piece:
    inner = holder.get(key) if isinstance(holder, dict) else holder
    if isinstance(inner, str):
        return Content(text_bytes(inner), f"{place}.{key}")
    return Inside(inner, place)


# --- the table --------------------------------------------------------------------------------------

# Findings come first: they are most of what arrives, and the spliced path knows these two rows alone.
# These rows are what records of batches may be; a batch is one only where it holds at least one of these.
_RECORD_SHAPES: tuple[Shape, ...] = (
    Shape("eventbridge_finding", ("detail",), _is_finding_event, _open_envelope),
    Shape("finding", ("type",), is_finding, _open_finding),
    Shape("security_hub_event", ("detail",), _is_security_hub_event, _open_security_hub_event),
    Shape("eventbridge", ("detail",), _is_object_envelope, _open_envelope),
    Shape("eventbridge_text_detail", ("detail",), _is_text_envelope, _open_text_envelope),
    Shape("pascal_finding", ("Type",), is_pascal_finding, _open_pascal_finding),
    Shape("security_hub_finding", ("ProductArn",), is_guardduty_asff, _open_asff),
    Shape("cloudtrail_record", ("eventSource",), is_cloudtrail_record, _open_event),
    Shape("sns_record", ("Sns",), _is_sns_record, _open_sns_record),
    Shape("sqs_message", ("body", "Body"), _is_sqs_message, _open_sqs_message),
    Shape("kinesis_record", ("kinesis",), _is_kinesis_record, _open_kinesis_record),
    Shape("data_record", ("data", "Data"), _is_data_record, _open_data_record),
)

SHAPES: tuple[Shape, ...] = (
    *_RECORD_SHAPES,
    Shape("dead_letter", ("raw", "raw_base64"), _is_dead_letter, _open_dead_letter),
    Shape("awslogs", ("awslogs",), _is_awslogs, _open_awslogs),
    Shape("cloudwatch_logs", ("logEvents",), _is_cloudwatch_logs, _open_cloudwatch_logs),
    Shape("sns_confirmation", ("TopicArn",), _is_sns_confirmation, _open_sns_confirmation),
    Shape("sns_notification", ("TopicArn",), _is_sns_notification, _open_sns_notification),
    Shape("findings_page", _FINDING_LISTS, _is_findings_page, _open_findings_page),
    Shape("firehose_request", ("records",), _is_firehose_request, _open_firehose_request),
    Shape("batch", _RECORD_LISTS, _is_batch, _open_batch),
)


# The rows that have a key, as the bits of a number; the first row is the lowest bit.
_ROWS_WITH_KEY: dict[str, int] = {}
for _number, _shape in enumerate(SHAPES):
    for _key in _shape.keys:
        _ROWS_WITH_KEY[_key] = _ROWS_WITH_KEY.get(_key, 0) | 1 << _number


def _rows_of(value: Object) -> Iterator[Shape]:
    """Give the rows, in order, of which an object has a key: the others do not recognise it."""
    rows, rows_with = 0, _ROWS_WITH_KEY.get
    for key in value:
        rows |= rows_with(key, 0)
    while rows:
        lowest = rows & -rows
        yield SHAPES[lowest.bit_length() - 1]
        rows ^= lowest


def find_shape(value: Object) -> Shape | None:
    """Give the first shape that recognises an object; wrappers of shippers are told apart in `unwrap`."""
    for shape in _rows_of(value):
        if shape.recognises(value):
            return shape
    return None
