"""The public API: payloads in, records and rejects out."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from guardduty_lens.catalogue.load import Catalogue, load_catalogue
from guardduty_lens.counters import Counters, count
from guardduty_lens.engine.engine import Engine
from guardduty_lens.engine.lines import TakeLines
from guardduty_lens.engine.plan import Plan, compile_plan
from guardduty_lens.extractors import Extractor, check_names, installed_extractors
from guardduty_lens.findings.severity import SCHEMES, SeverityScheme
from guardduty_lens.payloads.compressed import GZIP_MAGIC, inflate
from guardduty_lens.payloads.json_text import encode_json
from guardduty_lens.payloads.limits import Limits
from guardduty_lens.payloads.pieces import Control, Event, Position, Rejected, UnreadableError
from guardduty_lens.payloads.shapes import text_bytes
from guardduty_lens.payloads.split import BrokenSpan, Span, Splitter
from guardduty_lens.payloads.unwrap import Unwrapped, Unwrapper
from guardduty_lens.record import Record
from guardduty_lens.rules import Rule

Payload = bytes | bytearray | memoryview | str | Mapping[str, Any] | Sequence[Any]


class Lens:
    """Turns GuardDuty payloads of any shape into records.

    `fields` is a folder (or file) of the user's own catalogue; `severity_scheme` a name of
    `findings.severity.SCHEMES` or a scheme; `field_prefix` goes before the name of every added field;
    `wrapper_keys` are further keys under which a shipper puts what it read; `extractors` default to the
    installed ones; records that one of `rules` drops are counted, and not given. Without `splice`, every
    event is decoded as a whole: slower, unless all of it is looked at anyway.

    Raises CatalogueError, ExtractorError, or ValueError for an unknown scheme.

    >>> lens = Lens(extractors=())
    >>> [record] = lens.process('{"type": "Recon:EC2/Portscan", "id": "f1", "severity": 5, "service": {}}')
    >>> record.fields["threat_name"], record.fields["severity_label"]
    ('Portscan', 'Medium')
    """

    def __init__(
        self,
        *,
        fields: Path | str | None = None,
        field_prefix: str = "",
        severity_scheme: str | SeverityScheme = "aws",
        wrapper_keys: Iterable[str] = (),
        extractors: Sequence[Extractor] | None = None,
        rules: Sequence[Rule] = (),
        splice: bool = True,
        limits: Limits | None = None,
    ) -> None:
        self.catalogue: Catalogue = load_catalogue(Path(fields) if fields is not None else None)
        scheme = severity_scheme if isinstance(severity_scheme, SeverityScheme) else _scheme(severity_scheme)
        self.plan: Plan = compile_plan(self.catalogue.entries, self.catalogue.tables, scheme, field_prefix)
        self.extractors = installed_extractors() if extractors is None else tuple(extractors)
        check_names(self.extractors, self.catalogue.groups)
        self.counters = Counters()
        """Counts of everything since the lens was made."""
        self._splices = splice
        self.rules: tuple[Rule, ...] = tuple(rules)
        self._unwrapper = Unwrapper(wrapper_keys, limits, self._read)
        self._engine = Engine(self.plan, self.extractors, self._unwrapper.limits.nesting)
        self._enrich = self._engine.enrich if splice else self._engine.record

    def field_types(self) -> dict[str, str]:
        """Give the type of each field that a record may have, by name, extractors' fields too."""
        types: dict[str, str] = {
            entry.field: entry.type for entry in self.catalogue.entries if not entry.hidden
        }
        return types | {field.name: field.type for each in self.extractors for field in each.fields}

    def process(self, payload: Payload, source: str = "-") -> Iterator[Record | Rejected]:
        """Give the records and rejects of one payload, in order.

        A payload is JSON text (one value or many, gzip or not), or what was decoded from it, such as a
        Lambda's `event`. Never raises on data.
        """
        if isinstance(payload, str):
            payload = text_bytes(payload)
        if not isinstance(payload, bytes | bytearray | memoryview):
            try:
                payload = encode_json(payload)
            except UnreadableError as error:
                self.counters.payloads += 1
                raw = _escaped(payload)
                yield from self._outcome(Rejected(error.reason, str(error), raw, Position(), source))
                return
        yield from self.stream([bytes(payload)], source)

    def finding(self, raw: bytes) -> Iterator["Record | Rejected"] | None:
        """Give the record of a finding in one of the common shapes; None for all else, which counts nowhere.

        For whoever has mostly findings, and can `process` the rest another way. A rule may drop the record.
        """
        record = self._engine.splice(raw) if self._splices else None
        if record is None:
            return None
        self.counters.payloads += 1
        return iter([record] if self._is_given(record) else [])

    def stream(
        self, blocks: Iterable[bytes], source: str = "-", written: bytearray | None = None
    ) -> Iterator[Record | Rejected]:
        """Give the records and rejects of a stream of bytes, in order, holding one payload at a time.

        Blocks may be cut anywhere; gzip is told by its first bytes. For `written` see `start`.
        """
        stream = self.start(source, 0, written)
        try:
            for block in _inflated(blocks):
                yield from stream.feed(block)
        except UnreadableError as error:
            yield from stream.close()
            yield from self._outcome(Rejected(error.reason, str(error), error.raw, stream.position, source))
            return
        yield from stream.close()

    def start(self, source: str = "-", byte: int = 0, written: bytearray | None = None) -> "Stream":
        """Begin a stream of bytes, not compressed, that is fed in blocks; the first is from `byte` on.

        With `written`, ordinary records may be written there at once, a line each, instead of being given:
        the fastest way. Whoever takes those that are given must then write them there too, one by one.
        """
        take = None
        loop = self._engine.take_lines if written is not None and self._splices and not self.rules else None
        if loop is not None and written is not None:
            take = _bound(loop, written, self.counters)
        return Stream(Splitter(self._read, self._unwrapper.limits, byte, take), self._spans, source)

    def refuse(self, record: Record, reason: str) -> None:
        """Count a record that was given as rejected instead: whoever it was written to will not have it."""
        self._take_back(record)
        count(self.counters.rejected, reason)

    def leave_out(self, record: Record, rule: str) -> None:
        """Count a record that was given as left out by a rule instead."""
        self._take_back(record)
        count(self.counters.filtered, rule)

    def lose(self, record: Record) -> None:
        """Count a record that was given as undelivered instead."""
        self._take_back(record)
        count(self.counters.undelivered, record.kind)

    def _take_back(self, record: Record) -> None:
        self.counters.take_back(record.kind, self._label(record))

    def _label(self, record: Record) -> str | None:
        """Give the severity label that a finding is counted by."""
        return (record.severity_label or self.plan.scheme.default) if record.kind == "finding" else None

    def _read(self, raw: bytes) -> Any:
        """Give the record of a payload of the common shapes, else its decoded value."""
        record = self._engine.splice(raw) if self._splices else None
        return self._unwrapper.decode(raw) if record is None else record

    def _spans(self, spans: Iterable[Span[Any] | BrokenSpan], source: str) -> Iterator[Record | Rejected]:
        counters = self.counters
        for span in spans:
            counters.payloads += 1
            if isinstance(span, BrokenSpan):
                yield from self._outcome(Rejected(*span, source))
            elif type(span.value) is Record:
                if self._is_given(span.value):
                    yield span.value
            else:
                for item in self._unwrapper.unwrap(span.value, span.raw, span.position, source):
                    yield from self._outcome(item, span.raw, source)

    def _outcome(self, item: Unwrapped, raw: bytes = b"", source: str = "-") -> Iterator[Record | Rejected]:
        """Count an item and give what is to be given; `raw` is the payload that it was in."""
        if isinstance(item, Control):
            count(self.counters.control, item.name)
        elif isinstance(item, Rejected):
            count(self.counters.rejected, item.reason)
            yield item
        elif isinstance(item, Event):
            try:
                record = self._enrich(item.value)
            except UnreadableError as error:
                rejected = Rejected(error.reason, str(error), raw, item.position, source)
                count(self.counters.rejected, rejected.reason)
                yield rejected
                return
            if self._is_given(record):
                yield record
        elif isinstance(item, Record) and self._is_given(item):
            yield item

    def _is_given(self, record: Record) -> bool:
        """Count a record, as filtered if a rule drops it; tell whether it is to be given."""
        counters = self.counters
        for code in record.warnings:
            count(counters.warnings, code)
        for rule in self.rules:
            if rule.drops(record):
                count(counters.filtered, rule.name)
                return False
        count(counters.records, record.kind)
        label = self._label(record)
        if label is not None:
            count(counters.findings, label)
        return True


