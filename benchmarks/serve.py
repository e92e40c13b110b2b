"""Findings per CPU second through `serve`, against `filter` on the same findings.

    python benchmarks/serve.py [-n FINDINGS] [--runs RUNS]

A client sends chunks of 500 findings and waits for each answer: by the forward protocol, each finding the
map that a shipper makes of EventBridge's JSON, or that JSON as text under `log`; by HTTP as lines of JSON.
What is measured is the server's CPU time alone, from its start to its drained end. Runs alternate with
`filter`, file to file; medians of the ratios. At the end, what reading `/metrics` costs.
"""

import argparse
import gzip
import http.client
import json
import os
import resource
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import msgpack

from guardduty_lens.samples import generate_payloads

COMMAND = [str(Path(sys.executable).with_name("guardduty-lens"))]
CHUNK = 500
CONFIG = """
inputs: [{{type: {}, listen: "127.0.0.1:0"}}]
outputs: [{{type: file, path: out.jsonl}}]
"""
WAYS: dict[str, Callable[[bytes], object]] = {
    "maps": json.loads,
    "text": lambda line: {"log": line.decode()},
}


def messages(lines: list[bytes], way: str, *, compress: bool) -> Iterable[bytes]:
    """Give the messages to send; those of `maps` and `text` hold the same findings."""
    for start in range(0, len(lines), CHUNK):
        entries = b"".join(
            msgpack.packb([msgpack.ExtType(0, b"\x69\x00\x00\x00\x00\x00\x00\x00"), WAYS[way](line)])
            for line in lines[start : start + CHUNK]
        )
        option = {"chunk": f"chunk-{start}", "size": CHUNK} | ({"compressed": "gzip"} if compress else {})
        payload = gzip.compress(entries, 1) if compress else entries
        yield msgpack.packb(["aws.guardduty", payload, option])


def bodies(lines: list[bytes]) -> Iterable[bytes]:
    """Give the bodies to post."""
    for start in range(0, len(lines), CHUNK):
        yield b"\n".join(lines[start : start + CHUNK]) + b"\n"


def send_forward(port: int, given: list[bytes]) -> None:
    """Send all messages, each after the answer to the one before."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        for message in given:
            connection.sendall(message)
            assert connection.recv(1000).startswith(b"\x81\xa3ack")


def send_http(port: int, given: list[bytes]) -> None:
    """Post all bodies, one after the other."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    for body in given:
        connection.request("POST", "/", body, {"Content-Type": "application/x-ndjson"})
        answer = connection.getresponse()
        assert answer.status == 200, answer.read()
        answer.read()
    connection.close()


def served(folder: Path, given: list[bytes], kind: str, send: Callable[[int, list[bytes]], None]) -> float:
    """Give the CPU seconds of a server that takes all messages."""
    (folder / "lens.yml").write_text(CONFIG.format(kind))
    (folder / "out.jsonl").unlink(missing_ok=True)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    process = subprocess.Popen(
        [*COMMAND, "serve", "--config", str(folder / "lens.yml")], stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    send(int(process.stderr.readline().split()[-1]), given)
    process.send_signal(signal.SIGTERM)
    process.communicate()
    return _cpu(before)


def metrics_cost(folder: Path) -> float:
    """Give the CPU seconds that reading `/metrics` takes, from a thousand times."""
    (folder / "lens.yml").write_text(CONFIG.format("http"))

    def read(port: int, _: list[bytes]) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        for _ in range(1_000):
            connection.request("GET", "/metrics")
            assert connection.getresponse().read().startswith(b"# TYPE")
        connection.close()

    return (served(folder, [], "http", read) - served(folder, [], "http", lambda *_: None)) / 1_000


def filtered(source: Path, target: Path) -> float:
    """Give the CPU seconds of `filter`, file to file."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([*COMMAND, "filter", "-q", str(source), "-o", str(target)], check=True)
    return _cpu(before)


def _cpu(before: resource.struct_rusage) -> float:
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Measure, and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=30_000)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    lines = list(generate_payloads(options.n, 1, "eventbridge"))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "in.jsonl").write_bytes(b"\n".join(lines) + b"\n")
        cases = [
            (f"forward, {way}, {'gzip' if compress else 'not compressed'}", "forward", send_forward,
             list(messages(lines, way, compress=compress)))
            for way in WAYS
            for compress in (True, False)
        ]  # fmt: skip
        cases.append(("http, json_lines", "http", send_http, list(bodies(lines))))
        for name, kind, send, given in cases:
            ratios = []
            for _ in range(options.runs):
                reference = filtered(folder / "in.jsonl", folder / "reference.jsonl")
                ratios.append(reference / served(folder, given, kind, send))
                time.sleep(0.1)
            size = (folder / "out.jsonl").read_bytes().count(b"\n")
            assert size == options.n, f"{size} records"
            print(f"{name}: {statistics.median(ratios):.2f} of filter ({min(ratios):.2f}-{max(ratios):.2f})")
        print(f"reading /metrics: {1000 * metrics_cost(folder):.2f} ms of CPU")


if __name__ == "__main__":
    os.environ.setdefault("PYTHONHASHSEED", "0")
    main()
