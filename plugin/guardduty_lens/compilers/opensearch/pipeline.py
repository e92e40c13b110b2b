"""The ingest pipeline: layout, a grok for each regex, the interpreter, and where a record belongs."""

from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from typing import Any

from guardduty_lens.catalogue.operations.kind import FOREIGN_KINDS, KINDS
from guardduty_lens.catalogue.regex_dialect import MAX_INPUT
from guardduty_lens.compilers.opensearch.parameters import interpreter_params
from guardduty_lens.compilers.opensearch.regexes import Groks
from guardduty_lens.engine.plan import Plan
from guardduty_lens.extractors import Extractor
from guardduty_lens.opensearch.names import Names
from guardduty_lens.opensearch.resources import META, Resource
from guardduty_lens.version import __version__

FAILURE_FIELD = "lens_pipeline_failure"
"""Says which step failed first (`step`, `message`), after the field prefix. The document is kept."""

ID_BYTES = 512
"""Bytes of UTF-8 that OpenSearch takes as an `_id`."""

SOURCE_BYTES = 65_535
"""Bytes that OpenSearch takes as a script's source."""

LAYOUT, FIELDS = "lens-layout", "lens-fields"
"""The tags of the scripts, by which failures and statistics name them."""

_SOURCES = {"layOut": "layout", "interpret": "interpreter", "finish": "document"}

_TEXT_KEYS = ("message", "log")

# The server's own keys of a document on its way through a pipeline.
_METADATA = (
    "_index",
    "_id",
    "_type",
    "_version",
    "_version_type",
    "_routing",
    "_if_seq_no",
    "_if_primary_term",
)

_IDENTITY_FIELDS = ("record_kind", "finding_id", "finding_arn", "updated_at", "event_count", "is_archived")


def ingest_pipeline(plan: Plan, names: Names) -> Resource:
    """Give the pipeline that adds a plan's fields.

    Raises NotCompiledError for what a pipeline cannot do.
    """
    groks = Groks(plan)
    failure = f"{plan.field_prefix}{FAILURE_FIELD}"
    params = {
        "layOut": _layout_params(plan, groks, failure),
        "interpret": interpreter_params(plan, groks),
        "finish": _document_params(plan, names, groks, failure),
    }
    # Each script costs the server a look at the whole document, so there are as few as can be.
    layout, rest = (["layOut"], ["interpret", "finish"]) if list(groks) else ([], list(params))
    body = {
        # A pipeline of OpenSearch takes no `_meta`: whose it is, and of which version, is said here.
        "description": f"{META} {__version__}: adds the fields of guardduty-lens to GuardDuty's findings.",
        "processors": [
            *(_tagged(LAYOUT, _script([part], params), failure) for part in layout),
            *(_tagged(grok.tag, grok.processor(), failure) for grok in groks),
            _tagged(FIELDS, _script(rest, params), failure, _script(["finish"], params)),
        ],
    }
    return Resource("ingest_pipeline", names.pipeline, body)


def fields_left_out(extractors: Iterable[Extractor], field_prefix: str = "") -> dict[str, list[str]]:
    """Give the keys that a pipeline does not add, by the name of the extractor that only Python can run."""
    return {each.name: [f"{field_prefix}{field.name}" for field in each.fields] for each in extractors}


def _tagged(
    tag: str, processor: dict[str, Any], failure: str, instead: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Give a processor its name, and let the pipeline go on behind it when it fails, with `instead` first."""
    [(kind, options)] = processor.items()
    said = {"step": tag, "message": "{{{_ingest.on_failure_message}}}"}
    note = {"set": {"tag": f"{tag}-failed", "field": failure, "value": said, "override": False}}
    return {kind: {"tag": tag, **options, "on_failure": [note, instead] if instead else [note]}}


def _script(functions: Sequence[str], params: Mapping[str, Any]) -> dict[str, Any]:
    """Give the script that calls functions of the sources on the document, one after the other."""
    folder = resources.files(__package__)
    names = ["shared", *(_SOURCES[function] for function in functions)]
    texts = [(folder / f"{name}.painless").read_text("utf-8") for name in names]
    calls = [f"{function}(ctx, params.{function});" for function in functions]
    source = "\n".join([*texts, *calls])
    own = {function: params[function] for function in functions}
    return {"script": {"lang": "painless", "source": source, "params": own}}


def _layout_params(plan: Plan, groks: Groks, failure: str) -> dict[str, Any]:
    prefix = plan.field_prefix
    times = (f"{prefix}ingested_at", f"{prefix}ingest_lag_seconds")
    ours = (*plan.keys, *times, failure, *groks.temporary_keys)
    return {
        "text_keys": list(_TEXT_KEYS),
        "metadata": dict.fromkeys(_METADATA, True),
        "ours": dict.fromkeys(ours, True),
        "regexes": [{"keys": list(grok.keys), "input": grok.input} for grok in groks],
        "regex_input": MAX_INPUT,
    }


def _document_params(plan: Plan, names: Names, groks: Groks, failure: str) -> dict[str, Any]:
    prefix = plan.field_prefix
    fields = (*_IDENTITY_FIELDS, "ingested_at", "ingest_lag_seconds")
    return {
        "keys": {field: f"{prefix}{field}" for field in fields},
        "times": [f"{prefix}eventLastSeen", "time", "eventTime"],
        "log": names.log,
        "cloudtrail": names.cloudtrail,
        "guardduty_kinds": [kind for kind in KINDS if kind not in FOREIGN_KINDS],
        "failure": {
            "key": failure,
            "step": FIELDS,
            "message": f"id_too_long: an _id has at most {ID_BYTES} bytes; the server chose one",
            "id_bytes": ID_BYTES,
        },
        "temporary": groks.temporary_keys,
    }
