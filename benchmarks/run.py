"""Measures `filter` as ratios against references in the same run, and writes results.md.

Every measure is a whole process, file to file, in CPU seconds (user and system) unless it says otherwise;
its runs alternate with those of its reference, and the median of the ratios counts: these machines are noisy.
"""

import argparse
import importlib.metadata
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
COMMAND = [str(Path(sys.executable).with_name("guardduty-lens"))]
RUNS = 3


class Cost(NamedTuple):
    """What a process cost: CPU and wall seconds, and peak memory in MiB."""

    cpu: float
    wall: float
    memory: float


class Measure(NamedTuple):
    """One line of the table: its ratio, what is required and aimed at, and whether more is better."""

    name: str
    ratio: float
    least: float
    aim: float
    more_is_better: bool
    note: str

    @property
    def reached(self) -> str:
        """Say how the ratio stands."""
        better = (
            (lambda one, other: one >= other) if self.more_is_better else (lambda one, other: one <= other)
        )
        return "aim" if better(self.ratio, self.aim) else "yes" if better(self.ratio, self.least) else "no"


def cost_of(arguments: list[str], stdin: bytes = b"") -> Cost:
    """Run a command to its end and measure it, children included."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    process = subprocess.Popen(
        arguments, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    assert process.stdin is not None
    process.stdin.write(stdin)
    process.stdin.close()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode != 0:
        raise RuntimeError(f"{arguments} ended with {process.returncode}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(cpu, wall, usage.ru_maxrss / 1024)


class Bench:
    """The inputs, in a folder of their own, and the measures."""

    def __init__(self, folder: Path, count: int, large: int) -> None:
        self.folder, self.count, self.large = folder, count, large
        self.measures: list[Measure] = []
        self.figures: list[str] = []

    def sample(self, shape: str, count: int, seed: int = 1) -> Path:
        """Give a file of generated findings."""
        path = self.folder / f"{shape}-{count}-{seed}.jsonl"
        if not path.exists():
            arguments = ["sample", "-n", str(count), "--seed", str(seed), "--shape", shape, "-o", str(path)]
            subprocess.run([*COMMAND, *arguments], check=True)
        return path

    def never_again(self, source: Path) -> Path:
        """Give the findings of a file, each with a resource of its own: remembering it is of no use."""
        path = source.with_suffix(".never.jsonl")
        if not path.exists():
            with source.open("rb") as given, path.open("wb") as file:
                for number, line in enumerate(given):
                    own = b'"resource":{"number":%d,' % number
                    file.write(line.replace(b'"resource":{', own, 1))
        return path

    def filter(self, source: Path, *options: str) -> list[str]:
        """Give the command that filters a file."""
        return [*COMMAND, "filter", str(source), "-o", str(self.folder / "out.jsonl"), "-q", *options]

    def script(self, name: str, source: Path) -> list[str]:
        """Give the command of a script here, over a file."""
        return [sys.executable, str(HERE / name), str(source), str(self.folder / "reference.jsonl")]

    def ratio(
        self,
        name: str,
        ours: list[str],
        reference: list[str],
        least: float,
        aim: float,
        figure: Callable[[Cost], float] = lambda cost: cost.cpu,
        more_is_better: bool = True,
        runs: int = RUNS,
    ) -> None:
        """Measure ours against a reference: reference / ours where more is better, else ours / reference."""
        ratios, shown = [], []
        for _ in range(runs):
            other, mine = figure(cost_of(reference)), figure(cost_of(ours))
            ratios.append(other / mine if more_is_better else mine / other)
            shown.append(f"{mine:.2f} / {other:.2f}")
        measure = Measure(name, statistics.median(ratios), least, aim, more_is_better, "; ".join(shown))
        self.measures.append(measure)
        print(f"{name}: {measure.ratio:.2f} (at least {least}, aim {aim}: {measure.reached}) {measure.note}")


def measure_all(bench: Bench) -> None:
    """Take every measure of the table."""
    events, mixed = bench.sample("eventbridge", bench.count), bench.sample("mixed", bench.count)
    orjson = "reference_orjson.py"
    bench.ratio(
        "records per CPU second, against orjson loads + dumps, `eventbridge`",
        bench.filter(events), bench.script(orjson, events), 0.75, 1.0,
    )  # fmt: skip
    never = bench.never_again(events)
    bench.ratio(
        "the same, `eventbridge`, no resource twice",
        bench.filter(never), bench.script(orjson, never), 0.5, 0.75,
    )  # fmt: skip
    bench.ratio("the same, `mixed`", bench.filter(mixed), bench.script(orjson, mixed), 0.6, 0.9)
    bench.ratio(
        "spliced against exact path", bench.filter(events), bench.script("exact_path.py", events), 1.6, 2.0
    )
    bench.ratio(
        "against a stdlib `json` script (type and label only)",
        bench.filter(events), bench.script("reference_json.py", events), 4, 6,
    )  # fmt: skip
    large = bench.sample("eventbridge", bench.large)
    bench.ratio(
        f"`--workers 2` on {bench.large:,}, wall time",
        bench.filter(large, "--workers", "2"), bench.filter(large), 1.4, 1.8, lambda cost: cost.wall,
    )  # fmt: skip
    small = bench.sample("eventbridge", 10_000)
    bench.ratio(
        f"peak memory, {bench.large:,} against 10,000",
        bench.filter(large), bench.filter(small), 1.2, 1.05, lambda cost: cost.memory, False, 1,
    )  # fmt: skip
    report = bench.sample("eventbridge", 100_000)
    page = str(bench.folder / "report.html")
    bench.ratio(
        "`report` on 100,000 against `filter`, wall time",
        [*COMMAND, "report", str(report), "-o", page], bench.filter(report), 3, 2, lambda cost: cost.wall,
        False,
    )  # fmt: skip
    empty = bench.folder / "empty.jsonl"
    empty.touch()
    imports = [sys.executable, "-c", "import msgspec, click"]
    bench.ratio(
        "start-up on empty input, against `import msgspec, click`",
        bench.filter(empty), imports, 5, 3, lambda cost: cost.cpu, False, 7,
    )  # fmt: skip


def results(bench: Bench) -> str:
    """Give the page of results."""
    versions = ", ".join(
        f"{name} {importlib.metadata.version(name)}" for name in ("msgspec", "orjson", "guardduty-lens")
    )
    lines = [
        "# Results",
        "",
        "Written by `make bench`. Ratios in one run, medians; [run.py](run.py) says how they are taken, and",
        "[notes.md](notes.md) where the time goes.",
        "",
        f"Python {platform.python_version()}, {versions}; {os.cpu_count()} cores, {_processor()}.",
        f"{bench.count:,} findings where nothing else is said.",
        "",
        "| measure | ratio | at least | aim | reached | runs (ours / reference: CPU s, wall s or MiB) |",
        "|---|--:|--:|--:|---|---|",
    ]
    lines += [
        f"| {m.name} | {m.ratio:.2f} | {m.least} | {m.aim} | {m.reached} | {m.note} |" for m in bench.measures
    ]
    return "\n".join([*lines, ""])


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


BY_HAND = "\n## In OpenSearch\n"
"""What needs a server is measured by scripts of its own; their figures are written below this."""


def _by_hand(page: Path) -> str:
    """Give what stands on the page below our own figures, to be kept."""
    _, heading, kept = page.read_text().partition(BY_HAND) if page.exists() else ("", "", "")
    return heading + kept


def main() -> None:
    """Measure, print, and write results.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=200_000, help="findings of most measures")
    parser.add_argument("--large", type=int, default=1_000_000, help="findings of the large file")
    parser.add_argument("--folder", type=Path, help="where inputs are kept; else they are thrown away")
    parser.add_argument("--output", type=Path, default=HERE / "results.md")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(options.folder or Path(folder), options.count, options.large)
        measure_all(bench)
        options.output.write_text(results(bench) + _by_hand(options.output))


if __name__ == "__main__":
    main()
