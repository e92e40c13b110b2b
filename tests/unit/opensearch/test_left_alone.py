"""What cannot be read of a cluster is left alone, with a line, and no command ends by it; literal answers."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from click.testing import CliRunner

from guardduty_lens.cli.main import main

PROCESSORS = ("script", "set", "remove", "rename", "json", "foreach", "fail", "drop", "date", "append")
NODE = {"version": "3.8.0", "ingest": {"processors": [{"type": each} for each in PROCESSORS]}}
MONITORS = "/_plugins/_alerting/monitors/_search"
POLICY = "/_plugins/_ism/policies/guardduty-lens-log"
MAP = "/guardduty-countries-map/_mapping"
DENIED = {"error": {"type": "security_exception", "reason": "denied"}, "status": 403}
ORDINARY = {
    "/_nodes/ingest": (200, {"nodes": {"a": NODE}}),
    "/_plugins/_ism/policies": (200, {"policies": []}),
    MONITORS: (200, {"hits": {"hits": []}}),
}
THEIRS = {"index_patterns": ["*-findings"], "priority": 900}
COMMANDS = (("plan",), ("install", "--yes"), ("status",), ("uninstall", "--yes"))


@contextmanager
def cluster(answers):
    """A cluster in which there is nothing, and which takes everything; `answers` are others by path."""
    answers = ORDINARY | answers

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.rfile.read(int(self.headers.get("content-length", 0)))
            nothing = (404, {}) if self.command == "GET" else (200, {"acknowledged": True, "errors": False})
            status, answer = answers.get(self.path.partition("?")[0], nothing)
            body = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815 - http.server's names

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def run(url, *line):
    result = CliRunner().invoke(main, [line[0], "--url", url, *line[1:]], prog_name="guardduty-lens")
    return result.exit_code, result.output.splitlines()


HIT = {"_id": "m", "_source": {"name": "GuardDuty: x"}}


@pytest.mark.parametrize(
    ("path", "answer", "label", "words"),
    [
        (POLICY, (403, DENIED), "retention policies", f"403 security_exception: denied (GET {POLICY})"),
        (POLICY, (200, {"policy": {}}), "retention policies", f"{{'policy': {{}}}} (GET {POLICY})"),
        (MONITORS, (200, [1]), "alerts", f"200 with what is no answer to that: [1] (POST {MONITORS})"),
        (MONITORS, (200, {}), "alerts", f"{{}} (POST {MONITORS})"),
        (MONITORS, (200, {"hits": {"hits": [HIT]}}), "alerts", f"(POST {MONITORS})"),
        (MONITORS, (502, "Bad Gateway"), "alerts", "a refusal that is no object: 'Bad Gateway'"),
        (MAP, (200, {"mine": {}}), "country shapes", "guardduty-countries-map is an alias of mine"),
        (MAP, (403, DENIED), "country shapes", f"403 security_exception: denied (GET {MAP})"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_costs_its_kind_and_one_line(path, answer, label, words):
    with cluster({path: answer}) as url:
        for command in COMMANDS:
            code, lines = run(url, *command)
            skipped = [line for line in lines if "left alone" in line]
            assert (code, len(skipped)) == (0, 1), lines
            assert skipped[0].startswith(f"skipped: {label}: left alone, since the cluster answered: ")
            assert skipped[0].endswith(words)
            last = {
                "status": "not clean",
                "uninstall": f"nothing of ours was found, but these could not be looked at: {label}",
            }
            assert lines[-1] == last.get(command[0], lines[-1])
        assert run(url, "status", "--check")[0] == 3


def test_a_cluster_that_can_be_read_is_told_without_such_a_line():
    with cluster({}) as url:
        for command in COMMANDS:
            code, lines = run(url, *command)
            assert (code, [line for line in lines if "left alone" in line]) == (0, []), lines
        assert lines == ["nothing of ours is there"]


@pytest.mark.parametrize("command", COMMANDS)
def test_what_every_cluster_has_must_be_readable(command):
    path = "/_component_template/guardduty-lens*"
    with cluster({path: (200, [1])}) as url:
        code, [line] = run(url, *command)
    assert code == 3
    assert line == f"guardduty-lens: 200 with what is no answer to that: [1] (GET {path})"


def test_a_refusal_that_is_no_object_is_told():
    with cluster({"/_nodes/ingest": (502, "Bad Gateway")}) as url:
        code, [line] = run(url, "plan")
    assert code == 3
    assert line.startswith("guardduty-lens: a refusal that is no object: 'Bad Gateway'")


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (
            (200, {"index_templates": [{"name": "all", "index_template": THEIRS}]}),
            "index template all (priority 900), which is not ours, wins over ours (500) for "
            "guardduty-findings: lower its priority below 500, or delete it "
            "(docs/opensearch.md, Sending before install)",
        ),
        (
            (403, DENIED),
            "index templates of others: not looked at, since the cluster answered: "
            "403 security_exception: denied (GET /_index_template)",
        ),
    ],
)  # fmt: skip
def test_a_template_that_wins_over_ours_is_told(answer, line):
    with cluster({"/_index_template": answer}) as url:
        for command in COMMANDS[:3]:
            code, lines = run(url, *command)
            assert (code, lines.count(line)) == (0, 1), lines
        assert lines[-1] == "not clean"
