"""Records of a run into a cluster, and the counters of the run after them."""

import contextlib
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self

import msgspec

from guardduty_lens.lens import Lens
from guardduty_lens.opensearch.bulk import Bulk, CannotDeliver, NotACluster
from guardduty_lens.opensearch.client import Connection, ConnectionOptionsError, connect
from guardduty_lens.opensearch.documents import Documents
from guardduty_lens.opensearch.names import Names
from guardduty_lens.opensearch.stats import Stats
from guardduty_lens.opensearch.template_check import TemplateCheck
from guardduty_lens.outputs.dead_letters import DeadLetters
from guardduty_lens.outputs.opensearch import OpenSearchOutput, Undelivered
from guardduty_lens.outputs.sinks import CannotOpenError, DeliveryError
from guardduty_lens.payloads.pieces import Rejected
from guardduty_lens.record import Record
from guardduty_lens.retries import Retries

Refuse = Callable[[Record, Rejected], None]


class Cluster(msgspec.Struct, frozen=True, kw_only=True):
    """A cluster to send records to, and which documents are made of them."""

    connection: Connection
    names: Names
    state: bool
    flat: bool
    give_up_after: float
    without_templates: bool = False

    def template_check(self, send_anyway: str = "--without-templates") -> TemplateCheck | None:
        """Give what looks whether our templates are there; None where the user wants no look."""
        if self.without_templates:
            return None
        return TemplateCheck(
            self.names, self.connection.urls, state=self.state, flat=self.flat, send_anyway=send_anyway
        )


class ClusterSink:
    """A cluster; what it refuses goes to the dead letters, unless `refuse` takes it.

    `lose` is told of what is not confirmed; otherwise the lens is. Whoever opens it again and again gives the
    one `templates` of the process.

    Raises DeliveryError; at the start also CannotOpenError.
    """

    at_once = None
    is_terminal = False

    def __init__(
        self,
        cluster: Cluster,
        lens: Lens,
        dead_letters: DeadLetters,
        *,
        refuse: Refuse | None = None,
        lose: Callable[[Record], None] | None = None,
        run_id: str | None = None,
        templates: TemplateCheck | None = None,
        retries: Retries | None = None,
    ) -> None:
        self._cluster = cluster
        self._lens = lens
        self._dead_letters = dead_letters
        self._refused = refuse or self._refuse
        self._lost = lose or lens.lose
        self._run_id = run_id
        self._templates = templates or cluster.template_check()
        self._retries = retries or Retries()

    def write(self, record: Record, source: str) -> None:
        """Take a record, and the name of the input that it is from."""
        with _undelivered():
            self._output.write(record, source)

    def hand_on(self, *, more: bool) -> None:
        """Send what is there, unless there is more at hand: a few large requests are faster than many."""
        if not more:
            with _undelivered():
                self._output.submit()
        self._stats.each_minute()

    def flush(self) -> None:
        """Return once everything taken is confirmed."""
        with _undelivered():
            self._output.flush()

    def _refuse(self, record: Record, rejected: Rejected) -> None:
        self._lens.refuse(record, rejected.reason)
        self._dead_letters.write(rejected)

    def __enter__(self) -> Self:
        cluster, lens = self._cluster, self._lens
        try:
            client = connect(cluster.connection)
        except ConnectionOptionsError as error:
            raise CannotOpenError(str(error)) from error
        bulk = Bulk(client, give_up_after=cluster.give_up_after, retries=self._retries)
        documents = Documents(
            cluster.names, field_prefix=lens.plan.field_prefix, state=cluster.state, flat=cluster.flat
        )
        self._stats = Stats(bulk, cluster.names, lens.counters, self._run_id, self._templates)
        try:
            with _undelivered():
                self._output = OpenSearchOutput(
                    bulk,
                    documents,
                    lens.counters.delivered,
                    refuse=self._refused,
                    lose=self._lost,
                    templates=self._templates,
                    threads=cluster.connection.connections,
                )
        except NotACluster as error:
            raise CannotOpenError(f"{', '.join(cluster.connection.urls)}: {error}") from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        is_broken_off = error is not None and not isinstance(error, Exception)  # by a signal
        at_once = is_broken_off and (self._output.is_busy or self._retries.are_over())
        try:
            if not at_once and not isinstance(error, DeliveryError):
                self._stats.last()
        except BaseException:
            at_once = True
            raise
        finally:
            self._output.close(wait=not at_once)


@contextlib.contextmanager
def _undelivered() -> Iterator[None]:
    """Make a cluster's failure one of an output. Raises DeliveryError."""
    try:
        yield
    except NotACluster:
        raise
    except (Undelivered, CannotDeliver) as error:
        raise DeliveryError(str(error)) from error
