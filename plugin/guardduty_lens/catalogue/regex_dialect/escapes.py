"""What a backslash means in the portable dialect, and why some escapes are refused."""

from guardduty_lens.catalogue.regex_dialect.syntax import Chars, NotPortable

DIGIT = ((0x30, 0x39),)
WORD = ((0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A))

CLASSES = {
    "d": Chars(DIGIT),
    "D": Chars(DIGIT, negated=True),
    "w": Chars(WORD),
    "W": Chars(WORD, negated=True),
}

CONTROLS = {"t": "\t", "n": "\n", "r": "\r"}

PUNCTUATION = frozenset(' !"#$%&()*+,-./:;=?@[\\]^{|}~')

_WHITE_SPACE = "is another set of characters in each engine; write the ones you mean, such as [ \\t]"
_ANCHOR = "is not needed, since a pattern always has to match the whole string; leave it out"
_BOUNDARY = "depends on what an engine calls a word; write the delimiter you expect"
_PROPERTY = "follows each engine's own version of Unicode; write a class such as [A-Za-z]"
_CODE = "is written differently in each engine; write the character itself"
_QUOTE = "is not known to every engine; escape each special character by itself"
_REFERENCE = "is a reference to a group, which RE2 does not have"
_LINE_END = "is not known to every engine; write \\n, \\r or a class of both"
_KEEP = "is not known to RE2; name a group around what you want to keep"
_PLAIN = "means a boundary in some engines; write the character without the backslash"

_REFUSED = (
    ("sShHvV", _WHITE_SPACE),
    ("AzZG", _ANCHOR),
    ("bByY<>", _BOUNDARY),
    ("pP", _PROPERTY),
    ("xuUcCoNaefM0", _CODE),
    ("QE", _QUOTE),
    ("kg123456789", _REFERENCE),
    ("RX", _LINE_END),
    ("K", _KEEP),
    ("`'", _PLAIN),
)


def read_escape(text: str, offset: int) -> Chars:
    r"""Give what the escape at `offset` of `text` stands for.

    Accepted are `\d \D \w \W` (ASCII), `\t \n \r`, and a backslash before ASCII punctuation or a space.
    Raises NotPortable for any other.
    """
    letter = text[offset + 1 : offset + 2]
    if letter in CLASSES:
        return CLASSES[letter]
    if letter in CONTROLS or letter in PUNCTUATION:
        code = ord(CONTROLS.get(letter, letter))
        return Chars(((code, code),))
    raise NotPortable(_why_refused(letter), offset)


def _why_refused(letter: str) -> str:
    if not letter:
        return "a backslash with nothing after it; write \\\\ for the character itself"
    for letters, reason in _REFUSED:
        if letter in letters:
            return f"\\{letter} {reason}"
    return f"\\{letter} is not an escape every engine knows; write the character without the backslash"
