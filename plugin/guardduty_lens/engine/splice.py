"""The spliced path: decode what the plan reads, and put the added fields into the original bytes.

It takes the two shapes that most payloads have, a finding in EventBridge's envelope and a bare one, both in
camelCase; anything else, and anything odd, it leaves to the exact path. Values of the original survive
byte for byte.
"""

from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import Any

import msgspec
from msgspec import UNSET

from guardduty_lens.catalogue.operations.kind import (
    EVIDENCE_KEYS,
    FINDING_DETAIL_TYPE,
    GUARDDUTY_SOURCE,
)
from guardduty_lens.engine.source_writer import SourceWriter
from guardduty_lens.engine.specialise import Specialised
from guardduty_lens.engine.tree import ENVELOPE, Node
from guardduty_lens.engine.walk import FanOutError
from guardduty_lens.payloads.envelope import envelope_of
from guardduty_lens.payloads.json_text import encode_json, is_too_deep
from guardduty_lens.record import Event, Record

_LINE_BREAKS = b"\r\n"

# Envelope keys of which each is added where it is missing; they stand first in the tree.
_COMPLETED = ENVELOPE[:-1]

WRAPPED = tuple(
    b'{"%s"' % key
    for key in (
        b"Records",
        b"records",
        b"Messages",
        b"Findings",
        b"Type",
        b"awslogs",
        b"messageType",
        b"invocationId",
        b"requestId",
    )
)
"""How payloads begin that mostly wrap events, and so need not be tried; it matters to speed alone."""

# Heads of records are remembered by account and region, which are text from outside.
_MOST_HEADS = 1_024


class Splicer:
    """Makes records of payloads' bytes, where it can: `enrich` adds the fields, whose keys have `prefix`.

    `our_keys` are the keys of added fields: a payload that has one of them already is not for this path.
    Nor is one that is nested deeper than `nesting` levels, if that is given.
    """

    def __init__(
        self, enrich: Specialised, our_keys: Iterable[str], prefix: str = "", nesting: int | None = None
    ) -> None:
        self._prefix = prefix
        self._specialised = enrich
        self._enrich = enrich.enrich
        self._nesting = nesting
        root = enrich.root
        detail = root.members["detail"]
        types = _member_types(root)
        self._event = _event_struct(root, types, [])
        self._decode_alone = msgspec.json.Decoder(self._event).decode
        ours = [key for key in our_keys if key not in root.members]
        self._decode_open = msgspec.json.Decoder(_event_struct(root, types, ours)).decode
        self._our_attributes = [f"o{number}" for number in range(len(ours))]
        self._decode_bare = msgspec.json.Decoder(_finding_struct("BareFinding", detail, bare=True)).decode
        self._resource = attrgetter(detail.attribute("resource"))
        self._is_finding = _finding_test(detail)
        self._origins = attrgetter(*(detail.attribute(key) for key in ("accountId", "region", "updatedAt")))
        self._is_whole = _whole_test(root)
        self._attributes = {key: root.attribute(key) for key in _COMPLETED}
        self._names = (root.attribute("detail"), _inner_detail(detail), detail.attribute("resource"))
        self._detail, self._inner_detail = attrgetter(self._names[0]), attrgetter(self._names[1])
        self._heads: dict[tuple[str | None, str | None], bytes] = {}

    def splice(self, raw: bytes) -> Record | None:
        """Give the record of one JSON value, without blanks around it; None where it is not for this path."""
        if raw.startswith(WRAPPED) or (not raw.isascii() and not is_utf8(raw)):
            return None
        if self._nesting is not None and is_too_deep(raw, self._nesting):
            return None
        try:
            # Mostly an envelope says so early; the order of trying matters to speed alone.
            if b'"detail-type"' in raw[:160]:
                return self._in_envelope(raw) or self._bare(raw)
            return self._bare(raw)
        except (msgspec.DecodeError, FanOutError):
            return None

    def _in_envelope(self, raw: bytes) -> Record | None:
        try:
            event, may_have_ours = _decoded(self._decode_alone, raw), False
        except msgspec.ValidationError:
            event, may_have_ours = _decoded(self._decode_open, raw), True
        detail = self._detail(event)
        if detail is None or not self._is_finding(detail) or (may_have_ours and self._has_ours(event)):
            return None
        after = b"" if self._is_whole(event) else self._complete(event, detail)
        enriched = self._enrich(event, bytes(self._resource(detail) or b"null"))
        return Record("finding", Event(one_line(raw), b"", after), *enriched, self._prefix)

    def _has_ours(self, event: Any) -> bool:
        return any(getattr(event, name) is not UNSET for name in self._our_attributes)

    def _complete(self, event: Any, detail: Any) -> bytes:
        """Set the envelope keys that are missing, and give their JSON with a comma before it."""
        envelope = envelope_of(
            dict(zip(("accountId", "region", "updatedAt"), self._origins(detail), strict=True))
        )
        missing = {}
        for key, name in self._attributes.items():
            if getattr(event, name) is UNSET:
                setattr(event, name, envelope.get(key))
                if key in envelope:
                    missing[key] = envelope[key]
        return b"," + encode_json(missing)[1:-1] if missing else b""

    def _bare(self, raw: bytes) -> Record | None:
        finding = _decoded(self._decode_bare, raw)
        if self._inner_detail(finding) is not None:
            return self._in_envelope(raw)
        if not self._is_finding(finding):
            return None
        event, head = self._wrapped(finding)
        enriched = self._enrich(event, bytes(self._resource(finding) or b"null"))
        return Record("finding", Event(one_line(raw), head, open=False), *enriched, self._prefix)

    def _wrapped(self, finding: Any) -> tuple[Any, bytes]:
        """Give the event of a bare finding, and the JSON that goes before the finding's."""
        account, region, time = (
            value if type(value) is str and value else None for value in self._origins(finding)
        )
        words: tuple[Any, ...] = ("0", FINDING_DETAIL_TYPE, GUARDDUTY_SOURCE, account, region, time, [])
        event = self._event(*words, None, finding)
        head = self._head(account, region)
        if time is not None:
            head += b'"time":' + encode_json(time) + b","
        return event, head + b'"resources":[],"detail":'

    def parts(self) -> dict[str, Any]:
        """Give what `lines.line_taker` is put together from: names of attributes, and functions."""
        names = {"detail": self._names[0], "inner": self._names[1], "resource": self._names[2]}
        functions = {
            "decode": self._decode_alone,
            "decode_bare": self._decode_bare,
            "is_finding": self._is_finding,
            "is_whole": self._is_whole,
            "is_utf8": is_utf8,
            "wrapped": self._wrapped,
        }
        return names | functions | self._specialised.parts()

    def _head(self, account: str | None, region: str | None) -> bytes:
        head = self._heads.get((account, region))
        if head is None:
            if len(self._heads) >= _MOST_HEADS:
                self._heads.clear()
            envelope = envelope_of({"accountId": account, "region": region})
            del envelope["resources"]
            head = self._heads[account, region] = encode_json(envelope)[:-1] + b","
        return head