def _bound(
    loop: TakeLines, written: bytearray, counters: Counters
) -> Callable[[bytes, int], tuple[int, int]]:
    return lambda data, at: loop(data, at, written, counters)


class Stream:
    """A stream of bytes on its way through a lens: `feed` blocks, then `close`; both give what is whole."""

    def __init__(
        self,
        splitter: Splitter[Any],
        items: Callable[[Iterable[Span[Any] | BrokenSpan], str], Iterator[Record | Rejected]],
        source: str,
    ) -> None:
        self._splitter = splitter
        self._items = items
        self._source = source

    def feed(self, block: bytes) -> Iterator[Record | Rejected]:
        """Take a block, and give the records and rejects that it completes."""
        return self._items(self._splitter.feed(block), self._source)

    def close(self) -> Iterator[Record | Rejected]:
        """Give the records and rejects that are left at the end."""
        return self._items(self._splitter.close(), self._source)

    @property
    def position(self) -> Position:
        """Where in the source the next item would start; lines are counted from where the stream began."""
        return self._splitter.position

    @property
    def is_between_lines(self) -> bool:
        """Whether nothing is left over of what was fed, and a line begins."""
        return self._splitter.is_between_lines


def _escaped(payload: Any) -> bytes:
    """Write decoded JSON that cannot be written as UTF-8, for a reject; nothing where it is too deep."""
    try:
        return json.dumps(payload).encode()
    except (RecursionError, TypeError):
        return b""


def _scheme(name: str) -> SeverityScheme:
    if name not in SCHEMES:
        raise ValueError(f"no severity scheme {name!r}; there are {', '.join(SCHEMES)}")
    return SCHEMES[name]


def _inflated(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Unpack gzip, if the first bytes say so."""
    iterator = iter(blocks)
    first = b""
    while len(first) < len(GZIP_MAGIC) and (block := next(iterator, None)) is not None:
        first += block
    together = _chained(first, iterator)
    yield from inflate(together) if first.startswith(GZIP_MAGIC) else together


def _chained(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest
