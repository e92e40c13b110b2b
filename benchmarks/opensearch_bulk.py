"""Documents per second into a cluster: our output against `parallel_bulk` of opensearch-py.

    python benchmarks/opensearch_bulk.py --url http://127.0.0.1:9200 [-n FINDINGS] [--runs RUNS]

Each sends four requests at a time into new indices; they alternate, and the median of the ratios counts.
parallel_bulk is given documents that are made before its clock starts; ours makes them of records on the way.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterable

from opensearchpy import OpenSearch
from opensearchpy.helpers import parallel_bulk

from guardduty_lens import Lens, Record
from guardduty_lens.opensearch.bulk import Bulk
from guardduty_lens.opensearch.client import Connection, connect
from guardduty_lens.opensearch.documents import Document, Documents
from guardduty_lens.opensearch.names import Names
from guardduty_lens.opensearch.resources import IndexOptions
from guardduty_lens.opensearch.templates import templates
from guardduty_lens.outputs.opensearch import OpenSearchOutput
from guardduty_lens.samples import generate_payloads

NAMES = Names("bench-output-")
KINDS = {"component_template": "_component_template", "index_template": "_index_template"}


def clear(client: OpenSearch) -> None:
    """Delete the indices of the run before."""
    client.indices.delete(index=f"{NAMES.prefix}guardduty*", ignore_unavailable=True)


def ours(url: str, records: list[Record], *, state: bool) -> float:
    """Give the seconds that our output takes for all records, making their documents too."""
    start = time.perf_counter()
    output = OpenSearchOutput(
        Bulk(connect(Connection(urls=(url,)))),
        Documents(NAMES, state=state),
        {},
        refuse=lambda _, rejected: print("refused", rejected.reason, rejected.message),
        lose=lambda record: print("lost", record),
    )
    with output:
        for record in records:
            output.write(record)
        output.flush()
        return time.perf_counter() - start


def theirs(client: OpenSearch, documents: Iterable[Document]) -> float:
    """Give the seconds that parallel_bulk takes, with its own defaults: 500 a request, four threads."""
    actions = [
        {"_op_type": "create", "_index": each.index, "_id": each.id, "_source": each.body.decode()}
        if each.version is None
        else {
            "_op_type": "index",
            "_index": each.index,
            "_id": each.id,
            "version": each.version,
            "version_type": "external",
            "_source": each.body.decode(),
        }
        for each in documents
    ]
    start = time.perf_counter()
    for _ in parallel_bulk(client, actions, raise_on_error=False):
        pass
    return time.perf_counter() - start


def measure(url: str, client: OpenSearch, records: list[Record], runs: int, *, state: bool) -> None:
    """Print the ratio of our documents a second to theirs."""
    maker = Documents(NAMES, state=state)
    documents = [each for record in records for each in maker.of(record, time.time_ns() // 1_000_000)]
    ratios, rates = [], []
    ways: list[Callable[[], float]] = [
        lambda: ours(url, records, state=state),
        lambda: theirs(client, documents),
    ]
    for run in range(runs + 1):
        seconds = []
        for way in ways:
            clear(client)
            seconds.append(way())
        if run:  # the first warms the server up
            ratios.append(seconds[1] / seconds[0])
            rates.append([len(documents) / each for each in seconds])
    what = "log and state" if state else "log only"
    our_rate, their_rate = (statistics.median(column) for column in zip(*rates, strict=True))
    print(
        f"{what}: ratio {statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f}); "
        f"documents/s {our_rate:,.0f}, parallel_bulk {their_rate:,.0f}; {len(documents):,} documents"
    )


def main() -> None:
    """Measure both ways of writing, and leave the cluster as it was."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True)
    parser.add_argument("-n", type=int, default=4000, help="findings")
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    client = OpenSearch(options.url, pool_maxsize=8, timeout=120)
    lens = Lens(extractors=())
    resources = templates(lens.plan, NAMES, IndexOptions(replicas=0))
    for each in resources:
        client.transport.perform_request("PUT", f"/{KINDS[each.kind]}/{each.name}", body=each.body)
    try:
        payloads = (payload + b"\n" for payload in generate_payloads(options.n, 1, "eventbridge"))
        records = [item for item in lens.stream(payloads) if isinstance(item, Record)]
        measure(options.url, client, records, options.runs, state=False)
        measure(options.url, client, records, options.runs, state=True)
    finally:
        clear(client)
        for each in reversed(resources):
            client.transport.perform_request("DELETE", f"/{KINDS[each.kind]}/{each.name}")


if __name__ == "__main__":
    main()
