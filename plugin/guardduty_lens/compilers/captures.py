"""Users' regexes for engines that run them outside of the interpreter's language.

Such an engine reads one text at the top of the document and writes the named groups there, so what it reads
is laid out there by the first step, and both are taken away by the last.
"""

from collections.abc import Iterator

import msgspec

from guardduty_lens.catalogue.model import RegexOptions
from guardduty_lens.catalogue.paths import Key
from guardduty_lens.catalogue.regex_dialect import Pattern, parse_pattern
from guardduty_lens.compilers.limits import NotCompiledError
from guardduty_lens.engine.plan import Plan, PlanSource


class Capture(msgspec.Struct, frozen=True):
    """One pattern over the text at one path; `number` tells it from the others."""

    number: int
    keys: tuple[str, ...]
    pattern: Pattern

    @property
    def name(self) -> str:
        """The name of the step that runs it."""
        return f"lens-regex-{self.number}"

    @property
    def input(self) -> str:
        """The key of what it reads."""
        return f"lensregex{self.number}input"

    @property
    def groups(self) -> dict[str, str]:
        """The key that each named group goes to. Java takes no underscore in it, nor would `.` be one key."""
        return {
            group: f"lensregex{self.number}group{turn}"
            for turn, group in enumerate(self.pattern.groups, start=1)
        }


class Captures:
    """The captures of a plan: one for each pattern and path, however many groups are asked of it.

    Raises NotCompiledError for a regex that reads anything but one path of keys of the event.
    """

    def __init__(self, plan: Plan) -> None:
        self._captures: dict[tuple[tuple[str, ...], str], Capture] = {}
        for source, options in _regexes(plan):
            place = (_keys(source), options.pattern)
            if place not in self._captures:
                capture = Capture(len(self._captures) + 1, place[0], parse_pattern(options.pattern))
                self._captures[place] = capture

    def __iter__(self) -> Iterator[Capture]:
        return iter(self._captures.values())

    def data(self, source: PlanSource) -> dict[str, str]:
        """Give the key at which a source finds its group."""
        options = source.operation.options
        return {"capture": self._captures[_keys(source), options.pattern].groups[options.group]}

    @property
    def layout(self) -> list[dict[str, object]]:
        """What the first step lays out: the keys of the path in the event, and the key at the top."""
        return [{"keys": list(capture.keys), "input": capture.input} for capture in self]

    @property
    def temporary_keys(self) -> list[str]:
        """The keys that the last step takes away."""
        return [key for capture in self for key in (capture.input, *capture.groups.values())]


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
