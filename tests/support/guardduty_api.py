"""A stand-in for GuardDuty's API, which moto has no findings in: ListDetectors, ListFindings, GetFindings.

It holds to the documented contract: ids in the order of `updatedAt` from the one that is asked for, at most
`maxResults` (50) a page, pages by position, an empty `nextToken` at the end; findings in camelCase. What is
put in is as it is in exports.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from guardduty_lens.opensearch.dates import milliseconds

Findings = dict[str, dict[str, Any]]


class GuardDutyApi:
    """Detectors by region, each with findings by id; `trouble` are statuses to answer with first."""

    def __init__(self) -> None:
        self.detectors: dict[str, dict[str, Findings]] = {}
        self.trouble: list[int] = []
        self.asked: list[tuple[str, str]] = []
        """Each request's path, and the access key that signed it."""
        self.got: list[str] = []
        """The ids of findings that were got."""
        self.url = ""

    def put(self, region: str, detector: str, *findings: dict[str, Any]) -> None:
        """Put findings, in place of what was there by their ids."""
        place = self.detectors.setdefault(region, {}).setdefault(detector, {})
        place.update({finding["id"]: finding for finding in findings})

    def answer(self, region: str, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        detectors = self.detectors.get(region, {})
        if path.startswith("/detector?") or path == "/detector":
            return 200, {"detectorIds": list(detectors)}
        _, _, detector, *rest = path.split("/")
        findings = detectors.get(detector)
        if findings is None:
            return 400, {"__type": "InvalidInputException", "message": "The request is rejected."}
        if rest == ["findings", "get"]:
            assert 1 <= len(body["findingIds"]) <= 50
            self.got += body["findingIds"]
            return 200, {"findings": [findings[each] for each in body["findingIds"] if each in findings]}
        assert rest == ["findings"]
        return 200, self._listed(findings, body)

    def _listed(self, findings: Findings, body: dict[str, Any]) -> dict[str, Any]:
        assert body["sortCriteria"] == {"attributeName": "updatedAt", "orderBy": "ASC"}
        since = body["findingCriteria"]["criterion"]["updatedAt"]["greaterThanOrEqual"]
        times = {name: milliseconds(finding["updatedAt"]) or 0 for name, finding in findings.items()}
        wanted = sorted(
            (name for name in times if times[name] >= since), key=lambda name: (times[name], name)
        )
        at, size = int(body.get("nextToken") or 0), body.get("maxResults", 50)
        more = at + size < len(wanted)
        return {"findingIds": wanted[at : at + size], "nextToken": str(at + size) if more else ""}


@contextmanager
def guardduty_api() -> Iterator[GuardDutyApi]:
    """Start it on loopback."""
    api = GuardDutyApi()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer({})

        def do_POST(self) -> None:
            self._answer(json.loads(self.rfile.read(int(self.headers["content-length"]))))

        def _answer(self, body: dict[str, Any]) -> None:
            key, _, region, *_ = self.headers["authorization"].partition("Credential=")[2].split("/")
            api.asked.append((self.path, key))
            if api.trouble:
                status = api.trouble.pop(0)
                name = {429: "TooManyRequestsException", 403: "AccessDeniedException"}.get(status, "Internal")
                told: dict[str, Any] = {"__type": name, "message": f"{name}!"}
            else:
                status, told = api.answer(region, self.path, body)
            data = json.dumps(told).encode()
            self.send_response(status)  # with the header Date
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            if status >= 400:
                self.send_header("x-amzn-errortype", told["__type"])
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    api.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield api
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
