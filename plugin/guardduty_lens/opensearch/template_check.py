"""Whether indices will get our mappings when a document makes them: asked before the first one is sent.

Without our templates a cluster guesses types from whatever comes first, refuses much of what comes after,
and an index that was guessed stays so.
"""

import logging
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import Any

import msgspec

from guardduty_lens.opensearch.bulk import Bulk, CannotDeliver, NotACluster
from guardduty_lens.opensearch.dates import iso
from guardduty_lens.opensearch.names import Names
from guardduty_lens.opensearch.nodes import no_cluster
from guardduty_lens.opensearch.ownership import stamp_of

WAY_OUT = "docs/opensearch.md, Sending before install"

TEMPLATES_PATH = "/_index_template"
TEMPLATES_FILTER = ",".join(
    (
        "index_templates.name",
        *(f"index_templates.index_template.{key}" for key in ("index_patterns", "priority", "_meta")),
    )
)
_SECONDS = 60.0
"""How long a cluster that does not answer is asked."""

_log = logging.getLogger(__name__)


class TemplatesMissing(CannotDeliver):
    """Indices that would be made by no template of ours: nothing may be sent to them."""


class IndexTemplate(msgspec.Struct, frozen=True):
    """An index template, as far as it says which indices it is for."""

    index_patterns: list[str] = []
    priority: int = 0
    meta: dict[str, Any] | None = msgspec.field(default=None, name="_meta")

    @property
    def is_ours(self) -> bool:
        """Whether it says that it is ours."""
        return stamp_of({"_meta": self.meta}) is not None


class NamedTemplate(msgspec.Struct, frozen=True):
    """An index template and its name."""

    name: str
    index_template: IndexTemplate = IndexTemplate()


class ClustersTemplates(msgspec.Struct):
    """A cluster's answer to who asks for its index templates."""

    index_templates: list[NamedTemplate] = []


class Overruling(msgspec.Struct, frozen=True):
    """An index template of another's that wins over ours, by its priority, for some indices."""

    template: str
    priority: int
    ours: int
    indices: tuple[str, ...]

    def words(self) -> str:
        """Say so, and what to do."""
        return (
            f"index template {self.template} (priority {self.priority}), which is not ours, wins over ours "
            f"({self.ours}) for {', '.join(self.indices)}: lower its priority below {self.ours}, or delete it"
        )


def overruling(indices: Iterable[str], templates: Sequence[NamedTemplate]) -> list[Overruling]:
    """Give the templates that win over one of ours for any of these indices."""
    ours = [each for each in templates if each.index_template.is_ours]
    found: dict[str, Overruling] = {}
    for index in indices:
        mine, winner = template_for(index, ours), template_for(index, templates)
        if mine is None or winner is None or winner.index_template.is_ours:
            continue
        before = found.get(winner.name)
        found[winner.name] = Overruling(
            winner.name,
            winner.index_template.priority,
            min(mine.index_template.priority, before.ours if before else mine.index_template.priority),
            (*(before.indices if before else ()), index),
        )
    return list(found.values())


def template_for(index: str, templates: Iterable[NamedTemplate]) -> NamedTemplate | None:
    """Give the one template that a cluster makes an index by: the highest priority of those that match.

    >>> low, high = IndexTemplate(["a*"], 1), IndexTemplate(["ab-*", "x"], 2)
    >>> named = [NamedTemplate("low", low), NamedTemplate("high", high)]
    >>> [found.name if (found := template_for(index, named)) else None for index in ("ab-1", "ax", "b")]
    ['high', 'low', None]
    """
    matching = [each for each in templates if _matches(index, each.index_template.index_patterns)]
    return max(matching, key=lambda each: each.index_template.priority, default=None)


def _matches(index: str, patterns: Iterable[str]) -> bool:
    # A cluster's patterns know `*` alone, and no name of an index has another sign of fnmatch's.
    return any(fnmatchcase(index, pattern) for pattern in patterns)


