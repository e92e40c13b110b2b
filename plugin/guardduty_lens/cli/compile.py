"""`guardduty-lens compile`: the fields as what other engines run, written to files."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import msgspec

from guardduty_lens.alerts.monitors import monitors
from guardduty_lens.cli.alert_options import alert_options, alerts_of, channel_option, parameters_of
from guardduty_lens.cli.dashboard_options import dashboards_of, dashboards_option, stock_map_option
from guardduty_lens.cli.groups import Group
from guardduty_lens.cli.options import (
    USER_ERRORS,
    catalogue_options,
    index_prefix_option,
    severity_scheme,
)
from guardduty_lens.compilers.coralogix import FILE as TERRAFORM_FILE
from guardduty_lens.compilers.coralogix import SEED_SPELLING, coralogix_file
from guardduty_lens.compilers.fluent_bit import fluent_bit_files
from guardduty_lens.compilers.limits import NotCompiledError, fields_left_out
from guardduty_lens.compilers.logstash import logstash_files
from guardduty_lens.compilers.opensearch import ingest_pipeline
from guardduty_lens.inputs.s3_archive import location_of
from guardduty_lens.lens import Lens
from guardduty_lens.opensearch.names import Names
from guardduty_lens.opensearch.resources import IndexOptions, Resource
from guardduty_lens.opensearch.templates import templates
from guardduty_lens.outputs.places import cannot_write
from guardduty_lens.parquet.athena import FILE as ATHENA_FILE
from guardduty_lens.parquet.athena import athena_sql
from guardduty_lens.parquet.columns import Columns, ColumnsError
from guardduty_lens.visuals.fields import fields_of_lens
from guardduty_lens.visuals.saved_objects import files_of, saved_objects

output_option = click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="The folder that the files go to.",
)


@click.group("compile", cls=Group)
def command() -> None:
    """Write what other engines run, from the same fields as `filter` adds."""


@command.command("opensearch")
@output_option
@catalogue_options
@index_prefix_option
def opensearch(
    output: Path, fields: Path | None, field_prefix: str, severity_scheme: str, index_prefix: str
) -> None:
    """Write templates and ingest pipeline for OpenSearch: the body that is put, as KIND/NAME.json."""
    lens = _lens(fields, field_prefix, severity_scheme)
    resources = _resources(lens, _names(index_prefix))
    _write(output, {f"{each.kind}/{each.name}.json": _body_text(each) for each in resources})
    _say_what_is_left_out(lens, field_prefix, "the pipeline")


def _say_what_is_left_out(lens: Lens, field_prefix: str, what: str) -> None:
    for extractor, names in fields_left_out(lens.extractors, field_prefix).items():
        click.echo(
            f"not in {what}, since only Python can run the extractor {extractor}: {', '.join(names)}",
            err=True,
        )


@command.command("logstash")
@output_option
@catalogue_options
@index_prefix_option
def logstash(
    output: Path, fields: Path | None, field_prefix: str, severity_scheme: str, index_prefix: str
) -> None:
    """Write a script for Logstash's ruby filter, the plan that it runs, and a configuration.

    The script adds the same fields as filter, of EventBridge's events and of findings in camelCase, as they
    are or as text in message or log. Other shapes want Python.
    """
    lens = _lens(fields, field_prefix, severity_scheme)
    _write(output, logstash_files(lens.plan, _names(index_prefix)))
    _say_what_is_left_out(lens, field_prefix, "the script")


@command.command("fluent-bit")
@output_option
@catalogue_options
@index_prefix_option
def fluent_bit(
    output: Path, fields: Path | None, field_prefix: str, severity_scheme: str, index_prefix: str
) -> None:
    """Write a script for Fluent Bit's lua filter, the plan that it runs, and a configuration.

    The script adds the same fields as filter, of EventBridge's events and of findings in camelCase, as they
    are or as text in message or log. Other shapes want Python.
    """
    lens = _lens(fields, field_prefix, severity_scheme)
    try:
        files = fluent_bit_files(lens.plan, _names(index_prefix))
    except NotCompiledError as error:
        raise click.UsageError(str(error)) from error
    _write(output, files)
    click.echo(
        "Fluent Bit's Lua writes 8.0 as 8, and rounds integers above 2^53 in the event itself.", err=True
    )
    _say_what_is_left_out(lens, field_prefix, "the script")


@command.command("alerts")
@output_option
@alert_options
@channel_option
@catalogue_options
@index_prefix_option
def alerts(output: Path, index_prefix: str, alert_channel: str | None, **options: Any) -> None:
    """Write the monitors of OpenSearch's Alerting plugin: the body that is posted, as ID.json."""
    lens = _lens(options["fields"], options["field_prefix"], options["severity_scheme"])
    known = fields_of_lens(lens)
    made, notes = monitors(
        alerts_of(known, options["alerts"]),
        known,
        _names(index_prefix),
        parameters=parameters_of(options),
        channel=alert_channel,
    )
    files = {f"{_file_name(each.name, index_prefix)}.json": _body_text(each) for each in made}
    _write(output, files)
    for line in notes:
        click.echo(line, err=True)


