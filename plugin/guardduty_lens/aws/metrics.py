"""What functions counted, as metrics of CloudWatch: lines of the log, in its embedded metric format.

Facts: Amazon CloudWatch user guide, "Embedded metric format"; Powertools for AWS Lambda (Python), "Metrics".
"""

import os
from collections.abc import Mapping

from guardduty_lens.counters import Counters


def publish(function: str, counts: Mapping[str, int]) -> None:
    """Write the counts of an invocation that are not zero, if METRICS_NAMESPACE says where they belong.

    Their dimension is `service`, the function's name among ours.
    """
    namespace = os.environ.get("METRICS_NAMESPACE", "").strip()
    counted = {name: number for name, number in counts.items() if number}
    if not namespace or not counted:
        return
    from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

    metrics = EphemeralMetrics(namespace=namespace, service=function)
    for name, number in counted.items():
        metrics.add_metric(name=name, unit=MetricUnit.Count, value=number)
    metrics.flush_metrics()


def metrics_of(counters: Counters) -> dict[str, int]:
    """Give what is told of a lens's counters."""
    return {
        "Payloads": counters.payloads,
        "Records": sum(counters.records.values()),
        "Filtered": sum(counters.filtered.values()),
        "Rejected": sum(counters.rejected.values()),
        "Undelivered": sum(counters.undelivered.values()),
        "LogCreated": counters.delivered.get("log_created", 0),
        "LogDuplicates": counters.delivered.get("log_duplicates", 0),
        "StateWritten": counters.delivered.get("state_written", 0),
    }
