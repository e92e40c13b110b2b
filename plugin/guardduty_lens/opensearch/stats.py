"""The counters of a run, in the cluster: a document at its end, and each minute before."""

import logging
import time
import uuid
from typing import Any

import msgspec

from guardduty_lens.counters import Counters
from guardduty_lens.opensearch.bulk import Bulk, CannotDeliver, Refusal
from guardduty_lens.opensearch.dates import iso
from guardduty_lens.opensearch.document import Document
from guardduty_lens.opensearch.names import Names
from guardduty_lens.opensearch.template_check import TemplateCheck
from guardduty_lens.version import __version__

SECONDS_BETWEEN = 60.0
_GIVE_UP_AFTER_SECONDS = 10.0

_log = logging.getLogger(__name__)


class Stats:
    """Sends what a run has counted so far; each document has the sums since the start of the run.

    A run that opens its output anew says so by `run_id`. That a document cannot be sent is said in a warning,
    and is no failure of the run: records come first.
    """

    def __init__(
        self,
        bulk: Bulk,
        names: Names,
        counters: Counters,
        run_id: str | None = None,
        templates: TemplateCheck | None = None,
    ) -> None:
        self._bulk = bulk
        self._names = names
        self._counters = counters
        self._run = run_id or uuid.uuid4().hex
        self._templates = templates
        self._due = time.monotonic() + SECONDS_BETWEEN

    def each_minute(self) -> None:
        """Send the counters if a minute has passed since they were sent."""
        if time.monotonic() >= self._due:
            self._send(final=False)

    def last(self) -> None:
        """Send the counters at the end of the run."""
        self._send(final=True)

    def _send(self, *, final: bool) -> None:
        now = time.time_ns() // 1_000_000
        document = self._document(now, final=final)
        failure = self._failure(document, now)
        if failure:
            _log.warning("guardduty-lens: counters were not sent to %s: %s", document.index, failure)
        self._due = time.monotonic() + SECONDS_BETWEEN

    def _failure(self, document: Document, now: int) -> str:
        """Send a document, and say why it was not taken, if it was not."""
        try:
            if self._templates is not None:
                self._templates.check(self._bulk, now, [document.index])
        except CannotDeliver as error:
            return str(error)
        delivery = self._bulk.deliver([document], give_up_after=_GIVE_UP_AFTER_SECONDS)
        [result] = delivery.results
        return result.message if isinstance(result, Refusal) else delivery.failure

    def _document(self, now: int, *, final: bool) -> Document:
        moment = iso(now)
        body = {"@timestamp": moment, "run_id": self._run, "final": final, "version": __version__}
        encoded = msgspec.json.encode(body | _without_dots(self._counters.summary()))
        return Document(self._names.stats_index(moment[:7]), f"{self._run}-{now}", encoded)


def _without_dots(counts: dict[str, Any]) -> dict[str, Any]:
    """Write names, a rule's for example, without dots: to a cluster they would be paths, which may clash."""
    return {
        key.replace(".", "_"): _without_dots(value) if isinstance(value, dict) else value
        for key, value in counts.items()
    }
