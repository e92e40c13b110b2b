"""The OpenSearch ingest pipeline: what `filter` does, in the cluster, from the same plan."""

from guardduty_lens.compilers.opensearch.pipeline import FAILURE_FIELD, fields_left_out, ingest_pipeline
from guardduty_lens.compilers.opensearch.regexes import NotCompiledError

__all__ = ["FAILURE_FIELD", "NotCompiledError", "fields_left_out", "ingest_pipeline"]
