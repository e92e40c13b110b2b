"""A URL at which no OpenSearch answers: what was asked, what answered, and what to check."""

import socket
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import faulty_cluster as stand_in
import pytest
from click.testing import CliRunner
from faulty_cluster import Answer, faulty_cluster
from finding_events import EVENT, compact

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
        "guardduty-lens: the tag was not confirmed: this is no OpenSearch: "
        f"GET /_index_template was answered 404 {DASHBOARDS.decode()}. {CHECK}"
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


# --- sending there -------------------------------------------------------------------------------------


def send(url, *more):
    """Send an event to a URL; give the exit code and what was told."""
    line = ["filter", "--to", "opensearch", "--url", url, "-q", *more]
    result = CliRunner().invoke(main, line, input=compact(EVENT), prog_name="guardduty-lens")
    return result.exit_code, result.output


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((501, HTML, b"<html>Unsupported method</html>"), "501 <html>Unsupported method</html>"),
        ((404, HTML, b"not found"), "404 not found"),
        ((405, HTML, b""), "405"),
        ((200, HTML, b"<html>welcome</html>"), "200 <html>welcome</html>"),
        ((200, JSON, b"{}"), "200 {}"),
        ((302, HTML, b""), "302"),
        ((400, JSON, b'{"error":"no handler found for uri"}'), '400 {"error":"no handler found for uri"}'),
    ],
    ids=["501", "404", "405", "200", "nothing", "302", "400"],
)
def test_nothing_is_sent_to_what_is_no_cluster(answer, words):
    with answering(*answer) as place:
        code, told = send(f"http://{place}")
    assert code == 2
    assert told.splitlines()[-1] == (
        f"Error: http://{place}: this is no OpenSearch: POST /_bulk was answered {words}. {CHECK}"
    )


@pytest.mark.parametrize(
    ("status", "body"),
    [(400, b'{"error":"no handler found for uri [/x/_index_template]"}'), (404, b"not found")],
)
def test_nothing_is_sent_where_nothing_answers_for_templates(monkeypatch, status, body):
    monkeypatch.setattr(stand_in._Handler, "do_GET", lambda self: self._answer(Answer(status, body)))
    with faulty_cluster() as cluster:
        code, told = send(f"{cluster.url}/x")
    assert code == 2
    asked = f"GET /_index_template was answered {status} {body.decode()}"
    assert told.splitlines()[-1] == f"Error: {cluster.url}/x: this is no OpenSearch: {asked}. {CHECK}"
    assert cluster.requests == []


def test_sending_by_https_to_http_is_refused_at_once():
    with answering(200, JSON, b"{}") as place:
        code, told = send(f"https://{place}")
    assert code == 3
    assert told.startswith("guardduty-lens: could not deliver: ")
    assert told.endswith("; what listens there does not speak TLS: check whether --url is http://\n")


def test_a_host_that_there_is_not_is_refused_at_once(monkeypatch):
    def unknown(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    code, told = send("http://nosuch.invalid:9200")
    assert code == 3
    assert told.endswith("Name or service not known); check the host of --url\n")
    assert "tried again" not in told


def test_a_cluster_that_is_down_is_tried_again_and_says_what_to_check(caplog):
    with answering(200, JSON, b"{}") as place:
        pass
    code, told = send(f"http://{place}", "--give-up-after", "1")
    assert code == 3
    [line] = [each for each in caplog.messages if "tried again" in each]
    advice = "; check --url, and that the cluster runs"
    assert line.endswith(f"Connection refused{advice}")
    assert told.startswith("guardduty-lens: could not deliver: it was tried for 1 seconds; at last: ")
    assert told.endswith(f"Connection refused{advice}\n")
