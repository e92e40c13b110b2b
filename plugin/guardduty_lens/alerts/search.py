"""What an alert asks of a cluster: indices, the body of a search, and when its answer means that it fires.

Times are told from `{{period_end}}`, which the Alerting plugin fills in with the end of a run's period, in
milliseconds. The condition is Painless made of numbers alone: no text of an alert file is in it.
"""

from typing import Any

import msgspec

from guardduty_lens.alerts.model import Alert
from guardduty_lens.opensearch.mappings import INGESTED_AT
from guardduty_lens.opensearch.names import Names
from guardduty_lens.visuals.dsl import Search
from guardduty_lens.visuals.fields import Fields
from guardduty_lens.visuals.model import AnyOf, Index
from guardduty_lens.visuals.precision import FEW_VALUES, NO_SPLIT

PERIOD_END = "{{period_end}}"

BUCKET_AGGREGATION = "by"
"""The name of the composite aggregation of an alert that has buckets."""

_MOST_BUCKETS = 1_000
_WEEK = 7 * 24 * 60

Body = dict[str, Any]

# What goes before every condition: a search that failed, or was answered in part, is no reason to fire.
# (The plugin counts a condition that throws as fired.)
_GUARD = """\
if (ctx.results == null || ctx.results.isEmpty()) { return false; }
def answer = ctx.results[0];
if (answer.timed_out == true || answer._shards.failed > 0) { return false; }
def figures = answer.aggregations;
"""


class Asked(msgspec.Struct, frozen=True):
    """A search: of which indices, by what body, and the condition on its answer.

    `condition` is the Painless source of a query-level trigger; of an alert with buckets it is the
    `bucket_selector` that keeps the buckets which fire.
    """

    indices: list[str]
    body: Body
    condition: str | Body


