"""Users' regexes as grok processors: the pipeline's scripts have none.

A grok processor reads one text and writes its named groups at the top of the document, so what it reads is
laid out there by the first step, and both are taken away by the last.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from guardduty_lens.catalogue.model import RegexOptions
from guardduty_lens.catalogue.paths import Key
from guardduty_lens.catalogue.regex_dialect import Pattern, parse_pattern
from guardduty_lens.engine.plan import Plan, PlanSource

# Always matches, and captures nothing: a text that does not match the pattern is no failure of the step.
_NO_MATCH = "\\A"


class NotCompiledError(ValueError):
    """Something in a plan that a pipeline cannot do."""


class Grok(msgspec.Struct, frozen=True):
    """One pattern over the text at one path; `number` tells it from the others."""

    number: int
    keys: tuple[str, ...]
    pattern: Pattern

    @property
    def tag(self) -> str:
        """The step's name."""
        return f"lens-regex-{self.number}"

    @property
    def input(self) -> str:
        """The key of what it reads."""
        return f"lensregex{self.number}input"

    @property
    def captures(self) -> dict[str, str]:
        """The key that each named group goes to. Java takes no underscore in it, nor would `.` be one key."""
        return {
            group: f"lensregex{self.number}group{turn}"
            for turn, group in enumerate(self.pattern.groups, start=1)
        }

    def processor(self) -> dict[str, Any]:
        """Give the processor, without its tag and what it does on failure."""
        return {
            "grok": {
                "field": self.input,
                "patterns": [self.pattern.write("java", self.captures), _NO_MATCH],
                "ignore_missing": True,
            }
        }


class Groks:
    """The grok processors of a plan: one for each pattern and path, however many groups are asked of it.

    Raises NotCompiledError for a regex that reads anything but one path of keys of the event.
    """

    def __init__(self, plan: Plan) -> None:
        self._groks: dict[tuple[tuple[str, ...], str], Grok] = {}
        for source, options in _regexes(plan):
            place = (_keys(source), options.pattern)
            if place not in self._groks:
                grok = Grok(len(self._groks) + 1, place[0], parse_pattern(options.pattern))
                self._groks[place] = grok

    def __iter__(self) -> Iterator[Grok]:
        return iter(self._groks.values())

    def capture(self, source: PlanSource) -> str:
        """Give the key at which a source finds its group."""
        options = source.operation.options
        return self._groks[_keys(source), options.pattern].captures[options.group]

    @property
    def temporary_keys(self) -> list[str]:
        """The keys that the last step takes away."""
        return [key for grok in self for key in (grok.input, *grok.captures.values())]


def _regexes(plan: Plan) -> Iterator[tuple[PlanSource, RegexOptions]]:
    for entry in plan.entries:
        for source in entry.sources:
            if isinstance(source.operation.options, RegexOptions):
                yield source, source.operation.options


def _keys(source: PlanSource) -> tuple[str, ...]:
    [path] = source.paths
    keys = tuple(step.name for step in path.steps if isinstance(step, Key))
    if path.root != "event" or len(keys) < len(path.steps):
        raise NotCompiledError(f"a regex reads one path of the event, without [*]: {path.steps}")
    return keys
