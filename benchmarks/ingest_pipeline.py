"""What the ingest pipeline costs a document: the server's own statistics, and indexing with and without it.

    python benchmarks/ingest_pipeline.py http://127.0.0.1:9200 [COUNT]

It makes an index and a pipeline under names of its own, and takes both away.
"""

import json
import sys
import time
import urllib.request
import uuid
from typing import Any

from guardduty_lens import Lens
from guardduty_lens.compilers.opensearch import ingest_pipeline
from guardduty_lens.opensearch.names import Names
from guardduty_lens.payloads.envelope import wrap
from guardduty_lens.samples import generate_findings

BATCH = 500
ROUNDS = 5


def request(url: str, method: str, path: str, body: bytes | None = None) -> Any:
    """Send a request and give the decoded answer; urllib.error.HTTPError where the server refuses."""
    headers = {"Content-Type": "application/x-ndjson" if path.endswith("bulk") else "application/json"}
    asked = urllib.request.Request(f"{url}{path}", body, headers, method=method)
    with urllib.request.urlopen(asked, timeout=300) as answer:
        return json.load(answer)


def bulk_bodies(count: int) -> list[bytes]:
    """Give the bodies of bulk requests that index as many sample findings in EventBridge's layout."""
    documents = [json.dumps(wrap(finding)) for finding in generate_findings(count, seed=1)]
    lines = [f'{{"index":{{}}}}\n{document}\n' for document in documents]
    return ["".join(lines[start : start + BATCH]).encode() for start in range(0, count, BATCH)]


def index_all(url: str, index: str, pipeline: str, bodies: list[bytes]) -> float:
    """Index everything and give the seconds it took. Raises RuntimeError where a document is refused."""
    # The pipeline sends records to their months: a second pipeline brings them back to the one index.
    request(url, "PUT", f"/{index}", json.dumps(INDEX | {"settings": settings(pipeline)}).encode())
    started = time.perf_counter()
    for body in bodies:
        if request(url, "POST", f"/{index}/_bulk", body)["errors"]:
            raise RuntimeError("a document was refused")
    seconds = time.perf_counter() - started
    request(url, "DELETE", f"/{index}")
    return seconds


INDEX: dict[str, Any] = {"mappings": {"dynamic": False}}


def settings(pipeline: str) -> dict[str, Any]:
    """Give an index's settings; the pipeline is the one that its documents go through."""
    return {"number_of_shards": 1, "number_of_replicas": 0, "index.default_pipeline": pipeline}


def step_times(url: str, pipeline: str) -> dict[str, int]:
    """Give the milliseconds that each step of a pipeline has taken so far, and the whole."""
    [node] = request(url, "GET", "/_nodes/stats/ingest")["nodes"].values()
    stats = node["ingest"]["pipelines"][pipeline]
    steps = {tag: step["stats"] for each in stats["processors"] for tag, step in each.items()}
    return {"whole": stats["time_in_millis"]} | {tag: one["time_in_millis"] for tag, one in steps.items()}


def main(url: str, count: int) -> None:
    """Measure and print."""
    names = Names(f"bench-{uuid.uuid4().hex[:8]}-")
    index, chain = f"{names.prefix}documents", f"{names.prefix}chain"
    resource = ingest_pipeline(Lens(extractors=()).plan, names)
    request(url, "PUT", f"/_ingest/pipeline/{resource.name}", json.dumps(resource.body).encode())
    back = {"script": {"source": "ctx._index = params.index", "params": {"index": index}}}
    steps = [{"pipeline": {"name": resource.name}}, back, {"remove": {"field": "_id"}}]
    request(url, "PUT", f"/_ingest/pipeline/{chain}", json.dumps({"processors": steps}).encode())
    bodies = bulk_bodies(count)
    index_all(url, index, chain, bodies)  # so that neither pays for what is compiled and loaded once
    warm = step_times(url, resource.name)
    without, through = [], []
    for _ in range(ROUNDS):
        without.append(index_all(url, index, "_none", bodies))
        through.append(index_all(url, index, chain, bodies))
    print(f"{count} sample findings of {sum(map(len, bodies)) // count} bytes, bulk requests of {BATCH}")
    print(f"without the pipeline: {min(without) / count * 1e6:.0f} µs a document")
    print(f"through the pipeline: {min(through) / count * 1e6:.0f} µs a document")
    print(f"the pipeline itself, as the server counts it, over {ROUNDS} rounds:")
    for step, milliseconds in step_times(url, resource.name).items():
        print(f"  {step}: {(milliseconds - warm[step]) / (ROUNDS * count) * 1000:.0f} µs a document")
    request(url, "DELETE", f"/_ingest/pipeline/{chain}")
    request(url, "DELETE", f"/_ingest/pipeline/{resource.name}")


if __name__ == "__main__":
    main(sys.argv[1].rstrip("/"), int(sys.argv[2]) if len(sys.argv) > 2 else 5_000)
