"""A stand-in for the saved-objects API of OpenSearch Dashboards, on loopback, as strict as the documented
one.

What it holds to was seen on Dashboards 2.19.4: changes need the header `osd-xsrf`; errors of single objects
come inside an answer of 200; a migration version that is newer than the server's is refused as a whole with
422; references have to be there, in the file or on the server.
"""

import base64
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

KNOWN = {"index-pattern": "7.6.0", "visualization": "7.10.0", "search": "7.9.3", "dashboard": "7.9.3"}
Object = dict[str, Any]


class DashboardsStandIn(ThreadingHTTPServer):
    """`objects` are those of each tenant; `unwilling` are ids that an import does not take."""

    daemon_threads = True

    def __init__(self, base: str, password: str | None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.base = base
        self.password = password
        self.objects: dict[str, dict[tuple[str, str], Object]] = {}
        self.unwilling: set[str] = set()
        self.requests: list[str] = []
        self.known = dict(KNOWN)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}{self.base}"


class _Handler(BaseHTTPRequestHandler):
    server: DashboardsStandIn

    def log_message(self, *_: object) -> None:
        pass

    def _answer(self, status: int, body: Any) -> None:
        raw = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json; charset=utf-8")
        self.send_header("content-length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def _refuse(self, status: int, error: str, message: str) -> None:
        self._answer(status, {"statusCode": status, "error": error, "message": message})

    def _handle(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        body = self.rfile.read(length)
        path, query = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
        self.server.requests.append(f"{self.command} {path}")
        if self.server.password is not None:
            wanted = base64.b64encode(f"admin:{self.server.password}".encode()).decode()
            if self.headers.get("authorization") != f"Basic {wanted}":
                return self._refuse(401, "Unauthorized", "Unauthorized")
        if not path.startswith(f"{self.server.base}/api/saved_objects/"):
            return self._refuse(404, "Not Found", "Not Found")
        if self.command != "GET" and "osd-xsrf" not in self.headers:
            return self._refuse(400, "Bad Request", "Request must contain a osd-xsrf header.")
        rest = path.removeprefix(f"{self.server.base}/api/saved_objects/")
        mine = self.server.objects.setdefault(self.headers.get("securitytenant", ""), {})
        if (self.command, rest) == ("GET", "_find"):
            return self._find(query, mine)
        if (self.command, rest) == ("POST", "_import"):
            return self._import(query, body, mine)
        if self.command == "DELETE" and rest.count("/") == 1:
            return self._delete(rest, mine)
        return self._refuse(404, "Not Found", "Not Found")

    do_GET = do_POST = do_DELETE = _handle  # noqa: N815 - the library's names

    def _find(self, query: dict[str, list[str]], mine: dict[tuple[str, str], Object]) -> None:
        page, size = int(query["page"][0]), int(query["per_page"][0])
        if size > 10_000:
            return self._refuse(400, "Bad Request", "per_page: the most is 10000")
        found = [each for (kind, _), each in sorted(mine.items()) if kind in query["type"]]
        shown = [
            each | {"attributes": {k: v for k, v in each["attributes"].items() if k in query["fields"]}}
            for each in found[(page - 1) * size : page * size]
        ]
        return self._answer(
            200, {"page": page, "per_page": size, "total": len(found), "saved_objects": shown}
        )

    def _delete(self, rest: str, mine: dict[tuple[str, str], Object]) -> None:
        kind, name = rest.split("/")
        if mine.pop((kind, name), None) is None:
            return self._refuse(404, "Not Found", f"Saved object [{kind}/{name}] not found")
        return self._answer(200, {})

    def _import(self, query: dict[str, list[str]], body: bytes, mine: dict[tuple[str, str], Object]) -> None:
        kind = self.headers["content-type"]
        if not kind.startswith("multipart/form-data"):
            return self._refuse(415, "Unsupported Media Type", "Unsupported Media Type")
        form = BytesParser().parsebytes(f"Content-Type: {kind}\r\n\r\n".encode() + body)
        [part] = form.get_payload()
        assert part.get_param("name", header="content-disposition") == "file"
        assert str(part.get_filename()).endswith(".ndjson")
        given = [json.loads(line) for line in part.get_payload(decode=True).splitlines() if line.strip()]
        for each in given:
            for of, version in each["migrationVersion"].items():
                if _parts(version) > _parts(self.server.known[of]):
                    words = (
                        f'Document "{each["id"]}" has property "{of}" which belongs to a more recent version '
                        f"of OpenSearch Dashboards [{version}]. "
                        f"The last known version is [{self.server.known[of]}]"
                    )
                    return self._refuse(422, "Unprocessable Entity", words)
        overwrite = query.get("overwrite") == ["true"]
        errors = list(self._errors(given, mine, overwrite=overwrite))
        refused = {(each["type"], each["id"]) for each in errors}
        for each in given:
            if (each["type"], each["id"]) not in refused:
                mine[each["type"], each["id"]] = each
        answer: Object = {"success": not errors, "successCount": len(given) - len(errors)}
        return self._answer(200, answer | ({"errors": errors} if errors else {}))

    def _errors(
        self, given: list[Object], mine: dict[tuple[str, str], Object], *, overwrite: bool
    ) -> Iterator[Object]:
        there = mine.keys() | {(each["type"], each["id"]) for each in given}
        for each in given:
            who = {"id": each["id"], "type": each["type"], "title": each["attributes"]["title"]}
            missing = [
                {"type": reference["type"], "id": reference["id"]}
                for reference in each["references"]
                if (reference["type"], reference["id"]) not in there
            ]
            if each["id"] in self.server.unwilling:
                yield who | {"error": {"type": "unsupported_type"}}
            elif missing:
                yield who | {"error": {"type": "missing_references", "references": missing, "blocking": []}}
            elif not overwrite and (each["type"], each["id"]) in mine:
                yield who | {"error": {"type": "conflict"}}


def _parts(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))


@contextmanager
def dashboards_stand_in(base: str = "", password: str | None = None) -> Iterator[DashboardsStandIn]:
    """Start it, and stop it."""
    server = DashboardsStandIn(base, password)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()
