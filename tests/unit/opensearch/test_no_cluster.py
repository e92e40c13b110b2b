"""A URL at which no OpenSearch answers: what was asked, what answered, and what to check."""

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from click.testing import CliRunner

from guardduty_lens.cli.main import main

JSON, HTML = "application/json", "text/html"
CHECK = (
    "Check host, port and path of --url: a cluster is mostly on port 9200 (a managed domain on 443), "
    "Dashboards on 5601"
)
DASHBOARDS = b'{"statusCode":404,"error":"Not Found","message":"Not Found"}'


@contextmanager
def answering(status, kind, body):
    """A server that answers everything alike."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self):
            self.rfile.read(int(self.headers["content-length"]))
            self.do_GET()

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def run(*line):
    result = CliRunner().invoke(main, line, prog_name="guardduty-lens")
    return result.exit_code, result.output.splitlines()[-1]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((200, JSON, b'{"hello":1}'), "200 {'hello': 1}"),
        ((200, JSON, b"{}"), "200 {}"),
        ((200, JSON, b"[]"), "200 []"),
        ((200, JSON, b'{"nodes":{"a":{"version":"new"}}}'), "200 {'nodes': {'a': {'version': 'new'}}}"),
        ((200, HTML, b"<html>welcome</html>"), "Unknown mimetype, unable to deserialize: text/html"),
        ((404, JSON, DASHBOARDS), "404 Not Found: Not Found"),
        ((302, HTML, b""), "302 TransportError(302, '')"),
    ],
    ids=["json", "nothing", "list", "odd version", "html", "dashboards", "redirect"],
)
def test_what_is_no_cluster_is_told_so(answer, words):
    with answering(*answer) as place:
        assert run("plan", "--url", f"http://{place}") == (
            2,
            f"Error: http://{place}: this is no OpenSearch: GET /_nodes/ingest was answered {words}. {CHECK}",
        )


@pytest.mark.parametrize(
    "line",
    [
        ("install", "--yes"),
        ("status",),
        ("uninstall", "--yes"),
        ("prune", "--days", "30", "--yes"),
        ("report", "--from-opensearch"),
    ],
    ids=lambda line: line[0],
)
def test_every_command_says_it(line, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with answering(404, JSON, DASHBOARDS) as place:
        code, last = run(*line, "--url", f"http://{place}")
    assert code == 2
    assert f"http://{place}: this is no OpenSearch: GET /_nodes/ingest was answered 404" in last


def test_a_tag_says_it_too():
    with answering(404, JSON, DASHBOARDS) as place:
        code, last = run("tag", "release", "--url", f"http://{place}")
    assert code == 3
    assert last == (
        "guardduty-lens: the tag was not confirmed: the cluster answered 404: "
        f"{DASHBOARDS.decode()}: check that --url is that of an OpenSearch"
    )


def test_an_old_elasticsearch_is_named():
    body = b'{"nodes":{"a":{"version":"7.17.28","build_flavor":"default"}}}'
    with answering(200, JSON, body) as place:
        assert run("plan", "--url", f"http://{place}") == (
            2,
            f"Error: http://{place}: this is elasticsearch 7.17.28; 8.0 is the oldest that will do",
        )


@pytest.mark.parametrize("status", [401, 403])
def test_who_is_not_let_in_is_told_what_to_check(status):
    with answering(status, JSON, b'{"error":"who are you"}') as place:
        code, last = run("plan", "--url", f"http://{place}")
    assert code == 3
    assert last == (
        f"guardduty-lens: {status} who are you; asked GET /_nodes/ingest: "
        "check --user and --password-file (or the token), and its role"
    )


def test_nobody_there_and_another_protocol():
    with answering(200, JSON, b"{}") as place:
        code, last = run("plan", "--url", f"https://{place}")
        assert code == 3
        assert last.endswith("; what listens there does not speak TLS: check whether --url is http://")
    code, last = run("plan", "--url", f"http://{place}")
    assert code == 3
    assert last.endswith("Connection refused; check --url, and that the cluster runs")
