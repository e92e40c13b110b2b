"""10,000 mutated and truncated payloads: no traceback, and every event is accounted for."""

import csv
import json
import math
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from transports import OF_FINDINGS, SINGLE, THRICE

from guardduty_lens import Lens, Record, Rejected
from guardduty_lens.outputs.dead_letters import dead_letter
from guardduty_lens.outputs.forms import Form, added_only, flattened, whole
from guardduty_lens.payloads.compressed import GZIP_MAGIC
from guardduty_lens.payloads.pieces import REJECT_REASONS
from guardduty_lens.rules import min_severity

CORPUS = Path(__file__).parents[1] / "corpus"
KINDS = {"finding", "malware_scan", "coverage", "health", "api_call", "other_aws", "other"}


def small_files() -> list[bytes]:
    with (CORPUS / "index.csv").open(newline="") as file:
        paths = [CORPUS / row["file"] for row in csv.DictReader(file)]
    return [path.read_bytes() for path in paths if path.stat().st_size < 6000]


FILES = small_files()
FINDINGS = [
    {
        "schemaVersion": "2.0",
        "accountId": "111122223333",
        "region": "eu-west-1",
        "id": "f1",
        "arn": "arn:aws:guardduty:eu-west-1:111122223333:detector/d1/finding/f1",
        "type": "Backdoor:EC2/C&CActivity.B!DNS",
        "resource": {"resourceType": "Instance", "instanceDetails": {"tags": [{"key": "k", "value": "é"}]}},
        "service": {"serviceName": "guardduty", "count": 2, "additionalInfo": {"value": '{"sample":true}'}},
        "severity": 8.0,
    },
    {"Type": "Recon:EC2/Portscan", "Id": "f2", "Severity": 2, "Service": {"Archived": True}, "Arn": "a"},
    {"source": "aws.guardduty", "detail-type": "GuardDuty Finding", "detail": {"type": "A:B/c", "id": "x"}},
]
SEEDS = FILES + [
    transport(finding)
    for transports in (SINGLE, THRICE, OF_FINDINGS)
    for transport in transports.values()
    for finding in FINDINGS
]

LENS = Lens(extractors=(), rules=[min_severity("High", Lens(extractors=()).plan.scheme)])


def checked(payload: Any, blocks: list[bytes] | None = None) -> list[Record | Rejected]:
    """Put a payload through, and hold that all is accounted for and can be written."""
    LENS.counters = counters = type(LENS.counters)()
    found = list(LENS.process(payload) if blocks is None else LENS.stream(blocks))
    records = [item for item in found if isinstance(item, Record)]
    rejects = [item for item in found if isinstance(item, Rejected)]
    assert counters.records.keys() <= KINDS
    assert counters.rejected.keys() <= REJECT_REASONS.keys()
    assert sum(counters.records.values()) == len(records)
    assert sum(counters.rejected.values()) == len(rejects)
    filtered, control = sum(counters.filtered.values()), sum(counters.control.values())
    assert counters.events == len(records) + len(rejects) + filtered + control
    assert sum(counters.findings.values()) == counters.records.get("finding", 0)
    for record in records:
        assert json.loads(written(whole, record), parse_float=number) == record.to_dict()
        assert b"\n" not in written(whole, record)
        json.loads(written(flattened, record))
        json.loads(written(added_only, record))
    for rejected in rejects:
        json.dumps(dead_letter(rejected), allow_nan=False).encode()
    return found


def written(form: Form, record: Record) -> bytes:
    buffer = bytearray()
    form(record, buffer)
    return bytes(buffer)


def number(text: str) -> float | Decimal:
    """Read a number as the record has it: one that no double can hold stays as it is."""
    return float(text) if math.isfinite(float(text)) else Decimal(text)


def brief(found: list[Record | Rejected]) -> list[Any]:
    return [item.to_dict() if isinstance(item, Record) else item for item in found]


def require_places(data: bytes, found: list[Record | Rejected]) -> None:
    """Hold that a rejected span that is not inside anything is where it says in the input."""
    for item in found:
        if isinstance(item, Record) or item.position.inside:
            continue
        start = item.position.byte
        if data[start : start + 1] != b'"':  # the text of a text, without its escapes
            assert data[start : start + len(item.raw)] == item.raw
            assert item.position.line == 1 + data.count(b"\n", 0, start)


