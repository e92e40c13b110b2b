"""`guardduty-lens report`: the dashboards as one page, without a cluster."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from guardduty_lens.cli.dashboard_options import dashboards_of, dashboards_option
from guardduty_lens.cli.main import EXIT_DONE, EXIT_REJECTED
from guardduty_lens.cli.opensearch_options import extras_of_cluster, names_of, opensearch_options
from guardduty_lens.cli.options import (
    USER_ERRORS,
    LocalPath,
    allow_empty_option,
    lens_options,
    require_extras,
    severity_scheme,
)
from guardduty_lens.cli.run import Job, Outcome, deliver
from guardduty_lens.cli.summary import summary_text
from guardduty_lens.inputs.files import STANDARD
from guardduty_lens.inputs.sources import Files
from guardduty_lens.lens import Lens
from guardduty_lens.outputs.dead_letters import DEFAULT_PATH
from guardduty_lens.outputs.forms import whole
from guardduty_lens.outputs.places import cannot_write, why_not_writable

if TYPE_CHECKING:
    from guardduty_lens.visuals.fields import Fields
    from guardduty_lens.visuals.model import Dashboard
    from guardduty_lens.visuals.report.build import ReportOptions
    from guardduty_lens.visuals.report.data import ReportData
    from guardduty_lens.visuals.report.notes import Outside
    from guardduty_lens.visuals.report.releases import Marker

_AGAIN = " --output mended.jsonl, and make the report of that file, too"


@click.command("report")
@click.argument("paths", nargs=-1, metavar="[PATH]...", type=LocalPath())
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default="report.html",
    show_default=True,
    help="The page.",
)
@click.option("--title", default="GuardDuty findings", show_default=True, help="Of the page.")
@dashboards_option
@click.option(
    "--days",
    type=click.IntRange(1, 3650),
    help="Only what was last seen in so many days; says how many records that leaves out.",
)
@click.option(
    "--as-of",
    metavar="DATE|now",
    help="What ages and weeks are counted from. [default: the newest update]",
)
@click.option(
    "--tags",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Deployments to show beside the findings: a JSON object a line, as `tag` makes them, with name and "
    "date (`at`). A cluster's own are shown with --from-opensearch.",
)
@click.option(
    "--from-opensearch",
    "from_cluster",
    is_flag=True,
    help="Read the log of the cluster at --url instead of PATHs.",
)
@click.option(
    "--dead-letters",
    type=click.Path(path_type=Path),
    default=DEFAULT_PATH,
    show_default=True,
    help="Where rejected input goes; appended to, and made only when needed.",
)
@allow_empty_option
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="As in filter.")
@lens_options
@opensearch_options
def command(paths: tuple[Path, ...], **options: Any) -> None:
    """Make the dashboards as one HTML page that needs nothing else: no server, no network.

    PATH is what `filter` takes: findings of any shape, or records. The page is written once it is whole.
    """
    if options["from_cluster"] == bool(paths):
        raise click.UsageError("give PATHs, or --from-opensearch with --url")
    if reason := why_not_writable(options["output"]):
        raise click.UsageError(reason)
    require_extras({"report": "a report"} | (extras_of_cluster(options) if options["from_cluster"] else {}))
    lens = _lens(options)
    fields, dashboards = dashboards_of(lens, options["dashboards"])
    as_of = _as_of(options["as_of"])
    markers = _markers(options)
    with tempfile.TemporaryDirectory(prefix="guardduty-lens-") as name:
        folder, outside = Path(name), None
        if options["from_cluster"]:
            paths = (folder / "fetched.jsonl",)
            outside = _fetch(paths[0], options, as_of)
        (folder / "records.jsonl").touch()  # a run that finds nothing to read writes nothing
        outcome = _records(paths, lens, folder, options)
        told = [summary_text(lens.counters, options["dead_letters"], outcome.saved, _AGAIN)]
        if outcome.code <= EXIT_REJECTED:
            asked = _asked(options, as_of, outside)
            data = _data(lens, fields, dashboards, folder, asked, markers)
            outcome.code = max(outcome.code, _write_page(data, options))
            told += _what_it_shows(data, options)
        else:
            told.append(f"guardduty-lens: {options['output']} was not written")
    click.echo("\n".join(told), err=True)
    sys.exit(outcome.code)


def _asked(options: dict[str, Any], as_of: datetime | None, outside: "Outside | None") -> "ReportOptions":
    from guardduty_lens.visuals.report.build import ReportOptions

    return ReportOptions(title=options["title"], as_of=as_of, days=options["days"], outside=outside)


def _is_refused(data: "ReportData", options: dict[str, Any]) -> bool:
    """Tell whether the page would show nothing, which is not written unless that is meant."""
    return not data.records and not options["allow_empty"]


def _what_it_shows(data: "ReportData", options: dict[str, Any]) -> Iterator[str]:
    """Say what is on the page, in the words that are on it, or why there is none."""
    path = options["output"]
    if not _is_refused(data, options):
        megabytes = path.stat().st_size / 1e6
        yield f"{path}: {megabytes:,.1f} MB, {data.findings:,} findings in {data.updates:,} updates"
    yield from (f"  {note}" for note in data.left_out)
    if _is_refused(data, options):
        where = f"in {names_of(options).log}-*" if options["from_cluster"] else "came out of what was read"
        days = f" of the last {options['days']} days" if options["days"] else ""
        yield (
            f"guardduty-lens: nothing to report: no record{days} {where}, and {path} was not written; "
            "--allow-empty writes an empty page"
        )


def _lens(options: dict[str, Any]) -> Lens:
    try:
        return Lens(
            fields=options["fields"],
            field_prefix=options["field_prefix"],
            severity_scheme=severity_scheme(options["severity_scheme"]),
            wrapper_keys=options["wrapper_key"],
        )
    except USER_ERRORS as error:
        raise click.UsageError(str(error)) from error


def _as_of(text: str | None) -> datetime | None:
    if text is None:
        return None
    if text == "now":
        return datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is neither a date nor now", param_hint="--as-of") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _records(paths: tuple[Path, ...], lens: Lens, folder: Path, options: dict[str, Any]) -> Outcome:
    """Write the records of all inputs to a file."""
    job = Job(
        inputs=Files(paths),
        output=folder / "records.jsonl",
        dead_letters=options["dead_letters"],
        summary=None,
        form=whole,
        workers=options["workers"],
        allow_empty=options["allow_empty"],
    )
    return deliver(job, lens)


def _markers(options: dict[str, Any]) -> "list[Marker]":
    """Give the deployments of a file and of the cluster. Exits with 3 where that cannot be read."""
    from guardduty_lens.visuals.report.releases import MarkerError, read_markers

    found = []
    path: Path | None = options["tags"]
    try:
        if path is not None:
            with path.open("rb") as lines:
                found += read_markers(lines, str(path))
        if options["from_cluster"]:
            found += read_markers(_tags_of_cluster(options), "the cluster's tags")
    except MarkerError as error:
        raise click.UsageError(str(error)) from error
    return found


def _tags_of_cluster(options: dict[str, Any]) -> list[bytes]:
    from guardduty_lens.cli.installation import connect, undelivered
    from guardduty_lens.opensearch.export import tags

    with undelivered():
        cluster, _ = connect(options | {"flavor": None})
        return list(tags(cluster, names_of(options)))


def _fetch(path: Path, options: dict[str, Any], as_of: datetime | None) -> "Outside | None":
    """Write the log of the cluster to a file, and give what is too old for it.

    Exits with 3 where the log cannot be read whole.
    """
    from guardduty_lens.cli.installation import connect, undelivered
    from guardduty_lens.opensearch.export import log_records, records_before
    from guardduty_lens.visuals.report.notes import Outside

    names, days, since, outside = names_of(options), options["days"], None, None
    with undelivered(), path.open("wb") as file:
        cluster, _ = connect(options | {"flavor": None})
        if days is not None:
            since = (as_of or datetime.now(UTC)).astimezone(UTC) - timedelta(days=days)
            outside = Outside(days=days, before=since, records=records_before(cluster, names, since))
        for record in log_records(cluster, names, since):
            file.write(record + b"\n")
    return outside


def _data(
    lens: Lens,
    fields: "Fields",
    dashboards: "list[Dashboard]",
    folder: Path,
    asked: "ReportOptions",
    markers: "list[Marker]",
) -> "ReportData":
    from guardduty_lens.visuals.report.build import build_report
    from guardduty_lens.visuals.report.store import Store

    with Store(folder, fields, dashboards) as store:
        store.load(folder / "records.jsonl")
        return build_report(store, fields, dashboards, lens.counters.summary(), asked, markers)


def _write_page(data: "ReportData", options: dict[str, Any]) -> int:
    """Write the page, unless it would show nothing; return the exit code."""
    from guardduty_lens.visuals.report.page import page

    if _is_refused(data, options):
        return EXIT_REJECTED
    with _whole_file(options["output"]) as file:
        file.write_text(page(data), encoding="utf-8")
    return EXIT_DONE


@contextmanager
def _whole_file(path: Path) -> Iterator[Path]:
    """Give a file to write, which takes the place of `path` once it is whole."""
    if path == STANDARD:
        raise click.UsageError("--output is a file")
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        yield beside
        beside.replace(path)
    except OSError as error:
        raise click.UsageError(cannot_write("the page", path, error, "--output")) from error
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
