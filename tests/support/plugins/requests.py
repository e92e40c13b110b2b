"""A request to a plugin, and what is alike in the answers of all of them."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from plugins.refusals import RefusalError, UnrecordedError, refusal
from plugins.tokens import decoded

COMMON = {"filter_path", "pretty", "human", "error_trace"}
"""Parameters that every route has."""


@dataclass(frozen=True)
class Request:
    """A request as it arrived; the names of headers are in small letters."""

    method: str
    uri: str
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def path(self) -> str:
        return urlsplit(self.uri).path

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.uri).query, keep_blank_values=True))

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        """The body. Raises CutOffError."""
        return decoded(self.text)


Handler = Callable[[Request, str], tuple[int, Any]]
"""Answers a request; the text is what the path names, decoded, or empty."""


@dataclass(frozen=True)
class Route:
    """A path under the plugin's, `*` for a name in it; its parameters; a handler for each method."""

    path: str
    handlers: Mapping[str, Handler]
    parameters: frozenset[str] = frozenset()

    def name_in(self, path: str) -> str | None:
        pattern = re.escape(self.path).replace(r"\*", "([^/]+)")
        match = re.fullmatch(pattern, path)
        return None if match is None else unquote("".join(match.groups()))


def routed(request: Request, root: str, routes: list[Route], unmodelled: set[str]) -> tuple[int, Any]:
    """Answer by the first route that fits; `unmodelled` are real ones that the stand-in does not have."""
    below = request.path.removeprefix(root)
    for route in routes:
        if (name := route.name_in(below)) is None:
            continue
        try:
            status, answer = _handled(request, route, name)
        except RefusalError as error:
            status, answer = error.status, error.body
        if request.method == "HEAD":
            return status, None
        wanted = request.query.get("filter_path")
        return status, filtered(answer, wanted.split(",")) if wanted else answer
    if below.strip("/").split("/")[0] in unmodelled:
        raise UnrecordedError(f"{request.method} {request.uri}")
    return no_handler(request)


def no_handler(request: Request) -> tuple[int, Any]:
    return 400, {"error": f"no handler found for uri [{request.uri}] and method [{request.method}]"}


def _handled(request: Request, route: Route, name: str) -> tuple[int, Any]:
    handler = route.handlers.get(request.method)
    if handler is None:
        allowed = f"allowed: [{', '.join(sorted(route.handlers))}]"
        said = f"Incorrect HTTP method for uri [{request.uri}] and method [{request.method}], {allowed}"
        return 405, {"error": said, "status": 405}
    kind = request.headers.get("content-type", "")
    if request.body and not kind.startswith("application/json"):
        if kind != "text/plain":
            raise UnrecordedError(f"a body of content-type {kind!r}")
        return 406, {"error": f"Content-Type header [{kind}] is not supported", "status": 406}
    if unknown := request.query.keys() - route.parameters - COMMON:
        said = f"request [{request.path}] contains unrecognized parameter: [{', '.join(sorted(unknown))}]"
        meant = get_close_matches(min(unknown), route.parameters, n=1)
        hint = f" -> did you mean [{meant[0]}]?" if meant else ""
        raise refusal("illegal_argument_exception", said + hint)
    return handler(request, name)


def filtered(answer: Any, paths: list[str]) -> Any:
    """Give what `filter_path` leaves: members at those paths, and nothing that is empty by that."""
    return _filtered(answer, [path.split(".") for path in paths]) or {}


def _filtered(value: Any, paths: list[list[str]]) -> Any:
    if any(not path for path in paths):
        return value
    if isinstance(value, list):
        return [kept for each in value if (kept := _filtered(each, paths)) is not None] or None
    if not isinstance(value, dict):
        return None
    kept = {}
    for key, each in value.items():
        further = [path[1:] for path in paths if path and fnmatchcase(key, path[0])]
        there = _filtered(each, further) if further else None
        if there is not None or (each is None and [] in further):
            kept[key] = there
    return kept or None
