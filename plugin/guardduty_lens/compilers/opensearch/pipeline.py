"""The ingest pipeline: layout, a grok for each regex, the interpreter, and where a record belongs."""

from collections.abc import Iterable
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

LAYOUT, FIELDS, DOCUMENT = "lens-layout", "lens-fields", "lens-document"
"""The tags of the scripts, by which failures and statistics name them."""

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
    steps = [
        (LAYOUT, _script("layout", _layout_params(plan, groks, failure))),
        *((grok.tag, grok.processor()) for grok in groks),
        (FIELDS, _script("interpreter", interpreter_params(plan, groks))),
        (DOCUMENT, _script("document", _document_params(plan, names, groks, failure))),
    ]
    body = {
        # A pipeline of OpenSearch takes no `_meta`: whose it is, and of which version, is said here.
        "description": f"{META} {__version__}: adds the fields of guardduty-lens to GuardDuty's findings.",
        "processors": [_tagged(tag, processor, failure) for tag, processor in steps],
    }
    return Resource("ingest_pipeline", names.pipeline, body)


def fields_left_out(extractors: Iterable[Extractor]) -> dict[str, list[str]]:
    """Give the fields that a pipeline does not add, by the name of the extractor that only Python can run."""
    return {extractor.name: [field.name for field in extractor.fields] for extractor in extractors}


def _tagged(tag: str, processor: dict[str, Any], failure: str) -> dict[str, Any]:
    """Give a processor its name, and let the pipeline go on behind it when it fails."""
    [(kind, options)] = processor.items()
    said = {"step": tag, "message": "{{{_ingest.on_failure_message}}}"}
    note = {"set": {"tag": f"{tag}-failed", "field": failure, "value": said, "override": False}}
    return {kind: {"tag": tag, **options, "on_failure": [note]}}


def _script(name: str, params: dict[str, Any]) -> dict[str, Any]:
    folder = resources.files(__package__)
    texts = [(folder / f"{part}.painless").read_text("utf-8") for part in ("shared", name)]
    return {"script": {"lang": "painless", "source": "\n".join(texts), "params": params}}


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
            "step": DOCUMENT,
            "message": f"id_too_long: an _id has at most {ID_BYTES} bytes; the server chose one",
            "id_bytes": ID_BYTES,
        },
        "temporary": groks.temporary_keys,
    }
