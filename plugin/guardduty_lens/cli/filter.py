"""`guardduty-lens filter`: payloads of any shape in, enriched records out."""

import logging
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from guardduty_lens import rules
from guardduty_lens.cli import signals
from guardduty_lens.cli.again import options_again
from guardduty_lens.cli.main import EXIT_UNDELIVERED
from guardduty_lens.cli.opensearch_options import (
    connection_of,
    extras_of_cluster,
    names_of,
    opensearch_options,
    without_templates_option,
)
from guardduty_lens.cli.options import (
    USER_ERRORS,
    LocalPath,
    allow_empty_option,
    lens_options,
    require_extras,
    rule_options,
    severity_scheme,
)
from guardduty_lens.cli.run import Job, run
from guardduty_lens.inputs.files import STANDARD
from guardduty_lens.inputs.sources import Files, Sources
from guardduty_lens.lens import Lens
from guardduty_lens.opensearch.client import DEFAULT_GIVE_UP_AFTER_SECONDS
from guardduty_lens.outputs import forms
from guardduty_lens.outputs.dead_letters import DEFAULT_PATH, DeadLetters, numbered
from guardduty_lens.outputs.sinks import CannotOpenError, DeliveryError, FileSink, Sink
from guardduty_lens.retries import Retries

if TYPE_CHECKING:
    from guardduty_lens.cli.child import Protocol
    from guardduty_lens.outputs.cluster import Cluster

_OF_CLUSTERS = ("url", "user", "no_state", "with_foreign", "flat", "without_templates")

_CLUSTER_OPTIONS = [
    click.option("--no-state", is_flag=True, help="No state (one document a finding): the log alone."),
    click.option(
        "--with-foreign", is_flag=True, help="To the cluster's log also events that are not GuardDuty's."
    ),
    click.option(
        "--flat",
        is_flag=True,
        help="The AWS blog post's own form: `detail` flattened, in the one index guarddutylogs, created by "
        "finding id, so that the first version of a finding is never updated.",
    ),
    without_templates_option,
    click.option(
        "--give-up-after",
        type=click.FloatRange(1, 86_400),
        default=DEFAULT_GIVE_UP_AFTER_SECONDS,
        show_default=True,
        metavar="SECONDS",
        help="How long the cluster is tried again while it does not confirm.",
    ),
]
"""What matters only with `--to opensearch`."""


def cluster_options(function: Any) -> Any:
    """Add the options that matter only where records go to a cluster."""
    for option in reversed(_CLUSTER_OPTIONS):
        function = option(function)
    return function


def job_options(function: Any) -> Any:
    """Add the options of a run."""
    path = click.Path(path_type=Path)
    for option in reversed(
        [
            click.option("-o", "--output", type=path, default="-", help="Where records go. [default: -]"),
            click.option(
                "--dead-letters",
                type=path,
                help="Where rejected input goes; appended to, and made only when needed. "
                f"[default: {DEFAULT_PATH}; of replay, the first of {numbered('N')} that is not there]",
            ),
            click.option("--summary", type=path, help="Write the summary as JSON to this file."),
            click.option(
                "--flatten", is_flag=True, help="Write `detail` flattened, as the AWS blog post does."
            ),
            click.option("--add-only", is_flag=True, help="Write the added fields alone."),
            click.option(
                "--workers",
                type=click.IntRange(1, 64),
                default=1,
                show_default=True,
                help="Processes that share regular files among them; the order is kept.",
            ),
            click.option("--unbuffered", is_flag=True, help="Hand on each record at once."),
            click.option(
                "--to",
                type=click.Choice(["file", "opensearch", "parquet"]),
                default="file",
                show_default=True,
                help="Where records go: --output, the cluster at --url, or --output as a folder of Parquet.",
            ),
            *_CLUSTER_OPTIONS,
            allow_empty_option,
            click.option("-q", "--quiet", is_flag=True, help="No summary on standard error."),
        ]
    ):
        function = option(function)
    return lens_options(rule_options(opensearch_options(function)))


@click.command("filter")
@click.argument("paths", nargs=-1, metavar="[PATH]...", type=LocalPath())
@click.option(
    "--protocol",
    type=click.Choice(["jsonl", "fluentd-exec", "rsyslog-mmexternal", "rsyslog-omprog"]),
    help="Be a shipper's child process: for each line of standard input one on standard output, at once.",
)
@job_options
def command(paths: tuple[Path, ...], protocol: "Protocol | None", **options: Any) -> None:
    """Enrich GuardDuty findings: payloads of any shape in, one JSON record a line out.

    PATH is a file, a folder (its *.json *.jsonl *.ndjson *.log, also .gz, at any depth), or - for
    standard input, which is the default. Shapes and gzip are told by content.

    A RULE is `[NAME: ]TEST[ and TEST]…`, a TEST is `field`, `!field`, or `field OPERATOR value`; operators
    are = != ~ (with * and ?) < <= > >=. For example: --drop-if 'scanner: remote_ips=198.51.100.7 and
    finding_type ~ Recon:*'. What it drops is counted by its name.
    """
    if protocol is not None:
        try:
            be_a_child(protocol, paths, options)
        except signals.Stopped as stopped:
            signals.end(stopped.exit_code)  # without a word: rsyslog reads them as answers
        return
    start(Files(paths), **options)


