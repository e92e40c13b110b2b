"""A search as OpenSearch writes it anew: with defaults that nobody wrote."""

from collections.abc import Callable
from typing import Any

from plugins.refusals import UnrecordedError

_ALL_HITS = 2_147_483_647
_QUERIES = {
    *("constant_score", "dis_max", "fuzzy", "ids", "match", "match_phrase", "match_phrase_prefix"),
    *("multi_match", "nested", "prefix", "query_string", "regexp", "script", "simple_query_string"),
    "wildcard",
}
"""Kinds that are there, of which nobody has recorded how they are written anew."""
_MEMBERS = {
    *("_source", "collapse", "docvalue_fields", "explain", "fields", "from", "highlight", "min_score"),
    *("post_filter", "profile", "script_fields", "sort", "stored_fields", "suggest", "terminate_after"),
    *("timeout", "track_scores", "version"),
}


class UnknownQueryError(Exception):
    """A kind of query, or a member of a search, that OpenSearch does not have; with its words."""


def written_anew(search: dict[str, Any]) -> dict[str, Any]:
    """Write a search as a monitor gives it back. Raises UnknownQueryError, UnrecordedError."""
    if unknown := search.keys() - {"size", "query", "track_total_hits", "aggs", "aggregations"}:
        name = min(unknown)
        if name in _MEMBERS or not isinstance(search[name], int):
            raise UnrecordedError(f"a monitor's search with {name}")
        raise UnknownQueryError(f"Unknown key for a VALUE_NUMBER in [{name}].")
    anew: dict[str, Any] = {name: search[name] for name in ("size",) if name in search}
    if "query" in search:
        anew["query"] = _query(search["query"])
    if "track_total_hits" in search:
        hits = search["track_total_hits"]
        anew["track_total_hits"] = {True: _ALL_HITS, False: -1}[hits] if isinstance(hits, bool) else hits
    if aggregations := search.get("aggregations", search.get("aggs")):
        anew["aggregations"] = _aggregations(aggregations)
    return anew


def _query(query: dict[str, Any]) -> dict[str, Any]:
    [(kind, given)] = query.items()
    if kind in _WRITERS:
        return {kind: _WRITERS[kind](given)}
    if kind in _QUERIES:
        raise UnrecordedError(f"a monitor's query of the kind {kind}")
    raise UnknownQueryError(f"unknown query [{kind}]")


def _bool(given: dict[str, Any]) -> dict[str, Any]:
    anew: dict[str, Any] = {}
    for clause in ("must", "filter", "must_not", "should"):
        inner = given.get(clause, [])
        if inner:
            anew[clause] = [_query(each) for each in (inner if isinstance(inner, list) else [inner])]
    if "minimum_should_match" in given:
        anew["minimum_should_match"] = str(given["minimum_should_match"])
    return anew | {"adjust_pure_negative": True, "boost": float(given.get("boost", 1))}


def _range(given: dict[str, Any]) -> dict[str, Any]:
    [(field, limits)] = given.items()
    if limits.keys() - {*_RANGE, "boost"}:
        raise UnrecordedError(f"a range of {sorted(limits)}")
    anew = {
        "from": limits.get("gt", limits.get("gte", limits.get("from"))),
        "to": limits.get("lt", limits.get("lte", limits.get("to"))),
        "include_lower": limits.get("include_lower", "gt" not in limits),
        "include_upper": limits.get("include_upper", "lt" not in limits),
    }
    kept = {name: limits[name] for name in ("format",) if name in limits}
    return {field: anew | kept | {"boost": float(limits.get("boost", 1))}}


_RANGE = ("gt", "gte", "lt", "lte", "from", "to", "include_lower", "include_upper", "format")


def _boosted(given: dict[str, Any]) -> dict[str, Any]:
    return given | {"boost": float(given.get("boost", 1))}


def _term(given: dict[str, Any]) -> dict[str, Any]:
    [(field, value)] = given.items()
    if isinstance(value, dict):
        raise UnrecordedError(f"a term of {value}")
    return {field: {"value": value, "boost": 1.0}}


# Recorded: bool, range and terms. exists and term follow the same rule: what they hold, and a boost.
_WRITERS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "bool": _bool,
    "range": _range,
    "terms": _boosted,
    "match_all": _boosted,
    "exists": _boosted,
    "term": _term,
}

_TERMS = {
    "size": 10,
    "min_doc_count": 1,
    "shard_min_doc_count": 0,
    "show_term_doc_count_error": False,
    "order": [{"_count": "desc"}, {"_key": "asc"}],
}


def _aggregations(given: dict[str, Any]) -> dict[str, Any]:
    return {name: _aggregation(each) for name, each in given.items()}


def _aggregation(given: dict[str, Any]) -> dict[str, Any]:
    anew = {}
    for kind, inner in given.items():
        if kind in ("aggs", "aggregations"):
            anew["aggregations"] = _aggregations(inner)
        elif kind == "filter":
            anew[kind] = _query(inner)
        elif kind == "composite":
            anew[kind] = inner | {"sources": [_source(each) for each in inner["sources"]]}
        elif kind == "terms" and not inner.keys() - {"field", "size"}:
            anew[kind] = _TERMS | inner
        elif kind in ("cardinality", "min", "max") and not inner.keys() - {"field", "precision_threshold"}:
            anew[kind] = inner
        else:
            raise UnrecordedError(f"a monitor's aggregation {kind} of {inner}")
    return anew


def _source(given: dict[str, Any]) -> dict[str, Any]:
    [(name, kinds)] = given.items()
    if kinds.keys() != {"terms"}:
        raise UnrecordedError(f"a source of a composite aggregation: {kinds}")
    return {name: {"terms": {"missing_bucket": False, "order": "asc"} | kinds["terms"]}}
