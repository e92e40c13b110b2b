"""The portable regex dialect: what is accepted and how it is rewritten, what is refused and where."""

import pytest

from guardduty_lens.catalogue.regex_dialect import (
    MAX_INPUT,
    Flavour,
    NotPortable,
    Pattern,
    compile_pattern,
    parse_pattern,
)
from guardduty_lens.catalogue.regex_dialect.checks import count_ways

ACCEPTED = [
    # literals and escapes of single characters
    ("prod", "prod"),
    ("a b", "a b"),
    (r"a\.b\\c", r"a\.b\\c"),
    (r"\/\-\"\:\@\ \=\!\,\;\&\~", '/-":@ =!,;&~'),
    (r"\^\$\(\)\[\]\{\}\|\*\+\?", r"\^\x24\(\)\[\]\{\}\|\*\+\?"),
    ("]}", r"\]\}"),
    ("<a>'`_", "<a>'`_"),
    ("#%", r"\x23\x25"),
    (r"%{3}\${2}#{4}", r"\x25{3}\x24{2}\x23{4}"),
    (r"\t\n\r", r"\t\n\r"),
    ("\t\n\x00\x7f", r"\t\n\x00\x7f"),
    ("Zürich😀", "Zürich😀"),
    # classes
    (".", r"[^\n]"),
    (r"\d\w\D\W", r"[0-9][0-9A-Z_a-z][^0-9][^0-9A-Z_a-z]"),
    (r"[\w.-]", r"[\-.0-9A-Z_a-z]"),
    ("[-a]", r"[\-a]"),
    ("[a-c-]", r"[\-a-c]"),
    ("[^-]", r"[^\-]"),
    ("[--]", "-"),
    (r"[+\--]", r"[+\-]"),
    (r"[a\-z]", r"[\-az]"),
    (r"[+-\-]", r"[+-\-]"),
    ("[zxya]", "[ax-z]"),
    ("[ab]", "[ab]"),
    ("[a-ab-b]", "[ab]"),
    ("[.]", r"\."),
    ("[$]", r"\x24"),
    ("[${%#]", r"[\x23-\x25{]"),
    ("[.*+?(){}|^$]", r"[\x24(-+.?\^{-}]"),
    (r"[\[\]\\\^]", r"[\[-\^]"),
    (r"[a\]]", r"[\]a]"),
    ("[a&b]", r"[\&ab]"),
    (r"[^\d\n]", r"[^\n0-9]"),
    ("[é-ü😀]", "[é-ü😀]"),
    ("[^é]", "[^é]"),
    # quantifiers
    ("a*b+c?d", "a*b+c?d"),
    ("a{2}b{1,3}c{0,1}d{0,}e{1,}f{1}g{03}h", "a{2}b{1,3}c?d*e+fg{3}h"),
    ("a{2,}b", "a{2,}b"),
    ("a{1000}", "a{1000}"),
    # groups and alternatives
    ("(?P<env>prod|dev)-(?P<rest>.+)", r"(?P<env>prod|dev)-(?P<rest>[^\n]+)"),
    ("(?:a|b)?c", "(?:a|b)?c"),
    ("(?P<a>x)(?:(?P<b_2>y)|z)?", "(?P<a>x)(?:(?P<b_2>y)|z)?"),
    ("a?|b?", "a?|b?"),
    # anchors of the whole
    ("^ab$", "ab"),
    ("^ab", "ab"),
    ("ab$", "ab"),
    (r"^ab\$", r"ab\x24"),
    ("^(?:a|b)$", "(?:a|b)"),
    # runs that the next character ends, or that vary little
    ("[^:]*:[^:]*:.*", r"[^:]*:[^:]*:[^\n]*"),
    ("[a-z]+[0-9]*[A-Z]*", "[a-z]+[0-9]*[A-Z]*"),
    (".{0,64}x.*", r"[^\n]{0,64}x[^\n]*"),
    ("[0-9]{12}[0-9a-f]*", "[0-9]{12}[0-9a-f]*"),
    ("[0-9]{100}[0-9]", "[0-9]{100}[0-9]"),
    ("[a-z]{0,64}[a-z]{0,64}[A-Z]", "[a-z]{0,64}[a-z]{0,64}[A-Z]"),
    ("(?:a|ab)(?:c|bcd)(?:d|de)?", "(?:a|ab)(?:c|bcd)(?:d|de)?"),
    # refused neither for depth nor for length, just below
    ("(?:" * 20 + "a" + ")" * 20, "(?:" * 20 + "a" + ")" * 20),
    ("a" * 2_000, "a" * 2_000),
]