class TemplateCheck:
    """Looks at the cluster's index templates with the first documents, and again when a month begins.

    One is for a whole process, however often its output is opened anew; what was missing is asked for again
    each time. `urls` and `send_anyway` are for the message: where to install, and how this caller is told
    to send all the same.
    """

    def __init__(
        self,
        names: Names,
        urls: Sequence[str],
        *,
        state: bool = True,
        flat: bool = False,
        send_anyway: str = "--without-templates",
    ) -> None:
        self._names = names
        self._url = urls[0]
        self._state = state
        self._flat = flat
        self._send_anyway = send_anyway
        self._month = ""
        self._templates: list[NamedTemplate] | None = None
        self._passed: set[str] = set()
        self._has_warned = False

    def check(self, bulk: Bulk, now: int, indices: Iterable[str] = ()) -> None:
        """Return if indices, and those of this month that every run writes, get our mappings.

        `now` is in milliseconds since 1970. Raises TemplatesMissing; CannotDeliver where there is no answer.
        """
        month = iso(now)[:7]
        wanted = set(indices)
        if month != self._month:
            self._templates = self._look(bulk)
            self._passed.clear()
            wanted.update(self._every_run(month))
        if self._templates is not None:
            lacking = sorted(index for index in wanted - self._passed if not self._is_ours(index))
            if lacking:
                self._month = ""  # so that the cluster is asked again, once they are there
                raise TemplatesMissing(self._words(lacking))
        self._month = month
        self._passed |= wanted

    def _every_run(self, month: str) -> list[str]:
        names = self._names
        log = names.log if self._flat else names.log_index(month)
        state = [names.state_index] if self._state and not self._flat else []
        return [log, *state, names.stats_index(month)]

    def _is_ours(self, index: str) -> bool:
        found = template_for(index, self._templates or ())
        if found is None or not found.index_template.is_ours:
            return False
        # Both of ours match the one index of the seed's form, and only one has its mappings.
        return not (self._flat and index == self._names.log) or found.name == self._names.template("flat")

    def _look(self, bulk: Bulk) -> list[NamedTemplate] | None:
        """Give the cluster's index templates; None, and once a warning, where it does not show them."""
        status, text = bulk.ask(TEMPLATES_PATH, {"filter_path": TEMPLATES_FILTER}, _SECONDS)
        try:
            if status == 200:
                return msgspec.json.decode(text, type=ClustersTemplates).index_templates
        except (msgspec.DecodeError, UnicodeEncodeError):
            pass
        if status in (400, 404) and not _is_of_a_cluster(text):  # such as a wrong path in the URL
            raise NotACluster(no_cluster(f"GET {TEMPLATES_PATH}", f"{status} {text}"))
        if not self._has_warned:
            self._has_warned = True
            _log.warning("guardduty-lens: %s", _unseen(status))
        return None

    def _words(self, lacking: Sequence[str]) -> str:
        overruled = self._overruled(lacking)
        of_others = {index for each in overruled for index in each.indices}
        missing = [index for index in lacking if index not in of_others]
        told = [self._missing(missing)] if missing else []
        told += [each.words() for each in overruled]
        return f"{'; '.join(told)}, or send all the same with {self._send_anyway} ({WAY_OUT})"

    def _overruled(self, lacking: Sequence[str]) -> list[Overruling]:
        """Give what wins over ours; where the seed's form is sent, its own template has to be there first."""
        templates = self._templates or ()
        flat = {self._names.log} if self._flat else set()
        if any(each.name == self._names.template("flat") for each in templates):
            flat.clear()
        return overruling([index for index in lacking if index not in flat], templates)

    def _missing(self, lacking: Sequence[str]) -> str:
        options = f" --index-prefix {self._names.prefix}" if self._names.prefix else ""
        options += " --flat" if self._flat else ""
        others = {found.name for index in lacking if (found := self._foreign(index))}
        theirs = f" (what matches is not ours: {', '.join(sorted(others))})" if others else ""
        return (
            f"no index template of ours is there for {', '.join(lacking)}{theirs}, "
            "and the cluster would guess types: "
            f"run `guardduty-lens install --url {self._url}{options}` first"
        )

    def _foreign(self, index: str) -> NamedTemplate | None:
        found = template_for(index, self._templates or ())
        return found if found is not None and not found.index_template.is_ours else None


def _is_of_a_cluster(text: str) -> bool:
    """Tell whether an answer refuses a request as a cluster does that has understood it."""
    try:
        answer = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError):
        return False
    return isinstance(answer, dict) and isinstance(answer.get("error"), dict)


def _unseen(status: int) -> str:
    why = {
        401: "it does not accept who we are",
        403: "the right `indices:admin/index_template/get` is missing; writer.json has it",
        200: "its answer cannot be read",
    }
    said = f"{status}: {why[status]}" if status in why else str(status)
    asked = f"GET {TEMPLATES_PATH} {said}"
    return f"whether our index templates are there cannot be seen ({asked}); records are sent"
