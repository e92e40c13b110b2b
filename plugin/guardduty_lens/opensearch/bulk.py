"""Bulk requests: what is sent again, what is taken apart, and what the answer says of each document.

A batch ends when every document of it is written, known to be there, or refused for good, or when time is
over. One `Bulk` may be used by several threads at once.
"""

import logging
import random
import threading
import time
from collections.abc import Mapping, Sequence
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from guardduty_lens.opensearch.client import DEFAULT_GIVE_UP_AFTER_SECONDS
from guardduty_lens.opensearch.document import Document
from guardduty_lens.opensearch.nodes import CHECK_URL, NO_TLS, no_cluster
from guardduty_lens.retries import Retries

if TYPE_CHECKING:
    from opensearchpy import OpenSearch

_FIRST_DELAY_SECONDS, _LONGEST_DELAY_SECONDS = 0.25, 30.0
_SECONDS_BETWEEN_NOTICES = 10.0
_LONGEST_WORDS = 500  # of a server's answer, in a message

_FILTER = "errors,items.*.status,items.*.error.type,items.*.error.reason,items.*.error.caused_by.reason"
_NOT_RAISED = range(300, 1000)
_TRY_AGAIN = frozenset({408, 429, *range(500, 600)})
# These are the cluster's state, whatever their status, and no fault of a document: an index that is read-only
# or closed, no shards left, a full queue.
_STATES = frozenset(
    {
        "cluster_block_exception",
        "index_closed_exception",
        "validation_exception",
        "circuit_breaking_exception",
        "rejected_execution_exception",
        "unavailable_shards_exception",
        "process_cluster_event_timeout_exception",
    }
)

_NO_ANSWER = "its answer is none to a bulk request: check that --url is that of an OpenSearch"

# Of proxies before a cluster that is down, too, and so no sign that there is none.
_OF_PROXIES = frozenset({401, 403, 408, 413, 429, 500, 502, 503, 504})
_NO_SUCH_NAME = "[Errno -2]"

_log = logging.getLogger(__name__)


class CannotDeliver(Exception):  # noqa: N818 - it names what happened, whoever's fault it was
    """The cluster does not take what it is sent; the message says why, and holds no secret."""


class NotACluster(CannotDeliver):
    """What answers is no OpenSearch, which waiting does not change."""


class Refusal(msgspec.Struct, frozen=True):
    """A document that the cluster will never take: the error's type, and its words."""

    reason: str
    message: str


Result = Literal["written", "known"] | Refusal | None
"""Of one document: `known` is there already, or a later version is; None is not confirmed."""


class Delivery(msgspec.Struct, frozen=True):
    """What came of a batch: a result for each document, and why some are not confirmed."""

    results: list[Result]
    failure: str = ""


class _Cause(msgspec.Struct):
    reason: str | None = None


class _Error(msgspec.Struct):
    type: str = "error"
    reason: str | None = None
    caused_by: _Cause | None = None

    def words(self) -> str:
        said = [self.reason, self.caused_by.reason if self.caused_by else None]
        return ": ".join(dict.fromkeys(text for text in said if text)) or self.type


class _Item(msgspec.Struct):
    status: int
    error: _Error | None = None


class _Answer(msgspec.Struct):
    errors: bool  # without it, `{}` would be an answer
    items: list[dict[str, _Item]] = []


class _Failure(msgspec.Struct):
    error: _Error


