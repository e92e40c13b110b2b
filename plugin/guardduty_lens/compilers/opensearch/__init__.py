"""The OpenSearch ingest pipeline: what `filter` does, in the cluster, from the same plan."""

from guardduty_lens.compilers.opensearch.pipeline import FAILURE_FIELD, ingest_pipeline
from guardduty_lens.compilers.opensearch.regexes import NotCompiledError

__all__ = ["FAILURE_FIELD", "NotCompiledError", "ingest_pipeline"]
