"""A --dashboards-url at which there is no Dashboards: what to check, and what was done in the cluster."""

import http.server
import json
import threading
from contextlib import contextmanager

import pytest
from click.testing import CliRunner
from dashboards_server import dashboards_stand_in

from guardduty_lens.cli.main import main

CHECK = "check --dashboards-url, and that Dashboards runs"
NOTHING = (
    "; nothing was changed. Without Dashboards leave --dashboards-url out: "
    "--dashboards-file, or `report`, serve then\n"
)


@contextmanager
def answering(answer):
    """A server; `answer` gives status, content type and body for a method and a path."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.rfile.read(int(self.headers["content-length"] or 0))
            status, kind, body = answer(self.command, self.path)
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_PUT(self):
            self.do_GET()

        def do_POST(self):
            self.do_GET()

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.fixture
def cluster():
    """A cluster that holds nothing, and what was asked of it by other than GET."""
    nodes = {"nodes": {"a": {"version": "3.8.0", "ingest": {"processors": [{"type": "script"}]}}}}
    changed = []

    def answer(method, path):
        if method == "PUT":
            changed.append(path)
        if path.startswith("/_nodes/ingest"):
            return 200, "application/json", json.dumps(nodes).encode()
        if path.endswith("/_search"):
            return 200, "application/json", b'{"hits":{"hits":[]}}'
        return (404 if method == "GET" else 200), "application/json", b"{}"

    with answering(answer) as url:
        yield url, changed


def install(url, dashboards):
    line = ["install", "--yes", "--url", url, "--dashboards-url", dashboards]
    result = CliRunner().invoke(main, line, prog_name="guardduty-lens")
    return result.exit_code, result.stderr


def test_nobody_there(cluster):
    with dashboards_stand_in() as gone:
        pass
    code, told = install(cluster[0], gone.url)
    assert code == 3
    assert told.startswith("guardduty-lens: dashboards: ")
    assert told.endswith(f"Connection refused; {CHECK}{NOTHING}")
    assert "caused by" not in told
    assert cluster[1] == []


@pytest.mark.parametrize("status", [200, 404])
def test_a_plain_web_server_is_told_in_a_line(cluster, status):
    page = b"<!DOCTYPE html>\n<html>\n" + b"<p>Welcome</p>\n" * 100
    with answering(lambda *_: (status, "text/html", page)) as other:
        code, told = install(cluster[0], other)
    assert code == 3
    assert told.count("\n") == 1
    assert told.startswith(
        "guardduty-lens: dashboards: this is no OpenSearch Dashboards: "
        "GET /api/saved_objects/_find was answered "
    )
    assert told.endswith(f"{CHECK}{NOTHING}")
    assert len(told) < 500
    assert cluster[1] == []
