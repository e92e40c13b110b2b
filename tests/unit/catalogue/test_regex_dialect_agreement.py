"""The portable regex dialect under two engines and a third one written down here, on random patterns."""

import re
from collections.abc import Callable, Iterator

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from guardduty_lens.catalogue.regex_dialect import NotPortable, Pattern, compile_pattern, parse_pattern
from guardduty_lens.catalogue.regex_dialect.checks import count_ways
from guardduty_lens.catalogue.regex_dialect.syntax import Branches, Group, Item, Run, Sequence

ATOMS = ("a", "b", "c", "-", "é", "😀", r"\.", r"\t", r"\$", "%", ".", r"\d", r"\w", r"\D", r"\W")
CLASSES = (
    "[a-c]",
    "[^a]",
    "[^-]",
    r"[\w.-]",
    r"[b\]]",
    "[é-ü]",
    "[^é]",
    r"[^\d\n]",
    "[${]",
    "[&a]",
    r"[\^a]",
)
QUANTIFIERS = ("", "", "", "?", "*", "+", "{2}", "{0,2}", "{1,3}", "{1,}")
LETTERS = "abc-.é😀\t\n$% _1]&^A{\r"


def _patterns() -> st.SearchStrategy[str]:
    runs = st.builds(str.__add__, st.sampled_from(ATOMS + CLASSES), st.sampled_from(QUANTIFIERS))
    bodies = st.recursive(runs, _groups, max_leaves=12)
    return bodies.map(_number_groups)


def _groups(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    sequences = st.lists(inner, min_size=1, max_size=4).map("".join)
    alternatives = st.lists(sequences, min_size=1, max_size=3).map("|".join)
    groups = st.builds(
        "{}{}){}".format, st.sampled_from(["(?:", "(?P<g#>"]), alternatives, st.sampled_from(["", "?"])
    )
    return sequences | groups


def _number_groups(text: str) -> str:
    while "g#>" in text:
        text = text.replace("g#>", f"g{text.count('g#>')}>", 1)
    return text


def _parsed(text: str) -> Pattern:
    try:
        return parse_pattern(text)
    except NotPortable:
        assume(False)
        raise


PATTERNS = _patterns().map(_parsed)


def _matching(draw: Callable[[st.SearchStrategy[int]], int], branches: Branches) -> str:
    """Draw a string that some way through the tree spells."""
    branch = branches[draw(st.integers(0, len(branches) - 1))]
    return "".join(_spelt(draw, item) for item in branch)


def _spelt(draw: Callable[[st.SearchStrategy[int]], int], item: Item) -> str:
    if isinstance(item, Group):
        taken = not item.optional or draw(st.integers(0, 1))
        return _matching(draw, item.branches) if taken else ""
    usable = [char for char in LETTERS if _accepts(item, char)] or [chr(item.chars.allowed[0][0])]
    count = draw(st.integers(item.least, item.least + 3 if item.most is None else item.most))
    return "".join(usable[draw(st.integers(0, len(usable) - 1))] for _ in range(count))


def _accepts(run: Run, char: str) -> bool:
    return any(low <= ord(char) <= high for low, high in run.chars.allowed)


def _values(data: st.DataObject, pattern: Pattern) -> str:
    value = data.draw(st.text(LETTERS, max_size=12)) if data.draw(st.booleans()) else ""
    spelt = _matching(data.draw, pattern.branches)
    cut = data.draw(st.integers(0, len(spelt)))
    return data.draw(
        st.sampled_from([spelt, spelt, value, spelt[:cut] + value, spelt[:cut] + value + spelt[cut:]])
    )


RELAXED = settings(suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow], deadline=None)


@RELAXED
@given(pattern=PATTERNS, data=st.data())
def test_re2_and_re_agree(pattern: Pattern, data: st.DataObject) -> None:
    value = _values(data, pattern)
    found = re.fullmatch(pattern.portable.removesuffix(r"\z") + r"\Z", value)
    expected = found and {name: text for name, text in found.groupdict().items() if text}
    assert compile_pattern(pattern)(value) == expected


@RELAXED
@given(pattern=PATTERNS, data=st.data())
def test_a_string_spelt_by_the_pattern_matches(pattern: Pattern, data: st.DataObject) -> None:
    assert compile_pattern(pattern)(_matching(data.draw, pattern.branches)) is not None


@RELAXED
@given(pattern=PATTERNS)
def test_written_pattern_reads_as_the_same_pattern(pattern: Pattern) -> None:
    codes = {r"\x24": r"\$", r"\x25": "%"}
    written = re.sub(r"\\x2[45]", lambda code: codes[code[0]], pattern.portable)
    again = parse_pattern(written.removeprefix(r"\A").removesuffix(r"\z"))
    inner = pattern.portable.removeprefix(r"\A").removesuffix(r"\z")
    assert again.portable == rf"\A(?:{inner})\z"


class Backtracker:
    """The plainest engine that backtracks: it tries what it can in order, and counts its steps."""

    def __init__(self, value: str) -> None:
        self._value = value
        self.steps = 0

    def fullmatch(self, branches: Branches) -> bool:
        return any(at == len(self._value) for at in self._branches(branches, 0))

    def _branches(self, branches: Branches, at: int) -> Iterator[int]:
        for branch in branches:
            yield from self._sequence(branch, at)

    def _sequence(self, items: Sequence, at: int) -> Iterator[int]:
        self.steps += 1
        if not items:
            yield at
            return
        for after in self._item(items[0], at):
            yield from self._sequence(items[1:], after)

    def _item(self, item: Item, at: int) -> Iterator[int]:
        if isinstance(item, Run):
            yield from self._run(item, at)
            return
        yield from self._branches(item.branches, at)
        if item.optional:
            yield at

    def _run(self, run: Run, at: int) -> Iterator[int]:
        end = at
        most = len(self._value) if run.most is None else run.most
        while end < len(self._value) and end - at < most and _accepts(run, self._value[end]):
            self.steps += 1
            end += 1
        for stop in range(end, at + run.least - 1, -1):
            self.steps += 1
            yield stop


def _items(branches: Branches) -> int:
    inside = [item for branch in branches for item in branch]
    return (
        len(inside) + len(branches) + sum(_items(item.branches) for item in inside if isinstance(item, Group))
    )


@RELAXED
@given(pattern=PATTERNS, data=st.data())
def test_backtracking_is_bounded_by_the_ways_counted(pattern: Pattern, data: st.DataObject) -> None:
    value = _values(data, pattern)
    value += value[-1:] * data.draw(st.sampled_from([0, 20, 200]))
    engine = Backtracker(value)
    matched = engine.fullmatch(pattern.branches)
    assert matched == (compile_pattern(pattern)(value) is not None)
    assert (
        engine.steps <= count_ways(pattern.branches) * (len(value) + 1) * (_items(pattern.branches) + 1) * 2
    )


def test_the_backtracker_stalls_on_what_is_refused() -> None:
    """Or else the bound above would prove nothing."""
    (run,), (end,) = parse_pattern("[a-z]*").branches[0], parse_pattern("[A-Z]").branches[0]
    engine = Backtracker("a" * 60)
    assert not engine.fullmatch(((run, run, run, end),))
    assert engine.steps > 10 * 61 * 6 * 2
