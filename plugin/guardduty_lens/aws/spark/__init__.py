"""The Spark job: an archive, however large, into Parquet and, if wanted, a cluster.

    spark-submit pipelines/aws/spark_job.py s3://ARCHIVE/guardduty/ --output s3://LAKE/guardduty/

The driver lists keys, and groups them as Parquet's files are (`parquet/writer.py`): by day. Each
task reads its groups with our own reader and the same catalogue as `filter`. A task that is tried
again, and the job again, put the same files in the place of those before; documents fall on themselves.

Below the output are `records/day=2026-01-31/…parquet`, and `dead_letters/…jsonl`, which `replay` reads.
"""

from guardduty_lens.aws.spark.command import main

__all__ = ["main"]
