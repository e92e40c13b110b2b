"""What runs on Spark's machines: groups through a lens, to Parquet, dead letters, and a cluster."""

import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click
import msgspec

from guardduty_lens.aws.spark.groups import Group
from guardduty_lens.cli.archive_options import aws_client
from guardduty_lens.cli.filter import cluster_of
from guardduty_lens.counters import Counters
from guardduty_lens.inputs.s3_archive import S3Source, fetched_ahead, location_of
from guardduty_lens.inputs.sources import FileSource, Source
from guardduty_lens.lens import Lens
from guardduty_lens.opensearch.documents import is_foreign
from guardduty_lens.opensearch.template_check import TemplateCheck
from guardduty_lens.outputs.cluster import Cluster, ClusterSink
from guardduty_lens.outputs.dead_letters import DeadLetters, dead_letter
from guardduty_lens.outputs.parquet import UNWRITTEN, refused_line
from guardduty_lens.outputs.sinks import Sink
from guardduty_lens.parquet.columns import Columns
from guardduty_lens.parquet.stores import FolderStore, S3Store, Store
from guardduty_lens.parquet.writer import LETTERS, ParquetWriter, digest_of
from guardduty_lens.payloads.pieces import Position, Rejected
from guardduty_lens.record import Record


class Work(msgspec.Struct, frozen=True):
    """What each task is told: options as they were given, and the files of the user's catalogue.

    Secrets are not in it: a task reads them where the options say, on its own machine.
    """

    options: dict[str, Any]
    fields: dict[str, str]


class Outcome(msgspec.Struct):
    """What a task did: counts, rows by day, the files it wrote, and the groups that are whole by that."""

    counters: Counters
    rows: dict[str, int]
    names: list[str]
    groups: list[str]


def store_of(output: str, region: str | None) -> Store:
    """Give the store that an output names. Raises UsageError, OSError."""
    if not output.startswith("s3://"):
        return FolderStore(Path(output).resolve())
    try:
        return S3Store(aws_client("s3", region, f"writing {output}"), location_of(output))
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def pass_slices(work: Work, slices: Iterable[Sequence[Group]]) -> Iterator[bytes]:
    """Pass the groups of a task through; give its Outcome as JSON, which needs no class to be read."""
    for groups in slices:
        yield msgspec.json.encode(_pass_groups(work, groups))


def _pass_groups(work: Work, groups: Sequence[Group]) -> Outcome:
    options = work.options
    with ExitStack() as stack:
        lens = lens_of(work, stack)
        store = store_of(options["output"], options["region"])
        task = _Task(lens, store, with_foreign=options["with_foreign"])
        writer = ParquetWriter(Columns(lens), store, refuse=task.refuse_line, threads=1)
        task.writer = stack.enter_context(writer)
        cluster = cluster_of(options) if options["url"] else None
        if cluster is not None:
            nowhere = DeadLetters(Path("/dev/null"))  # what is refused is ours to keep
            sink = ClusterSink(cluster, lens, nowhere, refuse=task.refuse, templates=_templates(cluster))
            task.cluster = stack.enter_context(sink)
        s3 = aws_client("s3", options["region"], "a task") if any(each.bucket for each in groups) else None
        for group in groups:
            task.run(group, s3)
        task.finish()
        names = sorted(writer.names | task.letters_put)
        return Outcome(lens.counters, writer.rows, names, [group.name for group in groups])


_CHECKS: dict[tuple[Any, ...], TemplateCheck] = {}
"""By the cluster and what is sent to it: Spark's processes do one task after the other."""


def _templates(cluster: Cluster) -> TemplateCheck | None:
    check = cluster.template_check()
    key = (cluster.connection.urls, cluster.names, cluster.state, cluster.flat)
    return None if check is None else _CHECKS.setdefault(key, check)


def lens_of(work: Work, stack: ExitStack) -> Lens:
    """Make the lens, with the catalogue's files in a folder of this machine."""
    options = work.options
    folder = None
    if work.fields:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for name, text in work.fields.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
    return Lens(
        fields=folder,
        field_prefix=options["field_prefix"],
        severity_scheme=options["severity_scheme"],
        wrapper_keys=options["wrapper_key"],
    )


class _Task:
    """Passes groups to Parquet, dead letters, and a cluster."""

    writer: ParquetWriter

    def __init__(self, lens: Lens, store: Store, *, with_foreign: bool) -> None:
        self._with_foreign = with_foreign
        self.cluster: Sink | None = None
        self.letters_put: set[str] = set()
        self._lens, self._store = lens, store
        self._group = ""
        self._letters: dict[str, list[bytes]] = defaultdict(list)

    def run(self, group: Group, s3: Any) -> None:
        """Pass a group. Raises Unread, DeliveryError, OSError: then Spark tries the task again."""
        self._group = group.name
        self.writer.begin(group.name)
        for source in _sources(group, s3):
            for item in self._lens.stream(source.blocks(), source.name):
                if isinstance(item, Rejected):
                    self._keep(item)
                else:
                    self._write(item, source.name)
        if self.cluster is not None:
            self.cluster.flush()  # so that what it refuses is kept as this group's

    def finish(self) -> None:
        """Return once all of it is confirmed. Raises OSError."""
        self.writer.flush()
        for digest, letters in self._letters.items():
            self._put(f"{LETTERS}/{digest}.jsonl", letters)

    def refuse(self, record: Record, rejected: Rejected) -> None:
        """Keep what the cluster does not take; in Parquet it is all the same."""
        self._lens.refuse(record, rejected.reason)
        self._keep(rejected)

    def refuse_line(self, line: bytes, why: str) -> None:
        """Keep what Parquet does not take."""
        refused = refused_line(line, self._lens.plan.field_prefix)
        self._lens.refuse(refused.record, UNWRITTEN)
        self._keep(Rejected(UNWRITTEN, why, refused.raw, Position(), ""), refused.digest)

    def _write(self, record: Record, source: str) -> None:
        self.writer.write(record, self._group)
        if self.cluster is not None and (self._with_foreign or not is_foreign(record)):
            self.cluster.write(record, source)

    def _keep(self, rejected: Rejected, digest: str | None = None) -> None:
        letter = msgspec.json.encode(dead_letter(rejected)) + b"\n"
        self._letters[digest or digest_of(self._group)].append(letter)

    def _put(self, name: str, lines: Iterable[bytes]) -> None:
        with tempfile.NamedTemporaryFile(dir=self._store.folder, prefix="_letters-", delete=False) as file:
            file.writelines(lines)
        path = Path(file.name)
        try:
            self._store.put(name, path)
        finally:
            path.unlink(missing_ok=True)
        self.letters_put.add(name)


def _sources(group: Group, s3: Any) -> Iterator[Source]:
    bucket = group.bucket
    if bucket is None:
        return map(FileSource, (Path(name) for name, _ in group.sources))
    return fetched_ahead(S3Source(s3, bucket, key, size) for key, size in group.sources)
