"""The Spark job against `replay --to parquet`, both on this machine, over exports of 200,000 findings.

Both are whole processes, Spark's start included, alternating; wall time, the median of the ratios. It wants
the extra spark, and Java.
"""

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))
from exports import exports

COMMAND = str(Path(sys.executable).with_name("guardduty-lens"))
FINDINGS, RUNS = 200_000, 3


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--findings", type=int, default=FINDINGS)
    parser.add_argument("--runs", type=int, default=RUNS)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        archive, lake = Path(folder) / "archive", Path(folder) / "lake"
        for key, body in exports(asked.findings, findings_each=1000).items():
            path = archive / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(body)
        replay = [COMMAND, "replay", str(archive), "--to", "parquet", "-o", str(lake), "-q"]
        spark = [sys.executable, "-m", "guardduty_lens.aws.spark", str(archive), "-o", str(lake)]
        ratios = []
        for _ in range(asked.runs):
            alone, shared = seconds(replay, lake), seconds(spark, lake)
            ratios.append(alone / shared)
            print(f"replay {alone:.1f} s, Spark {shared:.1f} s", flush=True)
    print(f"Spark against replay: {statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})")


def seconds(command: list[str], lake: Path) -> float:
    """Run a command into an empty lake; give its wall time."""
    shutil.rmtree(lake, ignore_errors=True)
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