class AlertSearch:
    """Makes the searches of alerts, for the fields of a lens and the names of a cluster."""

    def __init__(self, fields: Fields, names: Names) -> None:
        self._fields = fields
        self._names = names
        self._search = Search(fields, now=PERIOD_END)

    def asked(self, alert: Alert) -> Asked:
        """Give an alert's search and condition."""
        indices = self._indices(alert)
        query = {"bool": {"filter": self._filters(alert)}}
        if alert.by:
            return Asked(indices, self._bucket_body(alert, query), self._selector(alert))
        body = {"size": 0, "track_total_hits": True, "query": query}
        if aggregations := self._aggregations(alert):
            body["aggregations"] = aggregations
        return Asked(indices, body, _GUARD + self._source(alert))

    def _indices(self, alert: Alert) -> list[str]:
        names = self._names
        log = f"{names.log}*"
        return {
            "log": [log],
            "state": [names.state_index],
            "cloudtrail": [f"{names.cloudtrail}-2*", log],
            "stats": [f"{names.stats}-2*"],
        }[alert.index]

    def _time(self, index: Index) -> str:
        return self._fields.name(index, "@timestamp" if index == "stats" else INGESTED_AT)

    def _within(self, alert: Alert, duration: str, *, before: str | None = None) -> Body:
        """Give the query of a time up to now, or up to some time before now."""
        end = f"{PERIOD_END}||-{before}" if before else PERIOD_END
        start = f"{end}-{duration}" if before else f"{end}||-{duration}"
        bounds = {"gt": start, "lte": end, "format": "epoch_millis"}
        name = INGESTED_AT if alert.index == "cloudtrail" else self._time(alert.index)
        return {"range": {name: bounds}}

    def _filters(self, alert: Alert) -> list[Body]:
        """Give what is asked of all records that are looked at."""
        longest = alert.window
        if alert.fires.silent is not None:
            longest = alert.fires.silent
        if alert.fires.rise is not None:
            longest = alert.fires.rise.within
        if alert.fires.usual is not None:
            longest = f"{alert.fires.usual.weeks * 7 + 1}d"
        filters = [] if longest is None or alert.kind == "first" else [self._within(alert, longest)]
        if alert.where is not None:
            filters.append(self._where(alert, alert.where))
        return filters

    def _where(self, alert: Alert, where: AnyOf) -> Body:
        query = self._search.query(alert.index, where)
        if alert.index != "cloudtrail":
            return query
        # The same call as EventBridge brings it, into the log.
        return {"bool": {"should": [query, _in_detail(query)], "minimum_should_match": 1}}

    def _findings(self, alert: Alert, *, exactly: bool) -> Body | None:
        """Give what counts distinct findings; None where documents are counted."""
        if alert.count == "updates" or alert.index != "log":
            return None
        name = self._fields.counted("log", "finding_id")
        threshold = NO_SPLIT if exactly else FEW_VALUES
        return {"cardinality": {"field": name, "precision_threshold": threshold}}

    def _aggregations(self, alert: Alert) -> Body:
        findings = self._findings(alert, exactly=True)
        below = {"aggregations": {"findings": findings}} if findings else {}
        fires = alert.fires
        if fires.share is not None:
            part = {"filter": self._where(alert, fires.share.of)} | below
            return ({"findings": findings} if findings else {}) | {"part": part}
        if fires.usual is not None and alert.window is not None:
            window = alert.window
            periods = {"now": self._within(alert, window)}
            for week in range(1, fires.usual.weeks + 1):
                periods[f"week{week}"] = self._within(alert, window, before=f"{week * _WEEK}m")
            return {name: {"filter": query} | below for name, query in periods.items()}
        return {"findings": findings} if findings else {}

    def _source(self, alert: Alert) -> str:
        counts_documents = self._findings(alert, exactly=True) is None
        fires = alert.fires
        if fires.share is not None:
            number = ".doc_count" if counts_documents else ".findings.value"
            whole = _total(counts_documents)
            return (
                f"double all = {whole};\n"
                f"if (all < {fires.share.least}) {{ return false; }}\n"
                f"return figures.part{number} / all > {_number(fires.share.above)};"
            )
        if fires.usual is not None:
            number = ".doc_count" if counts_documents else ".findings.value"
            lines = [
                "if (figures == null) { return false; }",
                f"double now = figures.now{number};",
                f"if (now <= {_number(fires.usual.above)}) {{ return false; }}",
                *(
                    f"if (now <= figures.week{week}{number}) {{ return false; }}"
                    for week in range(1, fires.usual.weeks + 1)
                ),
                "return true;",
            ]
            return "\n".join(lines)
        bound = f"> {_number(fires.above)}" if fires.above is not None else f"< {_number(fires.below or 0)}"
        return f"return {_total(counts_documents)} {bound};"

    def _bucket_body(self, alert: Alert, query: Body) -> Body:
        sources = [
            {field: {"terms": {"field": self._fields.counted(alert.index, field)}}} for field in alert.by
        ]
        composite: Body = {"composite": {"size": _MOST_BUCKETS, "sources": sources}}
        if figures := self._figures(alert):
            composite["aggregations"] = figures
        return {"size": 0, "query": query, "aggregations": {BUCKET_AGGREGATION: composite}}

    def _figures(self, alert: Alert) -> Body:
        """Give the aggregations that the condition of each bucket reads."""
        fires, window = alert.fires, alert.window or "1m"
        if fires.first is not None:
            name = self._fields.counted(alert.index, fires.first)
            start = {"lte": f"{PERIOD_END}||-{window}", "format": "epoch_millis"}
            return {"earlier": {"filter": {"range": {name: start}}}}
        if fires.silent is not None:
            return {"recent": {"filter": self._within(alert, window)}}
        if fires.growth is not None:
            name = self._fields.counted(alert.index, fires.growth.field)
            return {"least": {"min": {"field": name}}, "most": {"max": {"field": name}}}
        if fires.rise is not None:
            most = {"most": {"max": {"field": self._fields.counted(alert.index, fires.rise.field)}}}
            recent = self._within(alert, window)
            return {
                "recent": {"filter": recent, "aggregations": most},
                "earlier": {"filter": {"bool": {"must_not": [recent]}}, "aggregations": most},
            }
        findings = self._findings(alert, exactly=False)
        return {"findings": findings} if findings else {}

    def _selector(self, alert: Alert) -> Body:
        fires = alert.fires
        paths, source = {"count": "findings" if self._figures(alert) else "_count"}, ""
        if fires.first is not None:
            paths, source = {"earlier": "earlier._count"}, "params.earlier == 0"
        elif fires.silent is not None:
            paths, source = {"recent": "recent._count"}, "params.recent == 0"
        elif fires.growth is not None:
            paths = {"least": "least", "most": "most"}
            source = f"params.most - params.least > {_number(fires.growth.above)}"
        elif fires.rise is not None:
            paths = {"recent": "recent>most", "earlier": "earlier>most"}
            source = "params.recent > params.earlier"
        elif fires.above is not None:
            source = f"params.count > {_number(fires.above)}"
        return {
            "buckets_path": paths,
            "script": {"source": source, "lang": "painless"},
            # A run that had no counters before had rejected nothing before.
            "gap_policy": "insert_zeros" if fires.rise is not None else "skip",
        }


def _in_detail(query: Any) -> Any:
    """Give a query with `detail.` before the name of every field."""
    if isinstance(query, list):
        return [_in_detail(each) for each in query]
    if not isinstance(query, dict):
        return query
    if "terms" in query:
        return {"terms": {f"detail.{name}": values for name, values in query["terms"].items()}}
    if "exists" in query:
        return {"exists": {"field": f"detail.{query['exists']['field']}"}}
    return {key: _in_detail(value) for key, value in query.items()}


def _total(counts_documents: bool) -> str:
    return "answer.hits.total.value" if counts_documents else "(figures == null ? 0 : figures.findings.value)"


def _number(value: float) -> str:
    """Write a number as Painless reads it; a model's field holds nothing else.

    >>> _number(10), _number(0.1)
    ('10', '0.1')
    """
    return repr(int(value)) if value == int(value) else repr(float(value))
