"""The plan for Fluent Bit: one fixed Lua script for its `lua` filter, the plan as data, and a configuration.

Lua has no regular expressions: users' regexes become parsers of Fluent Bit's own, between two calls of the
script.
"""

import json
from importlib import resources

from guardduty_lens.catalogue.regex_dialect import MAX_INPUT
from guardduty_lens.compilers.captures import Capture, Captures
from guardduty_lens.compilers.scripts import PLAN_FILE, plan_text, script_plan
from guardduty_lens.engine.plan import Plan
from guardduty_lens.opensearch.names import Names

SCRIPT_FILE, CONFIG_FILE = "lens.lua", "fluent-bit.yaml"
"""The names of the files that `compile fluent-bit` writes beside the plan."""

_LUA = """\
    - name: lua
      match: aws.guardduty
      script: lens.lua
      call: {function}
      # Keeps nulls and empty arrays of the event.
      enable_flb_null: true
      protected_mode: true
"""

_PARSER_FILTER = """\
    - name: parser
      match: aws.guardduty
      key_name: {input}
      parser: {name}
      reserve_data: true
      preserve_key: true
"""


def fluent_bit_files(plan: Plan, names: Names) -> dict[str, str]:
    """Give the text of each file, by its name. Raises NotCompiledError for what Fluent Bit cannot do."""
    folder = resources.files(__package__)
    captures = Captures(plan)
    keys = {"index": f"{plan.field_prefix}lens_index", "id": f"{plan.field_prefix}lens_document_id"}
    document = script_plan(plan, names, captures)
    document["ours"] = sorted({*document["ours"], *keys.values()})
    document |= {
        "keys": keys,
        "foreign": f"{names.prefix}guardduty-foreign",
        "regexes": captures.layout,
        "temporary": captures.temporary_keys,
        "longest": MAX_INPUT,
    }
    template = (folder / CONFIG_FILE).read_text("utf-8")
    return {
        SCRIPT_FILE: (folder / "interpreter.lua").read_text("utf-8"),
        PLAN_FILE: plan_text(document),
        CONFIG_FILE: _config(template, list(captures), keys),
    }


def _config(template: str, captures: list[Capture], keys: dict[str, str]) -> str:
    parts = {
        "{parsers}": _parsers(captures),
        "{filters}\n": _filters(captures),
        "{index}": keys["index"],
        "{id}": keys["id"],
    }
    for mark, text in parts.items():
        template = template.replace(mark, text)
    return template


def _parsers(captures: list[Capture]) -> str:
    if not captures:
        return ""
    lines = [
        f"  - name: {capture.name}\n    format: regex\n    regex: {_quoted(_pattern(capture))}\n"
        for capture in captures
    ]
    return "".join(["# The regexes of your fields.\nparsers:\n", *lines, "\n"])


def _pattern(capture: Capture) -> str:
    return capture.pattern.write("ruby", capture.groups)


def _filters(captures: list[Capture]) -> str:
    if not captures:
        return _LUA.format(function="enrich")
    between = [_PARSER_FILTER.format(name=capture.name, input=capture.input) for capture in captures]
    return "".join([_LUA.format(function="lay_out"), *between, _LUA.format(function="add_fields")])


def _quoted(text: str) -> str:
    """Quote a text for YAML, whose double-quoted form takes JSON's escapes."""
    return json.dumps(text)