@command.command("coralogix")
@output_option
@alert_options
@click.option(
    "--application", default="guardduty", show_default=True, help="Whose raw findings rules are for."
)
@click.option(
    "--seed-spelling",
    is_flag=True,
    help=f"Call the affected resource {SEED_SPELLING}, as Coralogix's article does.",
)
@catalogue_options
def coralogix(output: Path, application: str, seed_spelling: bool, **options: Any) -> None:
    """Write alerts and parsing rules as a Terraform file for Coralogix's provider."""
    lens = _lens(options["fields"], options["field_prefix"], options["severity_scheme"])
    known = fields_of_lens(lens)
    text, notes = coralogix_file(
        alerts_of(known, options["alerts"]),
        known,
        parameters=parameters_of(options),
        application=application,
        seed_spelling=seed_spelling,
    )
    _write(output, {TERRAFORM_FILE: text})
    for line in notes:
        click.echo(line, err=True)


@command.command("athena")
@output_option
@click.option(
    "--location",
    metavar="s3://BUCKET/PREFIX",
    required=True,
    help="Where the files are: the --output of the Spark job, or where a folder of --to parquet was copied.",
)
@catalogue_options
def athena(output: Path, location: str, **options: Any) -> None:
    """Write tables and views for Amazon Athena over Parquet files of ours."""
    lens = _lens(options["fields"], options["field_prefix"], options["severity_scheme"])
    try:
        text = athena_sql(Columns(lens), str(location_of(location)))
    except ColumnsError as error:
        raise click.UsageError(str(error)) from error
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--location") from error
    _write(output, {ATHENA_FILE: text})


def _file_name(name: str, index_prefix: str) -> str:
    words = name.removeprefix(index_prefix).removeprefix("GuardDuty: ")
    return "-".join(words.lower().split())


def _body_text(resource: Resource) -> str:
    return msgspec.json.format(msgspec.json.encode(resource.body), indent=2).decode() + "\n"


@command.command("dashboards")
@output_option
@dashboards_option
@stock_map_option
@catalogue_options
@index_prefix_option
def dashboards(
    output: Path,
    dashboards: Path | None,
    stock_map: bool,
    fields: Path | None,
    field_prefix: str,
    severity_scheme: str,
    index_prefix: str,
) -> None:
    """Write import files for OpenSearch Dashboards: all.ndjson, and one for each dashboard alone."""
    lens = _lens(fields, field_prefix, severity_scheme)
    known, wanted = dashboards_of(lens, dashboards)
    objects = saved_objects(wanted, known, _names(index_prefix), stock_map=stock_map)
    _write(output, files_of(objects))


def _write(folder: Path, files: Mapping[str, str]) -> None:
    """Write files into a folder, and say which. Raises UsageError where that cannot be."""
    for name, text in files.items():
        path = folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            place = Path(error.filename or path)
            raise click.UsageError(cannot_write("files", place, error, "--output")) from error
        click.echo(path)


def _lens(fields: Path | None, field_prefix: str, scheme: str) -> Lens:
    try:
        return Lens(fields=fields, field_prefix=field_prefix, severity_scheme=severity_scheme(scheme))
    except USER_ERRORS as error:
        raise click.UsageError(str(error)) from error


def _names(index_prefix: str) -> Names:
    try:
        return Names(index_prefix)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--index-prefix") from error


def _resources(lens: Lens, names: Names) -> list[Resource]:
    """Give everything that is written, in the order in which it is put."""
    prefix = lens.plan.field_prefix
    extra = {f"{prefix}{field.name}": field.type for each in lens.extractors for field in each.fields}
    try:
        pipeline = ingest_pipeline(lens.plan, names)
    except NotCompiledError as error:
        raise click.UsageError(str(error)) from error
    return [*templates(lens.plan, names, IndexOptions(), extra_fields=extra), pipeline]