RUN = "this run and what may follow it can both take"
WAYS = "more than 1000 ways"

REFUSED = [
    # nothing there
    ("", "an empty pattern", 0),
    ("^$", "an empty pattern", 1),
    ("(?:)", "an empty pattern", 3),
    ("(?P<a>)", "an empty pattern", 6),
    ("a|", "an empty pattern", 2),
    ("|a", "an empty pattern", 0),
    ("(?:a||b)", "an empty pattern", 5),
    # anchors and boundaries
    ("a^b", "^ inside a pattern", 1),
    ("a$b", "$ inside a pattern", 1),
    ("(?:^a)", "^ inside a pattern", 3),
    ("(?:a$)", "$ inside a pattern", 4),
    ("^^a", "^ inside a pattern", 1),
    ("a$$", "$ inside a pattern", 1),
    ("^a|b", "belong to one alternative only", 0),
    ("a|b$", "belong to one alternative only", 3),
    (r"\Aa", r"\A is not needed", 0),
    (r"a\z", r"\z is not needed", 1),
    (r"a\Z", r"\Z is not needed", 1),
    (r"a\b", r"\b depends on what an engine calls a word", 1),
    (r"a\B", r"\B depends on what an engine calls a word", 1),
    (r"\<a", r"\< depends on what an engine calls a word", 0),
    # escapes
    (r"a\s", r"\s is another set of characters", 1),
    (r"\S", r"\S is another set of characters", 0),
    (r"[a\s]", r"\s is another set of characters", 2),
    (r"\pL", r"\p follows each engine's own version of Unicode", 0),
    (r"\P{Lu}", r"\P follows each engine's own version of Unicode", 0),
    (r"\Qa.b\E", r"\Q is not known to every engine", 0),
    (r"\x41", r"\x is written differently", 0),
    (r"\u00e9", r"\u is written differently", 0),
    (r"\0", r"\0 is written differently", 0),
    (r"(?P<a>x)\1", r"\1 is a reference to a group", 8),
    (r"(?P<a>x)\k<a>", r"\k is a reference to a group", 8),
    (r"\R", r"\R is not known to every engine", 0),
    (r"a\Kb", r"\K is not known to RE2", 1),
    (r"\'", r"\' means a boundary in some engines", 0),
    (r"\_", r"\_ is not an escape every engine knows", 0),
    (r"\é", r"\é is not an escape every engine knows", 0),
    ("a\\", "a backslash with nothing after it", 1),
    # quantifiers
    ("*a", "* has nothing to repeat", 0),
    ("a|+", "+ has nothing to repeat", 2),
    ("(?:?)", "? has nothing to repeat", 3),
    ("^*", "* has nothing to repeat", 1),
    ("{2}", "{ has nothing to count", 0),
    ("a**", "* after another quantifier", 2),
    ("a{2}{3}", "{ after another quantifier", 4),
    ("a*?", "lazy quantifiers", 2),
    ("a{2}?", "lazy quantifiers", 4),
    ("a??", "lazy quantifiers", 2),
    ("(?:a)??", "lazy quantifiers", 6),
    ("a++", "possessive quantifiers", 2),
    ("a{2}+", "possessive quantifiers", 4),
    ("a{,3}", "write {0,n}", 1),
    ("a{", "{ without a count", 1),
    ("a{x}", "{ without a count", 1),
    ("a{1, 2}", "{ without a count", 1),
    ("a{\u0661}", "{ without a count", 1),
    ("a{1001}", "counts end at 1000", 1),
    ("a{0,1001}", "counts end at 1000", 1),
    ("a{3,2}", "a count from more to less", 1),
    ("a{0}", "a count of zero", 1),
    ("a{0,0}", "a count of zero", 1),
    # groups
    ("(a)", "plain groups are numbered differently", 0),
    ("(*FAIL)", "plain groups are numbered differently", 0),
    ("(?<a>x)", "named groups are written (?P<name>…)", 0),
    ("(?'a'x)", "named groups are written (?P<name>…)", 0),
    ("a(?=b)", "look-around", 1),
    ("a(?!b)", "look-around", 1),
    ("(?<=a)b", "look-around", 0),
    ("(?<!a)b", "look-around", 0),
    ("(?>a)", "atomic groups", 0),
    ("(?P<a>x)(?P=a)", "references to groups", 8),
    ("(?R)", "references to groups", 0),
    ("(?|a|b)", "branch reset", 0),
    ("(?~a)", "absence groups", 0),
    ("(?(1)a|b)", "conditions", 0),
    ("(?#note)a", "comments", 0),
    ("(?i)a", "flags differ", 0),
    ("a(?i:b)", "flags differ", 1),
    ("(?-i)a", "flags differ", 0),
    ("(?P<A>x)", "a group's name", 4),
    ("(?P<1a>x)", "a group's name", 4),
    ("(?P<a-b>x)", "a group's name", 4),
    ("(?P<>x)", "a group's name", 4),
    ("(?P<a>x)(?P<a>y)", "two groups are named a", 12),
    ("(?:a", "a ( without its )", 0),
    ("a)", "a ) without its (", 1),
    ("(?:a)*", "a group may only be followed by ?", 5),
    ("(?:a)+", "a group may only be followed by ?", 5),
    ("(?P<a>a){2}", "a group may only be followed by ?", 8),
    ("(?:a?)?", "? on a group that can match nothing", 0),
    ("b(?:a|c*(?:d)?)?", "? on a group that can match nothing", 1),
    ("(?:" * 21 + "a" + ")" * 21, "nested more than 20 deep", 60),
    # classes
    ("[]", "] at the start of a class", 1),
    ("[]a]", "] at the start of a class", 1),
    ("[^]a]", "] at the start of a class", 2),
    ("a[bc", "a [ without its ]", 1),
    ("[", "a [ without its ]", 0),
    ("[a-", "a [ without its ]", 0),
    ("[[:alpha:]]", "[ in a class", 1),
    ("[a[b]]", "[ in a class", 2),
    ("[a&&b]", "&& in a class", 2),
    ("[z-a]", "a range from a higher character", 1),
    ("[a-c-e]", "- in the middle of a class", 4),
    ("[--a]", "- in the middle of a class", 1),
    ("[+--]", "- in the middle of a class", 1),
    (r"[\d-z]", "- in the middle of a class", 1),
    (r"[a-\d]", "- in the middle of a class", 1),
    (r"[a\D]", r"\D and \W are not taken in a class", 2),
    (r"[^\W]", r"\D and \W are not taken in a class", 2),
    ("[^\0-\U0010ffff]", "a class that no character is in", 0),
    # what engines that backtrack would pay for
    ("(?:a|aa)+$", "a group may only be followed by ?", 8),
    ("[a-z]*[a-z]*[a-z]*[A-Z]", f"{RUN} 'a'", 6),
    (".*-(?P<rest>.*)", f"{RUN} '-'", 0),
    ("[a-z]*b?c", f"{RUN} 'b'", 0),
    ("[a-z]+(?:[0-9])?(?:-|c)?X", f"{RUN} 'c'", 0),
    ("(?:[a-z]+|x)?(?:1)?y", f"{RUN} 'y'", 3),
    ("(?P<a>(?:1|[0-9]*))(?:-|(?:7)?)", f"{RUN} '7'", 11),
    ("[a-z]{0,65}z", f"{RUN} 'z'", 0),
    ("[a-z]{2,}z", f"{RUN} 'z'", 0),
    (r"\D*\W", f"{RUN} '\\x00'", 0),
    ("a?" * 11 + "a" * 11, WAYS, 2),
    ("(?:a|aa)" * 20, WAYS, 80),
    ("(?:a?|b?)" * 11, WAYS, 48),
    ("[a-z]{0,64}[a-z]{0,64}z", WAYS, 0),
    ("x" + "(?:prod|prd|pre)" * 7, WAYS, 1),
    # sizes
    ("a" * 2_001, "more than 2000 characters", 2_000),
    ("[^a]{1000}" * 6, "the pattern grows too large here", 50),
    ("ab\ud800", "half of a surrogate pair", 2),
]


