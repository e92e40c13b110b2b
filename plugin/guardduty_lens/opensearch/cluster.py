"""Requests to a cluster, and its refusals in its own words."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

if TYPE_CHECKING:
    from opensearchpy import OpenSearch

_LONGEST_WORDS = 500
_LONGEST_ANSWER = 100
_MOST_CAUSES = 4

Form = TypeVar("Form")


class ClusterError(Exception):
    """A request that a cluster refused or did not answer; `status` is None where there was no answer."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class Cluster:
    """A cluster as the installer talks to it."""

    def __init__(self, client: "OpenSearch") -> None:
        self._client = client
        self.requests = 0
        """Requests sent so far."""

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """Give the decoded answer to a request.

        Raises ClusterError with the server's words where it refuses, or cannot be reached.
        """
        from opensearchpy.exceptions import OpenSearchException

        self.requests += 1
        try:
            return self._client.transport.perform_request(
                method, path, params=dict(params or {}), body=body, headers=dict(headers) if headers else None
            )
        except OpenSearchException as error:
            raise ClusterError(words_of(error), _status(error)) from error
        except AttributeError as error:  # opensearch-py takes the JSON of every refusal for an object
            raise ClusterError(f"a refusal that is no object: {_short(repr(error.obj))}") from error

    def found(self, path: str, form: type[Form], params: Mapping[str, Any] | None = None) -> Form | None:
        """Give the answer to a GET in a form, None where there is nothing of that name.

        Raises ClusterError that says what was asked.
        """
        return self.asked("GET", path, form, params=params)

    def asked(
        self,
        method: str,
        path: str,
        form: type[Form],
        body: Any = None,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Form | None:
        """Give the answer to a question as `found` does."""
        try:
            return understood(self.request(method, path, body, params, headers), form)
        except ClusterError as error:
            if error.status == 404:
                return None
            raise ClusterError(f"{error} ({method} {path})", error.status) from error


def understood(answer: Any, form: type[Form]) -> Form:
    """Give an answer in a form. Raises ClusterError for one that has another."""
    try:
        return msgspec.convert(answer, form)
    except msgspec.ValidationError as error:
        raise ClusterError(f"200 with what is no answer to that: {_short(str(answer))}", 200) from error


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_ANSWER else f"{text[:_LONGEST_ANSWER]}…"


def words_of(error: Exception) -> str:
    """Give what a server said, its type and its reason with what caused it, without the request."""
    status, info = _status(error), getattr(error, "info", None)
    if isinstance(info, Exception):  # there was no answer, and this is why
        return str(info)[:_LONGEST_WORDS]
    said = _said(info) if isinstance(info, Mapping) else None
    text = "; ".join(_causes(said)) if isinstance(said, Mapping) else str(said or info or error)
    return (f"{status} {text}" if status else text)[:_LONGEST_WORDS]


def _said(info: Mapping[str, Any]) -> Any:
    """Give the error of an answer, or the first of what failed in a request that went half-way."""
    failures = info.get("failures")
    if isinstance(info.get("error"), str) and "message" in info:  # Dashboards says it so
        return f"{info['error']}: {info['message']}"
    return info.get("error") or (
        failures[0].get("cause") if isinstance(failures, list) and failures else None
    )


def _causes(said: Any) -> Iterator[str]:
    for _ in range(_MOST_CAUSES):
        if not isinstance(said, Mapping):
            return
        yield f"{said.get('type')}: {said.get('reason')}"
        said = said.get("caused_by")


def _status(error: Exception) -> int | None:
    status = getattr(error, "status_code", None)
    return status if isinstance(status, int) else None