def _finding_test(detail: Node) -> Callable[[Any], bool]:
    """Give the finding test (`operations.kind.is_finding`) for a struct; its resource is raw JSON."""
    write = SourceWriter()
    kind, identity, arn = (f"value.{detail.attribute(key)}" for key in ("type", "id", "arn"))
    write(f"if type({kind}) is not str or not {kind}: return False")
    write(f"if not (type({identity}) is str and {identity} or type({arn}) is str and {arn}): return False")
    marks = [f"(value.{detail.attribute(key)} is not None)" for key in EVIDENCE_KEYS if key != "resource"]
    resource = f"value.{detail.attribute('resource')}"
    write(f"marks = {' + '.join(marks)}")
    write(f"return marks > 1 or marks + ({resource} is not None and bytes({resource}) != b'null') > 1")
    test: Callable[[Any], bool] = write.function("is_finding", "value")
    return test


def _whole_test(root: Node) -> Callable[[Any], bool]:
    """Give the test whether an event has every key of an envelope."""
    write = SourceWriter()
    unset = write.constant(UNSET)
    write("return " + " and ".join(f"value.{root.attribute(key)} is not {unset}" for key in _COMPLETED))
    test: Callable[[Any], bool] = write.function("is_whole", "value")
    return test


def _decoded(decode: Callable[[bytes], Any], raw: bytes) -> Any:
    """Decode; whatever is wrong with the bytes is a DecodeError, and no fault of ours is taken for it."""
    try:
        return decode(raw)
    except msgspec.DecodeError:
        raise
    except (ValueError, RecursionError) as error:
        raise msgspec.DecodeError(str(error)) from error


def one_line(raw: bytes) -> bytes:
    """Take the line breaks out of a JSON text; they can only stand between its values."""
    return raw.translate(None, _LINE_BREAKS) if b"\n" in raw or b"\r" in raw else raw


def is_utf8(raw: bytes) -> bool:
    """Tell whether bytes are UTF-8: msgspec does not look at what it skips."""
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def _member_types(node: Node) -> dict[str, Any]:
    assert node.struct is not None
    return {field.encode_name: field.type for field in msgspec.structs.fields(node.struct)}


def _event_struct(root: Node, types: dict[str, Any], ours: list[str]) -> Any:
    """Give the struct of an event; with `ours` it also takes these keys, and any other, else no other."""
    types = types | {"detail": _finding_struct("Finding", root.members["detail"]) | None}
    fields = [(root.attribute(key), types[key], UNSET if key in _COMPLETED else None) for key in root.members]
    rename = {root.attribute(key): key for key in root.members}
    fields += [(f"o{number}", Any, UNSET) for number in range(len(ours))]
    rename |= {f"o{number}": key for number, key in enumerate(ours)}
    return msgspec.defstruct("Event", fields, rename=rename, forbid_unknown_fields=not ours, gc=False)


def _inner_detail(detail: Node) -> str:
    """Name the attribute of a `detail` inside a bare finding, which may make it something else."""
    return detail.attribute("detail") if "detail" in detail.members else "inner_detail"


def _finding_struct(name: str, detail: Node, *, bare: bool = False) -> Any:
    """Give the struct of a finding, its resource as it stands; a bare one knows a `detail` of its own."""
    types = _member_types(detail) | {"resource": msgspec.Raw}
    fields = [(detail.attribute(key), types[key], None) for key in detail.members]
    rename = {detail.attribute(key): key for key in detail.members}
    if bare and "detail" not in detail.members:
        fields.append(("inner_detail", Any, None))
        rename["inner_detail"] = "detail"
    return msgspec.defstruct(name, fields, rename=rename, gc=False)