@pytest.mark.parametrize(("text", "inner"), ACCEPTED)
def test_accepted_pattern_is_rewritten(text: str, inner: str) -> None:
    assert parse_pattern(text).portable == rf"\A(?:{inner})\z"


@pytest.mark.parametrize(("text", "reason", "offset"), REFUSED)
def test_refused_pattern_says_why_and_where(text: str, reason: str, offset: int) -> None:
    with pytest.raises(NotPortable) as refused:
        parse_pattern(text)
    assert reason in refused.value.reason
    assert refused.value.offset == offset
    assert str(refused.value) == f"{refused.value.reason} (at offset {offset})"


def test_groups_come_in_the_order_in_which_they_open() -> None:
    assert parse_pattern("(?P<b>x(?P<c>y)?)|(?P<a>z)").groups == ("b", "c", "a")
    assert parse_pattern("xyz").groups == ()


@pytest.mark.parametrize(
    ("flavour", "names", "written"),
    [
        ("re2", None, r"\A(?:(?P<env>a)(?P<team>b))\z"),
        ("onigmo", None, r"\A(?:(?<env>a)(?<team>b))\z"),
        ("ruby", None, r"\A(?:(?<env>a)(?<team>b))\z"),
        ("java", None, r"\A(?:(?<env>a)(?<team>b))\z"),
        ("onigmo", {"env": "x_1", "other": "y"}, r"\A(?:(?<x_1>a)(?<team>b))\z"),
        ("java", {"env": "team", "team": "env"}, r"\A(?:(?<team>a)(?<env>b))\z"),
    ],
)
def test_each_flavour_writes_groups_its_way(
    flavour: Flavour, names: dict[str, str] | None, written: str
) -> None:
    assert parse_pattern("(?P<env>a)(?P<team>b)").write(flavour, names) == written


