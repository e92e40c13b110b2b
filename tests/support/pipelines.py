"""An ingest pipeline on the real server, and documents indexed through it."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from http_json import Server

from guardduty_lens.compilers.opensearch import ingest_pipeline
from guardduty_lens.engine.plan import Plan
from guardduty_lens.opensearch.names import Names

Document = dict[str, Any]

_BATCH = 400


class InstalledPipeline:
    """A plan's pipeline under names of its own, and an index whose mapping refuses nothing.

    A document's number goes with it as its routing, and is put in place of the `_id` behind the pipeline,
    so that equal ids do not overwrite each other; what the pipeline chose is kept as `chosen_id` and
    `chosen_index`.
    """

    def __init__(self, url: str, plan: Plan, prefix: str) -> None:
        self._server = Server(url)
        self.names = Names(prefix)
        self.index = f"{prefix}read-back"
        self.chain = f"{prefix}chain"
        resource = ingest_pipeline(plan, self.names)
        self._server.expect("PUT", f"_ingest/pipeline/{resource.name}", resource.body)
        self._server.expect("PUT", f"_ingest/pipeline/{self.chain}", {"processors": self._chain()})
        settings = {"number_of_shards": 1, "number_of_replicas": 0, "refresh_interval": "-1"}
        body = {"settings": settings, "mappings": {"dynamic": False}}
        self._server.expect("PUT", self.index, body)

    def _chain(self) -> list[Document]:
        keep = (
            "ctx.chosen_id = ctx._id; ctx.chosen_index = ctx._index;"
            "ctx._id = ctx._routing; ctx._index = params.index;"
        )
        return [
            {"pipeline": {"name": self.names.pipeline}},
            {"script": {"source": keep, "params": {"index": self.index}}},
        ]

    def indexed(self, documents: Sequence[Document]) -> Iterator[Document]:
        """Index documents, and give what the index holds of each, in their order."""
        for start in range(0, len(documents), _BATCH):
            yield from self._batch(documents[start : start + _BATCH])

    def _batch(self, documents: Sequence[Document]) -> list[Document]:
        numbers = [str(number) for number in range(len(documents))]
        lines = [
            json.dumps(line)
            for number, document in zip(numbers, documents, strict=True)
            for line in ({"index": {"routing": number}}, document)
        ]
        body = ("\n".join(lines) + "\n").encode()
        answer = self._server.expect("POST", f"{self.index}/_bulk?pipeline={self.chain}", body)
        refused = [item["index"]["error"] for item in answer["items"] if "error" in item["index"]]
        assert not refused, refused[0]
        wanted = {"docs": [{"_id": number, "routing": number} for number in numbers]}
        found = self._server.expect("POST", f"{self.index}/_mget", wanted)["docs"]
        return [document["_source"] for document in found]

    def remove(self) -> None:
        """Take away everything that was made."""
        self._server.expect("DELETE", self.index)
        self._server.expect("DELETE", f"_ingest/pipeline/{self.chain}")
        self._server.expect("DELETE", f"_ingest/pipeline/{self.names.pipeline}")
