"""The plan for Logstash: one fixed Ruby script for its `ruby` filter, and the plan as data beside it."""

from importlib import resources
from typing import Any

from guardduty_lens.catalogue.regex_dialect import MAX_INPUT, parse_pattern
from guardduty_lens.compilers.parameters import path_data
from guardduty_lens.compilers.scripts import PLAN_FILE, plan_text, script_plan
from guardduty_lens.engine.plan import Plan, PlanSource
from guardduty_lens.opensearch.names import Names

SCRIPT_FILE, CONFIG_FILE = "guardduty-lens.rb", "guardduty.conf"
"""The names of the files that `compile logstash` writes beside the plan."""


class _RubyRegexes:
    """Users' regexes in Ruby's own engine."""

    def data(self, source: PlanSource) -> dict[str, Any]:
        options = source.operation.options
        return {
            "paths": [path_data(path) for path in source.paths],
            "pattern": parse_pattern(options.pattern).write("ruby"),
            "group": options.group,
            "longest": MAX_INPUT,
        }


def logstash_files(plan: Plan, names: Names) -> dict[str, str]:
    """Give the text of each file, by its name."""
    folder = resources.files(__package__)
    return {
        SCRIPT_FILE: (folder / "interpreter.rb").read_text("utf-8"),
        PLAN_FILE: plan_text(script_plan(plan, names, _RubyRegexes())),
        CONFIG_FILE: (folder / CONFIG_FILE).read_text("utf-8"),
    }
