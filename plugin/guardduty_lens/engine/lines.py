"""Runs of ordinary lines, from the bytes that came to the bytes that go, with nothing made in between.

It is `Splicer.splice` and `Record.write_json` in one loop, for the case in which nobody looks at a record: no
rule, no extractor, the whole record wanted. What it does not know it leaves to them.
"""

from collections.abc import Callable

import msgspec

from guardduty_lens.counters import Counters, count
from guardduty_lens.engine.source_writer import SourceWriter
from guardduty_lens.engine.splice import WRAPPED, Splicer
from guardduty_lens.engine.walk import FanOutError

TakeLines = Callable[[bytes, int, bytearray, Counters], tuple[int, int]]
"""Takes lines of the bytes at hand, from a place on: writes their records, counts them, and gives the place
where it stopped, and how many lines it took."""

_LOOP = """\
    lines = 0
    findings, records = counters.findings, counters.records
    if data is not last[0]:
        last[:] = data, data.isascii()
    ascii = last[1]
    while True:
        end = data.find(b"\\n", at)
        if end < 0 or data[at] != 123 or data[end - 1] != 125:  # {{ and }}
            return at, lines
        raw = data[at:end]
        if b"\\r" in raw or (not ascii and not is_utf8(raw)):
            return at, lines
        try:
            if data.find(b'"detail-type"', at, at + 160) >= 0:
                event = decode(raw)
                finding = event.{detail}
                if finding is None or not is_finding(finding) or not is_whole(event):
                    return at, lines
                head = None
            elif raw.startswith(starts_of_wrapped):
                return at, lines
            else:
                finding = decode_bare(raw)
                if not is_finding(finding) or finding.{inner} is not None:
                    return at, lines
                event, head = wrapped(finding)
        except unreadable:
            return at, lines
        try:
            resource = finding.{resource}
            resource = null if resource is None else bytes(resource)
            part = known(resource) or work_out(resource)
            places = signature(event)
            enrich = functions(places) or function(places)
            members, added, after, label, warnings = enrich(event, part)
        except odd:
            return at, lines
        if head is None:
            written += raw
            written[-1:] = members
        else:
            written += head
            written += raw
            written += members
        size = len(written)
        encode_into(added, written, size)
        written[size] = 44
        written[-1:] = after
        written += b"}}\\n"
        label = label or default_label
        findings[label] = findings.get(label, 0) + 1
        records["finding"] = records.get("finding", 0) + 1
        counters.payloads += 1
        if warnings:
            for code in warnings:
                count(counters.warnings, code)
        lines += 1
        at = end + 1
"""
# `written[size] = 44` puts a comma in place of the opening brace of the fields' own object.


def line_taker(splicer: Splicer, default_label: str) -> TakeLines:
    """Compile the loop for a splicer's plan."""
    known = splicer.parts()
    write = SourceWriter()
    write.lines = _LOOP.format(
        **{name: known.pop(name) for name in ("detail", "inner", "resource")}
    ).splitlines()
    # What decoding raises may not hide a fault of ours in what follows.
    unreadable = (msgspec.DecodeError, ValueError, RecursionError)
    odd = (msgspec.DecodeError, FanOutError)
    taker: TakeLines = write.function(
        "take",
        "data, at, written, counters",
        **known,
        count=count,
        unreadable=unreadable,
        odd=odd,
        null=b"null",
        starts_of_wrapped=WRAPPED,
        last=[b"", True],
        default_label=default_label,
        encode_into=msgspec.json.Encoder().encode_into,
    )
    return taker
