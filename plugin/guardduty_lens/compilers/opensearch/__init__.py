"""The OpenSearch ingest pipeline: what `filter` does, in the cluster, from the same plan."""

from guardduty_lens.compilers.opensearch.pipeline import FAILURE_FIELD, ingest_pipeline

__all__ = ["FAILURE_FIELD", "ingest_pipeline"]
