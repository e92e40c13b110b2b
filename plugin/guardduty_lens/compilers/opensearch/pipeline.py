"""The ingest pipeline: layout, a grok for each regex, the interpreter, and where a record belongs."""

from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any

from guardduty_lens.catalogue.regex_dialect import MAX_INPUT
from guardduty_lens.compilers.captures import Capture, Captures
from guardduty_lens.compilers.parameters import (
    GUARDDUTY_KINDS,
    IDENTITY_FIELDS,
    TEXT_KEYS,
    interpreter_params,
)
from guardduty_lens.engine.plan import Plan
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

# Always matches, and captures nothing: a text that does not match the pattern is no failure of the step.
_NO_MATCH = "\\A"

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


def ingest_pipeline(plan: Plan, names: Names) -> Resource:
    """Give the pipeline that adds a plan's fields.

    Raises NotCompiledError for what a pipeline cannot do.
    """
    captures = Captures(plan)
    failure = f"{plan.field_prefix}{FAILURE_FIELD}"
    params = {
        "layOut": _layout_params(plan, captures, failure),
        "interpret": interpreter_params(plan, captures),
        "finish": _document_params(plan, names, captures, failure),
    }
    # Each script costs the server a look at the whole document, so there are as few as can be.
    layout, rest = (["layOut"], ["interpret", "finish"]) if list(captures) else ([], list(params))
    body = {
        # A pipeline of OpenSearch takes no `_meta`: whose it is, and of which version, is said here.
        "description": f"{META} {__version__}: adds the fields of guardduty-lens to GuardDuty's findings.",
        "processors": [
            *(_tagged(LAYOUT, _script([part], params), failure) for part in layout),
            *(_tagged(capture.name, _grok(capture), failure) for capture in captures),
            _tagged(FIELDS, _script(rest, params), failure, _script(["finish"], params)),
        ],
    }
    return Resource("ingest_pipeline", names.pipeline, body)


def _tagged(
    tag: str, processor: dict[str, Any], failure: str, instead: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Give a processor its name, and let the pipeline go on behind it when it fails, with `instead` first."""
    [(kind, options)] = processor.items()
    said = {"step": tag, "message": "{{{_ingest.on_failure_message}}}"}
    note = {"set": {"tag": f"{tag}-failed", "field": failure, "value": said, "override": False}}
    return {kind: {"tag": tag, **options, "on_failure": [note, instead] if instead else [note]}}


def _grok(capture: Capture) -> dict[str, Any]:
    patterns = [capture.pattern.write("java", capture.groups), _NO_MATCH]
    return {"grok": {"field": capture.input, "patterns": patterns, "ignore_missing": True}}


def _script(functions: Sequence[str], params: Mapping[str, Any]) -> dict[str, Any]:
    """Give the script that calls functions of the sources on the document, one after the other."""
    folder = resources.files(__package__)
    names = ["shared", *(_SOURCES[function] for function in functions)]
    texts = [(folder / f"{name}.painless").read_text("utf-8") for name in names]
    calls = [f"{function}(ctx, params.{function});" for function in functions]
    source = "\n".join([*texts, *calls])
    own = {function: params[function] for function in functions}
    return {"script": {"lang": "painless", "source": source, "params": own}}


def _layout_params(plan: Plan, captures: Captures, failure: str) -> dict[str, Any]:
    prefix = plan.field_prefix
    times = (f"{prefix}ingested_at", f"{prefix}ingest_lag_seconds")
    ours = (*plan.keys, *times, failure, *captures.temporary_keys)
    return {
        "text_keys": list(TEXT_KEYS),
        "metadata": dict.fromkeys(_METADATA, True),
        "ours": dict.fromkeys(ours, True),
        "regexes": captures.layout,
        "regex_input": MAX_INPUT,
    }


def _document_params(plan: Plan, names: Names, captures: Captures, failure: str) -> dict[str, Any]:
    prefix = plan.field_prefix
    fields = (*IDENTITY_FIELDS, "ingested_at", "ingest_lag_seconds")
    return {
        "keys": {field: f"{prefix}{field}" for field in fields},
        "times": [f"{prefix}eventLastSeen", "time", "eventTime"],
        "log": names.log,
        "cloudtrail": names.cloudtrail,
        "guardduty_kinds": list(GUARDDUTY_KINDS),
        "failure": {
            "key": failure,
            "step": FIELDS,
            "message": f"id_too_long: an _id has at most {ID_BYTES} bytes; the server chose one",
            "id_bytes": ID_BYTES,
        },
        "temporary": captures.temporary_keys,
    }
