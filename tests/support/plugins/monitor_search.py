"""Searching monitors: what `_search` of the Alerting plugin takes, and which monitors it finds."""

import json
import re
from collections.abc import Callable
from typing import Any

from plugins.refusals import RefusalError, UnrecordedError, refusal
from plugins.requests import Request
from plugins.tokens import CutOffError, decoded, tokens, value_of

_WINDOW = 10_000
_LONGEST_KEYWORD = 256
_KEYWORD = "monitor.name.keyword"
_KNOWN = {"size", "from", "sort", "query", "seq_no_primary_term", "version", "_source"}
_UNRECORDED = {"aggs", "aggregations", "track_total_hits", "fields", "search_after", "post_filter", "timeout"}
_QUERIES = {
    "bool",
    "exists",
    "ids",
    "match",
    "nested",
    "query_string",
    "regexp",
    "terms",
    "wildcard",
    "range",
}

Matches = Callable[[str], bool]


def search_of(request: Request) -> dict[str, Any]:
    """Read the body of a search, or what stands for it. Raises RefusalError, UnrecordedError."""
    query = request.query
    if "source" in query and "source_content_type" not in query:
        said = "source and source_content_type parameters are required"
        raise refusal("illegal_state_exception", said, 500)
    text = request.text or query.get("source", "")
    if not text:
        raise refusal("parse_exception", "request body or source parameter is required")
    if query.get("index", ".opendistro-alerting-config") != ".opendistro-alerting-config":
        if query["index"].startswith(".opendistro-alerting"):
            raise UnrecordedError("a search of alerts: schedules do not run here")
        raise refusal("illegal_argument_exception", "Invalid index name.")
    try:
        search = decoded(text)
    except CutOffError as error:
        kind = "unexpected_end_of_input_exception"
        refused = refusal(kind, str(error))
        refused.body["error"]["caused_by"] = {"type": kind, "reason": str(error)}
        raise refused from error
    if not isinstance(search, dict):
        at = next(tokens(text))
        said = f"Expected [START_OBJECT] but found [{at.kind}]"
        raise refusal("parsing_exception", said, line=at.line, col=at.column)
    _check_members(search, text)
    return search


def _check_members(search: dict[str, Any], text: str) -> None:
    for name in search.keys() - _KNOWN:
        at = value_of(text, name)
        if name in _UNRECORDED or at.kind != "VALUE_NUMBER":
            raise UnrecordedError(f"a search of monitors with {name}")
        said = f"Unknown key for a {at.kind} in [{name}]."
        raise refusal("parsing_exception", said, line=at.line, col=at.column)
    if "query" in search:
        kind = next(iter(search["query"]))
        if kind not in _MATCHERS and kind not in _QUERIES:
            at = value_of(text, kind, depth=2)
            raise _unknown_query(kind, at.line, at.column)


def _unknown_query(kind: str, line: int, column: int) -> RefusalError:
    refused = refusal("parsing_exception", f"unknown query [{kind}]", line=line, col=column)
    said = {"type": "named_object_not_found_exception", "reason": f"[{line}:{column}] unknown field [{kind}]"}
    refused.body["error"]["caused_by"] = said
    return refused


def found(search: dict[str, Any], names: list[str]) -> tuple[int, list[int]]:
    """Give how many names fit, and the places of those on the page. Raises RefusalError, UnrecordedError."""
    start, size = search.get("from", 0), search.get("size", 10)
    if start + size > _WINDOW:
        said = "Failed to search indices [.opendistro-alerting-config]"
        raise refusal("alerting_exception", said, 500, java="org.opensearch.OpenSearchStatusException")
    matches = _matcher(search.get("query", {"match_all": {}}))
    fitting = [place for place, name in enumerate(names) if matches(name)]
    if "sort" in search:
        if search["sort"] != [{_KEYWORD: "asc"}]:
            raise UnrecordedError(f"monitors sorted by {search['sort']}")
        fitting.sort(key=names.__getitem__)
    return len(fitting), fitting[start : start + size]


def _matcher(query: dict[str, Any]) -> Matches:
    [(kind, given)] = query.items()
    if kind not in _MATCHERS:
        raise UnrecordedError(f"monitors searched by {json.dumps(query)}")
    if not given:
        return _MATCHERS[kind]("", "")
    [(field, value)] = given.items()
    if not isinstance(value, str):
        raise UnrecordedError(f"monitors searched by {json.dumps(query)}")
    return _MATCHERS[kind](field, value)


def _term(field: str, value: str) -> Matches:
    if field == _KEYWORD:
        return lambda name: name == value and len(name) <= _LONGEST_KEYWORD
    if field == "monitor.name":
        return lambda name: value in _words(name)
    if field.startswith("monitor.ui_metadata."):  # not indexed
        return lambda name: False
    raise UnrecordedError(f"monitors searched by a term of {field}")


def _prefix(field: str, value: str) -> Matches:
    if field != _KEYWORD:
        raise UnrecordedError(f"monitors searched by a prefix of {field}")
    return lambda name: name.startswith(value) and len(name) <= _LONGEST_KEYWORD


def _phrase(field: str, value: str) -> Matches:
    if field != "monitor.name":
        raise UnrecordedError(f"monitors searched by a phrase in {field}")
    wanted = _words(value)

    def matches(name: str) -> bool:
        words = _words(name)
        return any(words[at : at + len(wanted)] == wanted for at in range(len(words)))

    return matches


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


_MATCHERS: dict[str, Callable[[str, str], Matches]] = {
    "match_all": lambda field, value: lambda name: True,
    "term": _term,
    "prefix": _prefix,
    "match_phrase": _phrase,
}