@pytest.mark.parametrize(
    ("flavour", "names", "complaint"),
    [
        ("java", None, "'env_name' cannot name a group in java"),
        ("re2", {"env_name": "a-b"}, "'a-b' cannot name a group in re2"),
        ("ruby", {"env_name": "team"}, "the same name"),
    ],
)
def test_names_an_engine_would_not_take(
    flavour: Flavour, names: dict[str, str] | None, complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        parse_pattern("(?P<env_name>a)(?P<team>b)").write(flavour, names)


def test_equal_patterns_are_equal_and_hashable() -> None:
    assert parse_pattern("(?P<a>x)[b-d]") == parse_pattern("(?P<a>x)[b-d]")
    assert len({parse_pattern("a"), parse_pattern("a"), parse_pattern("b")}) == 2


MATCHES = [
    ("(?P<env>prod|dev)-(?P<rest>.+)", "prod-a-b", {"env": "prod", "rest": "a-b"}),
    ("(?P<env>prod|dev)-(?P<rest>.+)", "xprod-a", None),
    ("(?P<env>prod|dev)-(?P<rest>.+)", "prod-a\n", None),
    ("^a$", "a\n", None),
    ("(?P<a>x)?(?P<b>y*)z", "z", {}),
    ("(?P<a>x)?(?P<b>y*)z", "yyz", {"b": "yy"}),
    ("(?P<a>[^-]+)-(?P<b>.*)", "é😀-ü", {"a": "é😀", "b": "ü"}),
    ("(?P<a>a|ab)(?P<b>c|bcd)", "abcd", {"a": "a", "b": "bcd"}),
    ("(?:(?P<a>a)c|ab)", "ab", {}),
    ("[0-9]+", "\u0661", None),
    ("\\d+", "\u0661", None),
    (r"\w+", "é", None),
    (".", "\r", {}),
    (".", "\u2028", {}),
    (r"\W", "\n", {}),
    ("[^a]*", "\ud800", None),
    (".*", "x" * MAX_INPUT, {}),
    (".*", "x" * (MAX_INPUT + 1), None),
    (".*", "😀" * MAX_INPUT, {}),
]


@pytest.mark.parametrize(("text", "value", "found"), MATCHES)
def test_match(text: str, value: str, found: dict[str, str] | None) -> None:
    assert compile_pattern(parse_pattern(text))(value) == found


def test_what_a_caller_does_to_a_result_does_not_come_back() -> None:
    match = compile_pattern(parse_pattern("(?P<a>.*)"))
    first = match("x")
    assert first == {"a": "x"}
    first["a"] = "changed"
    assert match("x") == {"a": "x"}


def test_pattern_too_large_for_re2_is_refused_when_it_is_compiled() -> None:
    (branch,) = parse_pattern("[^a]{1000}").branches
    with pytest.raises(NotPortable, match="RE2 does not take it"):
        compile_pattern(Pattern("[^a]{1000}" * 100, (branch * 100,), ()))


def test_largest_size_accepted_is_within_what_re2_takes() -> None:
    compile_pattern(parse_pattern("[^\u0416]{1000}" * 5))
    scattered = "".join(chr(0x10000 + 997 * n) for n in range(50))
    compile_pattern(parse_pattern(f"[{scattered}]{{100}}"))


def test_ways_count_only_what_one_character_leaves_open() -> None:
    assert count_ways(parse_pattern("[a-z]+[0-9]*(?:X|Y)?").branches) == 1
    assert count_ways(parse_pattern("(?:prod|prd|dev)-a?b").branches) == 2
    assert count_ways(parse_pattern("a?a?a?a").branches) == 8
    assert count_ways(parse_pattern(".{0,64}(?:xy|xz)").branches) == 130
