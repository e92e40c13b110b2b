"""`serve` for ten minutes at half its peak: is its memory flat? Not in CI.

    python benchmarks/soak.py [--minutes MINUTES]

First a few seconds at full speed say what the peak is. Then chunks of 500 findings are sent at half that
rate, gzipped, acknowledged, and the server's resident memory is noted every ten seconds. Fails if it is more
than a tenth larger in the last quarter than in the second.
"""

import argparse
import itertools
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from serve import COMMAND, CONFIG, messages

from guardduty_lens.samples import generate_payloads

PEAK_SECONDS = 10.0


def resident_mib(process: int) -> float:
    """Give the resident memory of a process."""
    text = Path(f"/proc/{process}/status").read_text()
    line = next(line for line in text.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def send(connection: socket.socket, given: Iterator[bytes], until: float, pause: float) -> int:
    """Send chunks until a time, one every `pause` seconds where that is slower; give how many were sent."""
    sent = 0
    start = time.monotonic()
    while time.monotonic() < until:
        connection.sendall(next(given))
        assert connection.recv(1000).startswith(b"\x81\xa3ack")
        sent += 1
        time.sleep(max(0.0, start + sent * pause - time.monotonic()))
    return sent


def main() -> None:
    """Run, print what was noted, and fail where memory grew."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    options = parser.parse_args()
    given = list(messages(list(generate_payloads(20_000, 1, "eventbridge")), "maps", compress=True))
    with tempfile.TemporaryDirectory() as name:
        config = Path(name) / "lens.yml"
        config.write_text(CONFIG.format("forward").replace("out.jsonl", "/dev/null"))
        process = subprocess.Popen(
            [*COMMAND, "serve", "--config", str(config)], stderr=subprocess.PIPE, text=True
        )
        assert process.stderr is not None
        port = int(process.stderr.readline().split()[-1])
        noted: list[float] = []
        with socket.create_connection(("127.0.0.1", port)) as connection:
            again = itertools.cycle(given)
            peak = send(connection, again, time.monotonic() + PEAK_SECONDS, 0.0) / PEAK_SECONDS
            print(f"peak: {500 * peak:,.0f} findings a second", flush=True)
            end = time.monotonic() + 60 * options.minutes
            while time.monotonic() < end:
                send(connection, again, min(end, time.monotonic() + 10), 2 / peak)
                noted.append(resident_mib(process.pid))
                print(f"{noted[-1]:.1f} MiB", flush=True)
        process.send_signal(signal.SIGTERM)
        process.communicate()
    quarter = max(len(noted) // 4, 1)
    early, late = max(noted[quarter : 2 * quarter] or noted), max(noted[-quarter:])
    print(f"second quarter at most {early:.1f} MiB, last {late:.1f}")
    sys.exit(late > 1.1 * early)


if __name__ == "__main__":
    main()
