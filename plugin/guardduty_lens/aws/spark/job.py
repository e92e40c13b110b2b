"""The job, as the driver sees it: tasks told what to do, what they did added up, what is stale taken away."""

import os
import re
import sys
from collections.abc import Sequence
from functools import partial
from typing import Any

import msgspec

from guardduty_lens.aws.spark.groups import Group, slices_of
from guardduty_lens.aws.spark.task import Outcome, Work, pass_slices
from guardduty_lens.counters import Counters
from guardduty_lens.parquet.stores import Store
from guardduty_lens.parquet.writer import FOLDER, LETTERS, digest_in, digest_of, take_away

TASKS_A_CORE = 4
"""So that a large group does not leave the other cores without work."""

_HERE = {
    "spark.ui.enabled": "false",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    # Java has little to do here, and that is soon over: so it begins sooner.
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
}
_RAISED = re.compile(r"[A-Za-z_][\w.]*: ")
"""Of a traceback, a line that tells what was raised; others are indented, or sentences."""


class JobError(Exception):
    """A job that Spark gave up, and why."""


def spark_context() -> Any:
    """Give Spark's context: that of spark-submit, else one on this machine that nobody else can reach."""
    from pyspark import SparkConf, SparkContext  # an extra

    settings = SparkConf().setIfMissing("spark.app.name", "guardduty-lens")
    if settings.contains("spark.master"):
        return SparkContext.getOrCreate(settings)
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    settings.setMaster("local[*]")
    for name, value in _HERE.items():
        settings.setIfMissing(name, value)
    made = SparkContext.getOrCreate(settings)
    made.setLogLevel("OFF")  # what goes wrong is told by us, once
    return made


def run(context: Any, groups: Sequence[Group], work: Work, store: Store) -> Outcome:
    """Have Spark do it, and take away what groups gave before and do not give any more.

    Raises JobError; OSError, CannotListError and AWS's errors for what cannot be taken away.
    """
    from py4j.protocol import Py4JJavaError
    from pyspark.errors import PySparkException

    slices = slices_of(groups, context.defaultParallelism * TASKS_A_CORE)
    try:
        told = context.parallelize(slices, len(slices)).mapPartitions(partial(pass_slices, work)).collect()
    except (Py4JJavaError, PySparkException) as error:
        raise JobError(f"Spark gave up: {_cause(str(error))}") from error
    whole = Outcome(Counters(), {}, [], [])
    for each in (msgspec.json.decode(outcome, type=Outcome) for outcome in told):
        whole.counters.add(each.counters)
        whole.names += each.names
        whole.groups += each.groups
        for day, rows in each.rows.items():
            whole.rows[day] = whole.rows.get(day, 0) + rows
    take_away(store, _stale(store, whole))
    return whole


def _cause(text: str) -> str:
    """Give what the first task whose traceback Spark tells raised at last, else all that Spark says."""
    _, _, after = text.partition("Traceback (most recent call last):")
    of_python = after.partition("\n\tat ")[0]
    said = [line for line in of_python.splitlines() if _RAISED.match(line)]
    return said[-1] if said else text


def _stale(store: Store, whole: Outcome) -> set[str]:
    digests = {digest_of(group) for group in whole.groups}
    before = {*store.names(f"{FOLDER}/"), *store.names(f"{LETTERS}/")}
    return {name for name in before if digest_in(name) in digests} - set(whole.names)
