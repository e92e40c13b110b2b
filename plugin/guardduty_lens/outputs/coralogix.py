"""The output `coralogix`: records to Coralogix's logs API, each confirmed, or refused with its words.

The API ("Coralogix REST API /singles", "Limitations"): `POST https://ingress.<domain>/logs/v1/singles`, a
bearer key, an array of entries of at most 2 MB in all. An entry has a time, an application, a subsystem, a
severity of 1 (debug) to 6 (critical), and a text, which may be JSON.
"""

import gzip
import re
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import msgspec

from guardduty_lens.opensearch.client import Secret
from guardduty_lens.opensearch.dates import milliseconds
from guardduty_lens.outputs.sinks import DeliveryError
from guardduty_lens.payloads.pieces import Position, Rejected
from guardduty_lens.record import Record
from guardduty_lens.retries import Retries
from guardduty_lens.version import __version__

if TYPE_CHECKING:
    import urllib3

DOMAINS: Mapping[str, str] = {
    "eu1": "eu1.coralogix.com",
    "eu2": "eu2.coralogix.com",
    "us1": "us1.coralogix.com",
    "us2": "us2.coralogix.com",
    "ap1": "ap1.coralogix.com",
    "ap2": "ap2.coralogix.com",
    "ap3": "ap3.coralogix.com",
}
"""Coralogix's domains by the names of their regions ("Coralogix domains")."""

MOST_BYTES = 1_900_000
"""Of a request before it is compressed: below the 2 MB that are documented, however they are counted."""

SEVERITIES: Mapping[str, int] = {"Critical": 6, "High": 5, "Medium": 4, "Low": 3}
_OTHERWISE = 3  # info

_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.5, 30.0
_FIELD = re.compile(r"\{([A-Za-z][A-Za-z0-9_]*)\}")
_LONGEST_WORDS = 300


class CoralogixTarget(msgspec.Struct, frozen=True, kw_only=True):
    """Where, by which key, and what records are called; `{field}` in names is a field of the record.

    `url` is that of the logs API; times are in seconds.
    """

    url: str
    key: Secret
    application: str = "guardduty"
    subsystem: str = "{account_id}"
    timeout: float = 60.0
    give_up_after: float = 300.0


def url_of(domain: str) -> str:
    """Give the address of a domain, or of a region by its name.

    >>> url_of("eu2")
    'https://ingress.eu2.coralogix.com/logs/v1/singles'
    """
    return f"https://ingress.{DOMAINS.get(domain.lower(), domain)}/logs/v1/singles"


class _Entry(msgspec.Struct, frozen=True, gc=False):
    encoded: bytes
    record: Record
    source: str


