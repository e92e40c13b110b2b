"""`filter --to opensearch` on a real server: what is in the cluster afterwards, asked by query."""

import json
import random
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from command_line import COMMAND, Result, json_lines
from faulty_cluster import Answer, Cut, Fault, Stall, faulty_cluster
from finding_events import event
from installed_cluster import Cluster

CORPUS = Path(__file__).parents[1] / "corpus"


@pytest.fixture
def cluster(opensearch_url: str) -> Iterator[Cluster]:
    cluster = Cluster(opensearch_url, "output-")
    cluster.install()
    yield cluster
    cluster.uninstall()


@pytest.fixture(params=["opensearch", "elasticsearch"])
def either(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    cluster = Cluster(request.getfixturevalue(f"{request.param}_url"), "output-", request.param)
    cluster.install()
    yield cluster
    cluster.uninstall()


def start(url: str, folder: Path, *paths: Path, options: tuple[str, ...] = ()) -> subprocess.Popen[str]:
    to = ("--to", "opensearch", "--url", url, "--index-prefix", "output-")
    rest = ("--dead-letters", str(folder / "dead.jsonl"), "--summary", str(folder / "summary.json"))
    arguments = [*COMMAND, "filter", *map(str, paths), *to, *rest, *options]
    return subprocess.Popen(
        arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def send(url: str, folder: Path, *paths: Path, options: tuple[str, ...] = ()) -> Result:
    process = start(url, folder, *paths, options=options)
    out, err = process.communicate(timeout=300)
    return Result(process.returncode, out, err)


def summary(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "summary.json").read_bytes())
    events = found["events"]
    assert events["in"] == sum(number for name, number in events.items() if name != "in")
    return found


def write_lines(path: Path, events: list[dict[str, Any]]) -> Path:
    path.write_text("".join(f"{json.dumps(each)}\n" for each in events))
    return path


def update(number: int, minute: int, *, archived: bool = False) -> dict[str, Any]:
    service = {"count": minute + 1, "archived": archived}
    moment = f"2025-03-04T05:{minute:02}:00.000Z"
    detail = {"id": f"f{number}", "updatedAt": moment, "service": service}
    return event(detail=detail, id=f"e{number}-{minute}-{archived}")


FINDINGS, UPDATES = 940, 10  # a search gives 10,000 at the most
FEW = 200


def updates(findings: int = FINDINGS) -> list[dict[str, Any]]:
    """Ten updates of each finding; then every second finding is archived at the same moment."""
    made = [update(number, minute) for number in range(findings) for minute in range(UPDATES)]
    return made + [update(number, UPDATES - 1, archived=True) for number in range(0, findings, 2)]


def expected_log(findings: int = FINDINGS) -> set[str]:
    ids = {
        f"f{number}_2025-03-04T05:{minute:02}:00.000Z_{minute + 1}_false"
        for number in range(findings)
        for minute in range(UPDATES)
    }
    return ids | {f"f{number}_2025-03-04T05:09:00.000Z_10_true" for number in range(0, findings, 2)}


def expected_state(findings: int = FINDINGS) -> dict[str, tuple[int, int, bool]]:
    # 2025-03-04T05:09:00Z is 1,741,064,940 seconds after 1970.
    version = (1_741_064_940_000 << 20) + 20
    return {f"f{number}": (version + (number % 2 == 0), 10, number % 2 == 0) for number in range(findings)}


def finding_ids(value: Any) -> set[str]:
    """The ids of all findings in a value, however deep, in whichever case, and in JSON inside texts."""
    if isinstance(value, str):
        return finding_ids(json.loads(value)) if value.startswith("{") else set()
    if isinstance(value, list):
        return set().union(*map(finding_ids, value))
    if not isinstance(value, dict):
        return set()
    lower = {key.lower(): member for key, member in value.items()}
    found = set().union(*map(finding_ids, value.values()))
    if "/" in str(lower.get("type")) and "severity" in lower and {"service", "resource"} & lower.keys():
        found.add(str(lower.get("id") or str(lower.get("arn")).rpartition("/")[2]))
    return found


def log_ids(value: Any) -> set[str]:
    """The ids that the log has of all findings in a value, found as `finding_ids` finds them."""
    if isinstance(value, str):
        return log_ids(json.loads(value)) if value.startswith("{") else set()
    if isinstance(value, list):
        return set().union(*map(log_ids, value))
    if not isinstance(value, dict):
        return set()
    lower = {key.lower(): member for key, member in value.items()}
    found = set().union(*map(log_ids, value.values()))
    if "/" in str(lower.get("type")) and "severity" in lower and {"service", "resource"} & lower.keys():
        service = {key.lower(): member for key, member in (lower.get("service") or {}).items()}
        own = lower.get("id") or str(lower.get("arn")).rpartition("/")[2]
        count = "" if service.get("count") is None else int(service["count"])
        archived = "true" if service.get("archived") is True else "false"
        found.add(f"{own}_{lower.get('updatedat') or ''}_{count}_{archived}")
    return found


def test_corpus_once_and_again(cluster: Cluster, tmp_path: Path) -> None:
    folders = ["api_finding", "api_getfindings", "eventbridge", "eventbridge_pascal_hybrid", "native", "sns"]
    paths = sorted(path for folder in folders for path in (CORPUS / folder).glob("*.json"))
    first = send(cluster.url, tmp_path, *paths)
    assert first.code == 0, first.err
    counted = summary(tmp_path)
    log, state = cluster.log, cluster.state
    assert set(state) == set().union(*(finding_ids(json.loads(path.read_bytes())) for path in paths))
    assert log == set().union(*(log_ids(json.loads(path.read_bytes())) for path in paths))
    again = send(cluster.url, tmp_path, *paths)
    assert again.code == 0, again.err
    assert set(summary(tmp_path)["delivered"]) == {"log_duplicates", "state_older"}
    assert summary(tmp_path)["records"] == counted["records"]
    assert (cluster.log, cluster.state) == (log, state)


def test_whole_corpus_is_refused_nowhere(either: Cluster, tmp_path: Path) -> None:
    cluster = either
    result = send(cluster.url, tmp_path, CORPUS)
    assert result.code == 0, result.err
    counted = summary(tmp_path)
    assert counted["events"]["rejected"] == 0
    delivered = counted["delivered"]
    assert delivered["state_written"] + delivered["state_older"] == counted["records"]["finding"]
    assert delivered["log_created"] == len(cluster.log)
    assert delivered["log_created"] + delivered["log_duplicates"] == counted["events"]["records"]


def test_any_order_any_number_of_times_by_two_processes(either: Cluster, tmp_path: Path) -> None:
    cluster = either
    for seed in (1, 2, 3):
        sent = updates() + updates()[::3]
        random.Random(seed).shuffle(sent)
        processes = []
        for half in (0, 1):
            folder = tmp_path / f"{seed}-{half}"
            folder.mkdir()
            path = write_lines(folder / "in.jsonl", sent[half::2])
            processes.append((folder, start(cluster.url, folder, path)))
        for folder, process in processes:
            _, err = process.communicate(timeout=300)
            assert process.returncode == 0, err
            assert summary(folder)["events"]["records"] == 6_580
        assert cluster.log == expected_log()
        assert cluster.state == expected_state()
        if seed == 1:
            continue  # the second is laid over the first, the third starts anew
        cluster.clear()


def test_one_refused_document_of_500(cluster: Cluster, tmp_path: Path) -> None:
    sent = [update(number, 0) for number in range(500)]
    sent[321]["_id"] = "a key that is the cluster's own"
    result = send(cluster.url, tmp_path, write_lines(tmp_path / "in.jsonl", sent))
    assert result.code == 1, result.err
    counted = summary(tmp_path)
    assert counted["events"] == {"in": 500, "records": 499, "filtered": 0, "rejected": 1, "control": 0}
    assert counted["delivered"] == {"log_created": 499, "state_written": 499}
    assert set(cluster.state) == {f"f{number}" for number in range(500) if number != 321}
    [letter] = json_lines((tmp_path / "dead.jsonl").read_bytes())
    assert letter["reason"] == "mapper_parsing_exception"
    assert "is a metadata field and cannot be added inside a document" in letter["message"]
    raw = json.loads(letter["raw"])
    del raw["_id"]
    mended = tmp_path / "mended.jsonl"
    mended.write_text(json.dumps(letter | {"raw": json.dumps(raw)}))
    assert send(cluster.url, tmp_path, mended).code == 0
    assert len(cluster.state) == 500


@pytest.mark.parametrize(
    "fault",
    [
        Cut(),
        Cut(after=True),
        Stall(20),
        Answer(429, headers={"Retry-After": "1"}),
        Answer(503, b"upstream connect error"),
        Answer(200, b"\x00garbage\xff"),
    ],
)
def test_faults_on_the_way_change_nothing(cluster: Cluster, tmp_path: Path, fault: Fault) -> None:
    path = write_lines(tmp_path / "in.jsonl", updates(FEW))

    def choose(number: int, lines: list[bytes]) -> Fault:
        return fault if number in (1, 3) else None

    with faulty_cluster(choose, behind=cluster.url) as between:
        result = send(between.url, tmp_path, path, options=("--timeout", "2"))
    assert result.code == 0, result.err
    assert summary(tmp_path)["events"]["records"] == 2100
    assert cluster.log == expected_log(FEW)
    assert cluster.state == expected_state(FEW)


def test_read_only_index_is_waited_for(cluster: Cluster, tmp_path: Path) -> None:
    index = cluster.names.log_index("2025-03")
    path = write_lines(tmp_path / "in.jsonl", [update(number, 0) for number in range(50)])
    cluster.request("PUT", index)
    cluster.request("PUT", f"{index}/_settings", {"index.blocks.read_only": True})
    result = send(cluster.url, tmp_path, path, options=("--give-up-after", "1"))
    assert result.code == 3
    assert "50 records were not confirmed" in result.err
    assert "read-only" in result.err
    assert summary(tmp_path)["events"] == {
        "in": 50,
        "records": 0,
        "filtered": 0,
        "rejected": 0,
        "control": 0,
        "undelivered": 50,
    }
    timer = threading.Timer(
        3, cluster.request, ("PUT", f"{index}/_settings", {"index.blocks.read_only": False})
    )
    timer.start()
    result = send(cluster.url, tmp_path, path)
    timer.join()
    assert result.code == 0, result.err
    assert len(cluster.log) == 50


def test_wrong_url_is_said_and_nothing_is_confirmed(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "in.jsonl", [update(1, 0)])
    with faulty_cluster(lambda number, lines: Answer(404, b"not here")) as other:
        result = send(other.url, tmp_path, path)
    assert result.code == 3
    assert "1 records were not confirmed: the cluster answered 404: not here" in result.err


def test_foreign_events_go_only_where_they_are_asked_for(cluster: Cluster, tmp_path: Path) -> None:
    foreign = {"id": "x1", "source": "aws.ec2", "detail-type": "State", "detail": {}}
    path = write_lines(tmp_path / "in.jsonl", [foreign, update(1, 0)])
    assert send(cluster.url, tmp_path, path, options=("--no-state",)).code == 0
    assert summary(tmp_path)["filtered"] == {"foreign": 1}
    assert summary(tmp_path)["delivered"] == {"log_created": 1}
    assert send(cluster.url, tmp_path, path, options=("--with-foreign",)).code == 0
    assert "x1" in cluster.log


def test_counters_of_a_run_are_in_the_cluster(cluster: Cluster, tmp_path: Path) -> None:
    send(cluster.url, tmp_path, write_lines(tmp_path / "in.jsonl", [update(1, 0)]))
    cluster.request("POST", f"{cluster.names.stats}-*/_refresh")
    [hit] = cluster.request("GET", f"{cluster.names.stats}-*/_search?q=final:true")["hits"]["hits"]
    assert hit["_source"]["events"]["in"] == 1
    assert hit["_source"]["delivered"] == {"log_created": 1, "state_written": 1}


def test_seeds_own_form_keeps_the_first_version(cluster: Cluster, tmp_path: Path) -> None:
    path = write_lines(tmp_path / "in.jsonl", [update(1, 0), update(1, 1)])
    assert send(cluster.url, tmp_path, path, options=("--flat",)).code == 0
    [hit] = cluster.hits(cluster.names.log)
    assert (hit["_id"], hit["_source"]["event_count"]) == ("f1", 1)
