"""`guardduty-lens filter`: payloads of any shape in, enriched records out."""

from pathlib import Path
from typing import Any

import click

from guardduty_lens import rules
from guardduty_lens.cli.options import USER_ERRORS, lens_options, rule_options, severity_scheme
from guardduty_lens.cli.run import Job, run
from guardduty_lens.lens import Lens
from guardduty_lens.outputs import forms
from guardduty_lens.outputs.dead_letters import DEFAULT_PATH


def job_options(function: Any) -> Any:
    """Add the options of a run."""
    path = click.Path(path_type=Path)
    for option in reversed(
        [
            click.option("-o", "--output", type=path, default="-", help="Where records go. [default: -]"),
            click.option(
                "--dead-letters",
                type=path,
                default=DEFAULT_PATH,
                show_default=True,
                help="Where rejected input goes; appended to, and made only when needed.",
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
            click.option("-q", "--quiet", is_flag=True, help="No summary on standard error."),
        ]
    ):
        function = option(function)
    return lens_options(rule_options(function))


@click.command("filter")
@click.argument(
    "paths", nargs=-1, metavar="[PATH]...", type=click.Path(exists=True, allow_dash=True, path_type=Path)
)
@job_options
def command(paths: tuple[Path, ...], **options: Any) -> None:
    """Enrich GuardDuty findings: payloads of any shape in, one JSON record a line out.

    PATH is a file, a folder (its *.json *.jsonl *.ndjson *.log, also .gz, at any depth), or - for
    standard input, which is the default. Shapes and gzip are told by content.

    A RULE is `[NAME: ]TEST[ and TEST]…`, a TEST is `field`, `!field`, or `field OPERATOR value`; operators
    are = != ~ (with * and ?) < <= > >=. For example: --drop-if 'scanner: remote_ips=198.51.100.7 and
    finding_type ~ Recon:*'. What it drops is counted by its name.
    """
    start(paths, **options)


def start(paths: tuple[Path, ...], **options: Any) -> None:
    """Make the Lens and the job that the options ask for, and run it."""
    if options["flatten"] and options["add_only"]:
        raise click.UsageError("--flatten and --add-only exclude each other")
    form = forms.flattened if options["flatten"] else forms.added_only if options["add_only"] else forms.whole
    job = Job(
        inputs=paths,
        output=options["output"],
        dead_letters=options["dead_letters"],
        summary=options["summary"],
        form=form,
        quiet=options["quiet"],
        unbuffered=options["unbuffered"],
        workers=options["workers"],
    )
    run(job, make_lens(options))


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
    if options["only"]:
        made.append(rules.only_kinds(options["only"]))
    if options["exclude_samples"]:
        made.append(rules.exclude_samples())
    if options["exclude_archived"]:
        made.append(rules.exclude_archived())
    if options["min_severity"] is not None:
        made.append(rules.min_severity(options["min_severity"], lens.plan.scheme))
    types = lens.field_types()
    made += [rules.drop_if(text, types) for text in options["drop_if"]]
    made += [rules.keep_if(text, types) for text in options["keep_if"]]
    return made
