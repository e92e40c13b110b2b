"""The grammar of GuardDuty finding types.

`ThreatPurpose:ResourceTypeAffected/ThreatFamilyName.DetectionMechanism!Artifact`, as the GuardDuty
user guide ("GuardDuty finding format") and the second seed give it. Two equal readings of it live
here: the documented regular expression, and cuts at literal delimiters, which every engine can make.
"""

import re
from functools import lru_cache
from typing import NamedTuple

FINDING_TYPE_REGEX = (
    r"^(?P<purpose>[A-Za-z][A-Za-z0-9]*):(?P<resource>[A-Za-z][A-Za-z0-9]*)/"
    r"(?P<family>[^.!/\s]+)(?:\.(?P<variant>[^!\s]+))?(?:!(?P<artifact>\S+))?$"
)
_FINDING_TYPE = re.compile(FINDING_TYPE_REGEX.removesuffix("$") + r"\Z", re.ASCII)

_WORD = r"[A-Za-z][A-Za-z0-9]*"
# Fixtures of 2018 have a blank where the slash belongs.
_OLD_SPELLING = re.compile(rf"({_WORD}:{_WORD}) ([^.!/\s].*)\Z", re.ASCII)
# Security Hub's spelling: a namespace, mostly a category, and a hyphen or dot for the slash; the purpose may
# be the category alone (GuardDuty user guide, "Integrating with AWS Security Hub", table of finding types).
ASFF_NAMESPACES = ("TTPs", "Effects", "Unusual Behaviors", "Software and Configuration Checks")
_ASFF_SPELLING = re.compile(
    rf"(?:{'|'.join(ASFF_NAMESPACES)})/(?:(?P<category>[^/:]+)/)?"
    rf"(?:(?P<purpose>{_WORD}):)?(?P<resource>{_WORD})[-/.](?P<family>[^.!/\s].*)\Z",
    re.ASCII,
)
ASFF_NAMES_OF_THEIR_OWN = {
    "TTPs/DefenseEvasion/EC2:Unusual-DNS-Resolver": "DefenseEvasion:EC2/UnusualDNSResolver",
    "TTPs/DefenseEvasion/EC2:Unusual-DoH-Activity": "DefenseEvasion:EC2/UnusualDoHActivity",
    "TTPs/DefenseEvasion/EC2:Unusual-DoT-Activity": "DefenseEvasion:EC2/UnusualDoTActivity",
}

# ASCII only: what counts as a blank must be the same in every engine.
_BLANKS = frozenset(" \t\n\r\f\v")
_LETTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_ALPHANUMERICS = _LETTERS | frozenset("0123456789")


class FindingType(NamedTuple):
    """A finding type in its canonical spelling, and its parts; parts that are not there are None."""

    canonical: str
    purpose: str | None = None
    resource: str | None = None
    family: str | None = None
    variant: str | None = None
    artifact: str | None = None

    @property
    def parsed(self) -> bool:
        """Whether the type follows the grammar; if not, only `canonical` is set."""
        return self.purpose is not None


def canonical_spelling(text: str) -> str:
    r"""Give the type as AWS spells it today.

    HTML-escaped (`&amp;`) and twice-escaped (`\u0026`) ampersands become `&`; Security Hub's
    `TTPs/<tactic>/Purpose:Resource-Family…` and the `Purpose:Resource Family…` of old fixtures get
    their slash. Any other text comes back as it is.
    """
    text = text.replace("&amp;", "&").replace("\\u0026", "&")
    old = _OLD_SPELLING.match(text)
    return f"{old[1]}/{old[2]}" if old else _from_asff_spelling(text)


def _from_asff_spelling(text: str) -> str:
    asff = _ASFF_SPELLING.match(text)
    if asff is None or text in ASFF_NAMES_OF_THEIR_OWN:
        return ASFF_NAMES_OF_THEIR_OWN.get(text, text)
    category = (asff["category"] or "").replace(" ", "")
    family = asff["family"]
    if asff["purpose"] and category == "AnomalousBehavior":
        family = f"{category}.{family}"
    purpose = asff["purpose"] or category
    return f"{purpose}:{asff['resource']}/{family}" if purpose else text


@lru_cache(maxsize=4096)
def parse_finding_type(text: str) -> FindingType:
    """Split a finding type into its parts by the documented regular expression. Never raises."""
    canonical = canonical_spelling(text)
    match = _FINDING_TYPE.match(canonical)
    return FindingType(canonical, **match.groupdict()) if match else FindingType(canonical)


def split_finding_type(text: str) -> FindingType:
    """Split a finding type by cuts at literals, as the engines without our regex do. Never raises."""
    canonical = canonical_spelling(text)
    nothing = FindingType(canonical)
    purpose, colon, rest = canonical.partition(":")
    resource, slash, rest = rest.partition("/")
    if not (colon and slash and _is_word(purpose) and _is_word(resource)):
        return nothing
    if any(character in _BLANKS for character in rest):
        return nothing
    head, bang, artifact = rest.partition("!")
    family, dot, variant = head.partition(".")
    if not family or "/" in family or (dot and not variant) or (bang and not artifact):
        return nothing
    return FindingType(canonical, purpose, resource, family, variant or None, artifact or None)


def _is_word(text: str) -> bool:
    return bool(text) and text[0] in _LETTERS and all(character in _ALPHANUMERICS for character in text)