class CoralogixSink:
    """Takes records, and returns from `flush` once all are confirmed or refused. Raises DeliveryError.

    `refuse` is given a record that is too large, or that the API will not have, and why.
    """

    at_once = None
    is_terminal = False

    def __init__(
        self,
        target: CoralogixTarget,
        refuse: Callable[[Record, Rejected], None],
        retries: Retries | None = None,
    ) -> None:
        self._target = target
        self._refuse = refuse
        self._retries = retries or Retries()
        self._entries: list[_Entry] = []
        self._size = 2
        self._pool: urllib3.PoolManager | None = None

    def write(self, record: Record, source: str) -> None:
        """Take a record, and send those before it where they would be too many with it."""
        encoded = self._encoded(record)
        if len(encoded) + 2 > MOST_BYTES:
            words = f"{len(encoded):,} bytes; a request to Coralogix may have {MOST_BYTES:,}"
            self._refuse(record, Rejected("too_large", words, record.to_json(), Position(), source))
            return
        if self._size + len(encoded) + 1 > MOST_BYTES:
            self._ship()
        self._entries.append(_Entry(encoded, record, source))
        self._size += len(encoded) + 1

    def hand_on(self, *, more: bool) -> None:
        """Send what is there, unless there is more at hand."""
        if not more:
            self._ship()

    def flush(self) -> None:
        """Return once everything taken is confirmed, or refused."""
        self._ship()

    def __enter__(self) -> Self:
        import urllib3  # an extra

        self._pool = urllib3.PoolManager(retries=False, timeout=self._target.timeout)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.clear()

    def _encoded(self, record: Record) -> bytes:
        fields = record.fields
        seen = fields.get("eventLastSeen")
        since = milliseconds(seen) if isinstance(seen, str) else None
        head = msgspec.json.encode(
            {
                "timestamp": time.time_ns() // 1_000_000 if since is None else since,
                "applicationName": _named(self._target.application, fields),
                "subsystemName": _named(self._target.subsystem, fields),
                "severity": SEVERITIES.get(record.severity_label or "", _OTHERWISE),
            }
        )
        return b"".join([head[:-1], b',"text":', record.to_json(), b"}"])

    def _ship(self) -> None:
        entries, self._entries, self._size = self._entries, [], 2
        if entries:
            self._deliver(entries, time.monotonic() + self._target.give_up_after)

    def _deliver(self, entries: Sequence[_Entry], deadline: float) -> None:
        """Send a batch until it is taken; halve one that is refused, down to the record that is at fault."""
        pause = _FIRST_PAUSE_SECONDS
        while True:
            status, words, wait = self._post(entries)
            if status is not None and 200 <= status < 300:
                return
            if status in (400, 413, 422):
                self._divide(entries, status, words, deadline)
                return
            if status in (401, 403):
                raise DeliveryError(f"Coralogix does not let us in: {words}")
            why, seconds = f"Coralogix did not confirm: {words}", max(wait, pause)
            if time.monotonic() + seconds > deadline or not self._retries.wait(seconds, why):
                raise DeliveryError(why)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    def _divide(self, entries: Sequence[_Entry], status: int, words: str, deadline: float) -> None:
        if len(entries) > 1:
            middle = len(entries) // 2
            self._deliver(entries[:middle], deadline)
            self._deliver(entries[middle:], deadline)
            return
        [entry] = entries
        reason = "too_large" if status == 413 else "refused"
        rejected = Rejected(reason, words, entry.record.to_json(), Position(), entry.source)
        self._refuse(entry.record, rejected)

    def _post(self, entries: Sequence[_Entry]) -> tuple[int | None, str, float]:
        """Send once; give the status (None without an answer), what was said, and how long to wait."""
        import urllib3

        assert self._pool is not None  # between enter and exit
        body = gzip.compress(b"[" + b",".join(entry.encoded for entry in entries) + b"]", 6, mtime=0)
        headers = {
            "Authorization": f"Bearer {self._target.key.reveal()}",
            "Content-Type": "application/json",
            "Content-Encoding": "gzip",
            "User-Agent": f"guardduty-lens/{__version__}",
        }
        try:
            answer = self._pool.request("POST", self._target.url, body=body, headers=headers)
        except urllib3.exceptions.HTTPError as error:
            return None, type(error).__name__ + f": {error}"[:_LONGEST_WORDS], 0.0
        said = answer.data.decode(errors="replace").strip()
        words = f"{answer.status} {said}".strip()[:_LONGEST_WORDS]
        return answer.status, words, _seconds(answer.headers.get("Retry-After"))


def _named(template: str, fields: Mapping[str, Any]) -> str:
    """Fill a name; a field that is not there, or no text, is `unknown`."""

    def value(match: re.Match[str]) -> str:
        found = fields.get(match[1])
        return found if isinstance(found, str) and found else "unknown"

    return _FIELD.sub(value, template) or "unknown"


def _seconds(retry_after: str | None) -> float:
    """Read a Retry-After of seconds; a date is left to the pause of our own."""
    if retry_after is None or not retry_after.strip().isdigit():
        return 0.0
    return min(float(retry_after), 300.0)