def be_a_child(protocol: "Protocol", paths: tuple[Path, ...], options: dict[str, Any]) -> None:
    """Answer a shipper line by line. Raises UsageError for options that would leave a line unanswered."""
    from guardduty_lens.cli.child import answer_lines, confirm_lines, standard_streams

    require_extras(extras_of(options))
    lens = make_lens(options)
    given, to = standard_streams()
    confirms = protocol == "rsyslog-omprog"
    if paths or (not confirms and (lens.rules or options["output"] != STANDARD or options["to"] != "file")):
        raise click.UsageError(
            f"--protocol {protocol} answers every line: no PATH, no rules, no other output"
        )
    if not confirms:
        answer_lines(lens, protocol, given, to)
        return
    if options["to"] == "parquet":
        raise click.UsageError("--protocol does not go with --to parquet")
    if options["to"] == "file" and options["output"] == STANDARD:
        raise click.UsageError("--protocol rsyslog-omprog needs --output FILE or --to opensearch")
    cluster = _cluster(options)
    try:
        with (
            DeadLetters(options["dead_letters"] or DEFAULT_PATH) as dead_letters,
            _appending(options, lens, dead_letters, cluster) as sink,
        ):
            confirm_lines(lens, sink, dead_letters, given, to)
    except CannotOpenError as error:
        raise click.UsageError(str(error)) from error
    except (DeliveryError, OSError) as error:
        click.echo(f"guardduty-lens: could not deliver: {error}", err=True)
        raise click.exceptions.Exit(EXIT_UNDELIVERED) from error


def _appending(
    options: dict[str, Any], lens: Lens, dead_letters: DeadLetters, cluster: "Cluster | None"
) -> AbstractContextManager[Sink]:
    if cluster is None:
        return FileSink(options["output"], forms.whole, unbuffered=False, append=True)
    from guardduty_lens.outputs.cluster import ClusterSink

    return ClusterSink(cluster, lens, dead_letters, retries=Retries(signals.is_in_a_hurry))


def extras_of(options: Mapping[str, Any]) -> dict[str, str]:
    """Give the extras that a run's options need, and which option needs each."""
    if options["to"] == "opensearch":
        return extras_of_cluster(options)
    return {"parquet": "--to parquet"} if options["to"] == "parquet" else {}


def start(inputs: Sources, *, rate: float | None = None, append: bool = False, **options: Any) -> NoReturn:
    """Make the Lens and the job that the options ask for, and run it."""
    require_extras(extras_of(options))
    if options["flatten"] and options["add_only"]:
        raise click.UsageError("--flatten and --add-only exclude each other")
    form = forms.flattened if options["flatten"] else forms.added_only if options["add_only"] else forms.whole
    job = Job(
        inputs=inputs,
        output=options["output"],
        dead_letters=options["dead_letters"] or DEFAULT_PATH,
        summary=options["summary"],
        form=form,
        quiet=options["quiet"],
        unbuffered=options["unbuffered"],
        workers=options["workers"],
        cluster=_cluster(options),
        parquet=_is_parquet(options),
        rate=rate,
        append=append,
        again=options_again(options["output"]),
        allow_empty=options["allow_empty"],
    )
    run(job, make_lens(options))


def _is_parquet(options: dict[str, Any]) -> bool:
    """Tell whether Parquet is asked for, by options that go together."""
    if options["to"] != "parquet":
        return False
    if options["flatten"] or options["add_only"] or options["unbuffered"]:
        raise click.UsageError("--flatten, --add-only and --unbuffered do not go with --to parquet")
    if options["output"] == STANDARD:
        raise click.UsageError("--to parquet needs --output FOLDER")
    return True


def _cluster(options: dict[str, Any]) -> "Cluster | None":
    """Make the cluster that the options ask for; what is wrong with them is a usage error."""
    asked = [name for name in _OF_CLUSTERS if options[name]]
    if options["to"] != "opensearch":
        if asked:
            raise click.UsageError(f"--{asked[0].replace('_', '-')} goes with --to opensearch")
        return None
    if options["flatten"] or options["add_only"] or options["output"] != STANDARD:
        raise click.UsageError("--output, --flatten and --add-only do not go with --to opensearch")
    return cluster_of(options)


def cluster_of(options: Mapping[str, Any]) -> "Cluster":
    """Make the cluster that the options of a connection and `cluster_options` ask for. Raises UsageError."""
    from guardduty_lens.outputs.cluster import Cluster

    # What opensearch-py says of each request is said by us, once and in fewer words.
    logging.getLogger("opensearch").setLevel(logging.CRITICAL)
    return Cluster(
        connection=connection_of(dict(options)),
        names=names_of(dict(options)),
        state=not options["no_state"],
        flat=options["flat"],
        give_up_after=options["give_up_after"],
        without_templates=options["without_templates"],
    )


def make_lens(options: dict[str, Any]) -> Lens:
    """Make the Lens that the options ask for; what is wrong with them is a usage error."""
    scheme = severity_scheme(options["severity_scheme"])
    try:
        lens = Lens(
            fields=options["fields"],
            field_prefix=options["field_prefix"],
            severity_scheme=scheme,
            wrapper_keys=options["wrapper_key"],
            splice=not options["flatten"],
        )
        lens.rules = tuple(_rules(options, lens))
    except (*USER_ERRORS, rules.RuleError) as error:
        raise click.UsageError(str(error)) from error
    return lens


def _rules(options: dict[str, Any], lens: Lens) -> list[rules.Rule]:
    made = []
    if options["to"] == "opensearch" and not options["with_foreign"]:
        from guardduty_lens.opensearch.documents import without_foreign

        made.append(without_foreign())
    return made + rules.rules_of(
        only=options["only"],
        least_severity=options["min_severity"],
        without_samples=options["exclude_samples"],
        without_archived=options["exclude_archived"],
        drop=options["drop_if"],
        keep=options["keep_if"],
        scheme=lens.plan.scheme,
        types=lens.field_types(),
    )