class Bulk:
    """Sends documents to a cluster until it has confirmed them.

    `give_up_after` seconds bound how long one batch is tried; `stop`, once set, and `retries`, once they are
    over, end every waiting.
    """

    def __init__(
        self,
        client: "OpenSearch",
        *,
        give_up_after: float = DEFAULT_GIVE_UP_AFTER_SECONDS,
        stop: threading.Event | None = None,
        retries: Retries | None = None,
    ) -> None:
        self._transport = client.transport
        self._retries = retries or Retries()
        self._give_up_after = give_up_after
        self.stop = stop or threading.Event()
        self._last_notice = float("-inf")  # none so far

    def check(self, give_up_after: float) -> None:
        """Ask the cluster whether it lets us in, by a bulk request of nothing.

        Raises NotACluster, and CannotDeliver, at once for what cannot become right by waiting.
        """
        patience = self._patience(give_up_after, is_start=True)
        while True:
            # One that lets us in refuses it, since there is nothing in it.
            if self._answer(b"\n", patience) is not None:
                return
            self._wait(patience, _NO_ANSWER)

    def deliver(self, documents: Sequence[Document], *, give_up_after: float | None = None) -> Delivery:
        """Send documents until each is confirmed or refused, or time is over."""
        results: list[Result] = [None] * len(documents)
        seconds = self._give_up_after if give_up_after is None else give_up_after
        patience = _Patience(seconds, self.stop, self._retries)
        parts = [list(range(len(documents)))] if documents else []
        try:
            while parts:
                part = parts.pop()
                answer = self._answer(_body(documents, part), patience)
                if isinstance(answer, Refusal):
                    parts += _taken_apart(part, answer, results)
                elif answer is None or len(answer) != len(part):
                    self._wait(patience, _NO_ANSWER)
                    parts.append(part)
                else:
                    again, why = _sort(answer, part, results)
                    if again:
                        self._wait(patience, why, progress=len(again) < len(part))
                        parts.append(again)
        except CannotDeliver as error:
            return Delivery(results, str(error))
        return Delivery(results)

    def ask(self, path: str, params: Mapping[str, str], give_up_after: float) -> tuple[int, str]:
        """Give the status and the text of the answer to a GET, asked again as long as there is none.

        Raises CannotDeliver.
        """
        patience = self._patience(give_up_after)
        while True:
            try:
                status, headers, text = self._send("GET", path, params)
            except _Unanswered as unanswered:
                self._wait(patience, str(unanswered))
                continue
            if status not in _TRY_AGAIN:
                return status, text
            self._wait(patience, f"it answered {status} to GET {path}", _retry_after(headers))

    def _patience(self, give_up_after: float, *, is_start: bool = False) -> "_Patience":
        seconds = min(give_up_after, self._give_up_after)
        return _Patience(seconds, self.stop, self._retries, is_start=is_start)

    def _answer(self, body: bytes, patience: "_Patience") -> list[_Item] | Refusal | None:
        """Send a request until it is answered: with its items, a refusal of all of it, or nonsense (None).

        Raises CannotDeliver.
        """
        while True:
            try:
                status, headers, text = self._post(body)
            except _Unanswered as unanswered:
                _refuse_for_ever(unanswered, patience)
                self._wait(patience, str(unanswered))
                continue
            items, error = (_items(text), None) if status == 200 else (None, _error(text))
            if patience.is_start and items is None and error is None and status not in _OF_PROXIES:
                raise NotACluster(no_cluster("POST /_bulk", f"{status} {text}"))
            if status == 200:
                return items
            if status in _TRY_AGAIN or (error is not None and error.type in _STATES):
                why = f"it answered {status}" + (f": {error.words()}" if error else "")
                self._wait(patience, why, _retry_after(headers))
            elif status == 413 or (status == 400 and error is not None):
                return Refusal(*_said(error, "too_large", "the cluster takes no request of this size"))
            elif status == 400:
                self._wait(patience, "it answered 400 without a reason")
            else:
                raise CannotDeliver(_not_let_in(status, error, text))

    def _post(self, body: bytes) -> tuple[int, Mapping[str, str], str]:
        """Send a bulk request, as `_send` does."""
        return self._send("POST", "/_bulk", {"filter_path": _FILTER}, body)

    def _send(
        self, method: str, path: str, params: Mapping[str, str], body: bytes | None = None
    ) -> tuple[int, Mapping[str, str], str]:
        """Send a request to one of the nodes. Raises _Unanswered; CannotDeliver for a wrong certificate."""
        from opensearchpy.exceptions import ConnectionError as NoConnection
        from opensearchpy.exceptions import SSLError

        connection = self._transport.get_connection()
        try:
            # The transport's own method would hide the headers, and with them Retry-After.
            status, headers, text = connection.perform_request(
                method,
                path,
                params=dict(params),
                body=body,
                ignore=_NOT_RAISED,
                headers={"content-type": "application/x-ndjson"} if body is not None else None,
            )
        except SSLError as error:
            if "CERTIFICATE_VERIFY_FAILED" in str(error):
                raise CannotDeliver(
                    f"{connection.host}: its certificate is not trusted: {error.error}"
                ) from error
            raise _Unanswered(f"{connection.host}: {error.error}") from error
        except NoConnection as error:
            self._transport.mark_dead(connection)
            raise _Unanswered(f"{connection.host}: {_short(str(error.error))}") from error
        return status, headers, text

    def _wait(
        self, patience: "_Patience", why: str, at_least: float | None = None, *, progress: bool = False
    ) -> None:
        now = time.monotonic()
        if now - self._last_notice > _SECONDS_BETWEEN_NOTICES:
            advice = f"; {CHECK_URL}" if self._last_notice < 0 else ""
            self._last_notice = now
            _log.warning("guardduty-lens: the cluster is tried again: %s%s", why, advice)
        patience.wait(why, at_least, progress=progress)


class _Unanswered(Exception):  # noqa: N818 - as CannotDeliver
    """A request to which no answer came, and why."""