_BYTES = st.sampled_from([bytes([byte]) for byte in b'{}[]",:\\\n\r \t01.-eEtnu\x00\x1f\x8b\xc3\xff'])
_PLACES = st.integers(0, 1 << 20)


def mutate(data: bytes, changes: list[tuple[str, int, bytes]]) -> bytes:
    changed = bytearray(data)
    for how, where, byte in changes:
        at = where % (len(changed) + 1)
        match how:
            case "insert":
                changed[at:at] = byte
            case "replace":
                changed[at : at + 1] = byte
            case "delete":
                del changed[at : at + 1 + where % 7]
            case "copy":
                changed[at:at] = changed[at : at + where % 50]
            case "cut":
                del changed[at:]
    return bytes(changed)


_HOW = st.sampled_from(["insert", "replace", "delete", "copy"])
_CHANGES = st.lists(st.tuples(_HOW, _PLACES, _BYTES), min_size=1, max_size=4)
_CUTS = st.lists(st.tuples(st.just("cut"), _PLACES, st.just(b"")), min_size=1, max_size=1)


@given(st.sampled_from(SEEDS), _CHANGES)
@settings(derandomize=True, max_examples=4000, deadline=None)
def test_mutated_payloads(data, changes):
    data = mutate(data, changes)
    found = checked(data)
    if not data.startswith(GZIP_MAGIC):
        require_places(data, found)


@given(st.sampled_from(SEEDS), _CUTS, st.sampled_from([b"", b"\n", b"\r\n{}\n", b'\n{"a":1}', b"\x00"]))
@settings(derandomize=True, max_examples=3000, deadline=None)
def test_truncated_payloads(data, cut, rest):
    data = mutate(data, cut) + rest
    found = checked(data)
    if not data.startswith(GZIP_MAGIC):
        require_places(data, found)


@given(st.sampled_from(SEEDS), st.one_of(_CHANGES, _CUTS), st.sampled_from(SEEDS), st.integers(1, 4000))
@settings(derandomize=True, max_examples=1500, deadline=None)
def test_mutated_payloads_in_blocks(first, changes, second, size):
    data = mutate(first, changes) + b"\n" + second
    blocks = [data[start : start + size] for start in range(0, len(data), size)]
    in_blocks, whole_at_once = checked(None, blocks), checked(data)
    if not data.startswith(GZIP_MAGIC):  # what damaged gzip gives before the damage depends on blocks
        assert brief(in_blocks) == brief(whole_at_once)


_ODD: st.SearchStrategy[Any] = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.sampled_from([0, -1, 8.0, 0.5, 1e308, 2**53, 2**64]),
        st.sampled_from(["", "8", "5.0", "true", "\ud800", "{", '"', "H4sI"]),
        st.text(max_size=5),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["type", "Type", "id", "detail", "Records", "Message", "log", "service", "key"]),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=6,
)


def node_places(value: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    members = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    below = [found for key, member in members for found in node_places(member, (*place, key))]
    return [place, *below]


def put(value: Any, place: tuple[Any, ...], new: Any) -> Any:
    if not place:
        return new
    value = value.copy()
    value[place[0]] = put(value[place[0]], place[1:], new)
    return value


def single_values() -> list[Any]:
    values = []
    for data in SEEDS:
        try:
            values.append(json.loads(data))
        except ValueError:  # several values, gzip, a byte order mark
            continue
    return values


VALUES = [value for value in single_values() if isinstance(value, dict | list)]


@given(st.sampled_from(VALUES), _PLACES, _ODD)
@settings(derandomize=True, max_examples=2000, deadline=None)
def test_payloads_with_an_odd_part(value, where, odd):
    places = node_places(value)[1:]
    payload = put(value, places[where % len(places)], odd)
    found = checked(payload)
    if not any(isinstance(item, Rejected) for item in found):
        assert brief(found) == brief(checked(json.dumps(payload)))


@given(st.binary(max_size=300))
@settings(derandomize=True, max_examples=1000, deadline=None)
def test_any_bytes(data):
    found = checked(data)
    if not data.startswith(GZIP_MAGIC):
        require_places(data, found)


@given(st.one_of(st.lists(_ODD), st.dictionaries(st.text(), _ODD)))
@settings(derandomize=True, max_examples=500, deadline=None)
def test_any_value(value):
    checked(value)
