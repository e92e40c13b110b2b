"""Requests to OpenSearch Dashboards: what its saved-objects API says of single objects is an error here."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from guardduty_lens.opensearch.cluster import Cluster, ClusterError
from guardduty_lens.visuals.saved_objects import ndjson
from guardduty_lens.visuals.saved_objects.objects import SavedObject
from guardduty_lens.visuals.saved_objects.stamp import ATTRIBUTE

TYPES = ("index-pattern", "visualization", "search", "dashboard")
PAGE = 1000
"""Objects asked for at once; the server gives at most 10,000."""

_BOUNDARY = "guardduty-lens-import"
_MOST_TOLD = 5
_LONGEST_WORDS = 100
_CHECK = "check --dashboards-url, and that Dashboards runs"


class DashboardsServer:
    """OpenSearch Dashboards at a URL. `tenant` is that of the security plugin; None: the user's own default.

    Every method raises ClusterError, with the server's words.
    """

    def __init__(self, cluster: Cluster, tenant: str | None = None) -> None:
        self._cluster = cluster
        # Without the first header the server takes no change (a guard against forged requests).
        self._headers = {"osd-xsrf": "true"} | ({"securitytenant": tenant} if tenant is not None else {})

    @property
    def requests(self) -> int:
        """Requests sent so far."""
        return self._cluster.requests

    def found(self) -> dict[tuple[str, str], Mapping[str, Any]]:
        """Give the attributes that say whose an object is, of every object there, by type and id."""
        return {(each["type"], each["id"]): each["attributes"] for each in self._pages()}

    def put(self, objects: Sequence[SavedObject]) -> None:
        """Import objects, in place of those of the same ids.

        Raises ClusterError that names each object which the server did not take; the others are there.
        """
        answer = self._request(
            "POST",
            "/api/saved_objects/_import?overwrite=true",
            body=_multipart(ndjson(objects)),
            headers={"content-type": f"multipart/form-data; boundary={_BOUNDARY}"},
        )
        if not isinstance(answer, Mapping) or "success" not in answer:
            raise ClusterError(f"this does not answer as OpenSearch Dashboards does; {_CHECK}")
        if not answer["success"]:
            raise ClusterError("; ".join(_told(answer.get("errors") or [])))

    def remove(self, kind: str, name: str) -> None:
        """Delete an object; one that is gone already is no error."""
        try:
            self._request("DELETE", f"/api/saved_objects/{quote(kind, safe='')}/{quote(name, safe='')}")
        except ClusterError as error:
            if error.status != 404:
                raise

    def _pages(self) -> Iterator[Mapping[str, Any]]:
        types = "&".join(f"type={kind}" for kind in TYPES)
        wanted = f"{types}&fields=description&fields={ATTRIBUTE}&per_page={PAGE}&sort_field=type"
        number, seen = 1, 0
        while True:
            answer = self._request("GET", f"/api/saved_objects/_find?{wanted}&page={number}")
            if not isinstance(answer, Mapping) or "saved_objects" not in answer:
                raise ClusterError(f"this does not answer as OpenSearch Dashboards does; {_CHECK}")
            yield from answer["saved_objects"]
            seen += len(answer["saved_objects"])
            if not answer["saved_objects"] or seen >= answer["total"]:
                return
            number += 1

    def _request(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> Any:
        try:
            return self._cluster.request(
                method, path, body=body, headers={**self._headers, **(headers or {})}
            )
        except ClusterError as error:
            raise _explained(error, f"{method} {path.partition('?')[0]}") from error


def _explained(error: ClusterError, asked: str) -> ClusterError:
    """Say what to check where nobody answers, or another server does; else give what the server said."""
    words = " ".join(str(error).split())
    if "<html" in words.lower() or words.startswith("Unknown mimetype"):
        short = words if len(words) <= _LONGEST_WORDS else f"{words[:_LONGEST_WORDS]}…"
        return ClusterError(f"this is no OpenSearch Dashboards: {asked} was answered {short}; {_CHECK}")
    return ClusterError(f"{words}; {_CHECK}", None) if error.status is None else error


def _multipart(text: str) -> bytes:
    """Give a form with one file."""
    head = (
        f"--{_BOUNDARY}\r\n"
        'Content-Disposition: form-data; name="file"; filename="guardduty-lens.ndjson"\r\n'
        "Content-Type: application/ndjson\r\n\r\n"
    )
    return (head + text + f"\r\n--{_BOUNDARY}--\r\n").encode()


def _told(errors: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Say of each object why it was not taken, of the first ones by name."""
    for each in errors[:_MOST_TOLD]:
        error = each.get("error") or {}
        missing = ", ".join(
            f"{reference.get('type')} {reference.get('id')}" for reference in error.get("references", ())
        )
        words = " ".join(
            str(part)
            for part in (error.get("type"), error.get("reason") or error.get("message"), missing)
            if part
        )
        yield f"{each.get('type')} {each.get('id')}: {words}"
    if len(errors) > _MOST_TOLD:
        yield f"and {len(errors) - _MOST_TOLD} more"
    if not errors:
        yield "the import failed, and nothing says why"