class _Patience:
    """How long one batch may still be tried, and how long to wait before the next time.

    At the start, before anything was sent, what cannot become right by waiting is refused.
    """

    def __init__(
        self, seconds: float, stop: threading.Event, retries: Retries, *, is_start: bool = False
    ) -> None:
        self.is_start = is_start
        self._seconds = seconds
        self._retries = retries
        self._ends = time.monotonic() + seconds
        self._stop = stop
        self._delay = _FIRST_DELAY_SECONDS

    def wait(self, why: str, at_least: float | None, *, progress: bool) -> None:
        """Wait, longer each time unless there was progress. Raises CannotDeliver when time would be over."""
        if progress:
            self._delay = _FIRST_DELAY_SECONDS
        # Some of it by chance, so that many who were turned away do not come back at once.
        delay = self._delay * random.uniform(0.5, 1.0)  # noqa: S311 - nothing secret
        delay = max(delay, at_least or 0.0)
        self._delay = min(self._delay * 2, _LONGEST_DELAY_SECONDS)
        left = self._ends - time.monotonic()
        if left <= 0:
            raise CannotDeliver(f"it was tried for {self._seconds:g} seconds; at last: {why}; {CHECK_URL}")
        if not self._retries.wait(min(delay, left), why, self._stop):
            raise CannotDeliver(f"stopped while trying again: {why}")


def _refuse_for_ever(unanswered: _Unanswered, patience: _Patience) -> None:
    """Raise CannotDeliver at the start for a connection that waiting does not bring about."""
    if patience.is_start and "WRONG_VERSION_NUMBER" in str(unanswered):
        raise CannotDeliver(f"{unanswered}; {NO_TLS}")
    if patience.is_start and _NO_SUCH_NAME in str(unanswered):
        raise CannotDeliver(f"{unanswered}; check the host of --url")


def _body(documents: Sequence[Document], part: Sequence[int]) -> bytes:
    lines: list[bytes] = []
    for number in part:
        document = documents[number]
        lines.append(_action(document))
        lines.append(document.body)
    lines.append(b"")
    return b"\n".join(lines)


def _action(document: Document) -> bytes:
    target: dict[str, Any] = {"_index": document.index, "_id": document.id}
    if document.version is None:
        return msgspec.json.encode({"create": target})
    return msgspec.json.encode({"index": target | {"version": document.version, "version_type": "external"}})


def _items(text: str) -> list[_Item] | None:
    """Read the answer to a bulk request; None where it is none."""
    try:
        answer = msgspec.json.decode(text, type=_Answer)
    except (msgspec.DecodeError, UnicodeEncodeError):
        return None
    items = [item for each in answer.items for item in each.values()]
    return items if len(items) == len(answer.items) else None


def _error(text: str) -> _Error | None:
    """Read the answer that refuses a request; None where it is not one of a cluster."""
    try:
        return msgspec.json.decode(text, type=_Failure).error
    except (msgspec.DecodeError, UnicodeEncodeError):
        return None


def _said(error: _Error | None, reason: str, message: str) -> tuple[str, str]:
    return (error.type, _short(error.words())) if error else (reason, message)


def _taken_apart(part: list[int], refusal: Refusal, results: list[Result]) -> list[list[int]]:
    """Halve what was refused as a whole; the refusal of one document is its result.

    The first half is last, to be sent next.
    """
    if len(part) == 1:
        results[part[0]] = refusal
        return []
    middle = len(part) // 2
    return [part[middle:], part[:middle]]


def _sort(items: Sequence[_Item], part: Sequence[int], results: list[Result]) -> tuple[list[int], str]:
    """Note the result of each item; give what is to be sent again, and why. Raises CannotDeliver."""
    again: list[int] = []
    why = fatal = ""
    for number, item in zip(part, items, strict=True):
        error = item.error or _Error()
        if 200 <= item.status < 300:
            results[number] = "written"
        elif item.status == 409:
            results[number] = "known"
        elif item.status in _TRY_AGAIN or error.type in _STATES:
            again.append(number)
            why = f"{item.status} {error.words()}"
        elif item.status in (401, 403, 404):
            fatal = _not_let_in(item.status, error, "")
        else:
            results[number] = Refusal(error.type, _short(error.words()))
    if fatal:
        raise CannotDeliver(fatal)
    return again, _short(why)


def _not_let_in(status: int, error: _Error | None, text: str) -> str:
    """Say why the cluster will not take anything, whatever it is sent."""
    said = _short(error.words() if error else text) or "no reason given"
    if status == 401:
        return f"the cluster does not accept who we are (401): check the user, password or token: {said}"
    if status == 403:
        return f"the cluster does not allow it (403): {said}"
    return f"the cluster answered {status}: {said}: check that --url is that of an OpenSearch"


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST_WORDS else f"{text[:_LONGEST_WORDS]}…"


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Read how many seconds the server asks to wait: a number, or a date."""
    text = next((value for key, value in headers.items() if key.lower() == "retry-after"), "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except ValueError:
        return None
