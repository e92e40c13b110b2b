"""Generate catalogue/tables/countries.json: country names, as geo databases send them, to ISO 3166-1 alpha-2.

Source of facts: Unicode CLDR, as PyPI's babel has it, for codes and English names; the further names of
country_variants.py. Names are looked up exactly at run time, so spellings without accents, with either
apostrophe, with `&` or `and`, and with `Saint`, `St.` or `St` are written out here.
"""

import sys
import unicodedata
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from typing import Any

from babel import Locale
from babel.core import get_cldr_version, get_global
from country_variants import NAMES, STYLES
from generated_file import PACKAGE, check_wanted, render, write_or_check

TARGET = PACKAGE / "catalogue" / "tables" / "countries.json"
ABOUT = (
    "Country name to ISO 3166-1 alpha-2 code (XK, a user-assigned code, for Kosovo); every code also gives "
    "itself. GuardDuty sends countryName as text from its geo database. Exact spelling counts. Codes and "
    "English names are Unicode CLDR's (licence Unicode-3.0, see NOTICE); further names are by hand."
)
RESERVED = 900
"""From here on, ISO 3166-1 leaves numbers to its users; CLDR has Kosovo there, and what is no country."""

KOSOVO = "XK"
SAME = (
    ("\N{RIGHT SINGLE QUOTATION MARK}", "'"),
    ("'", "\N{RIGHT SINGLE QUOTATION MARK}"),
    (" & ", " and "),
    (" and ", " & "),
    ("St. ", "Saint "),
    ("Saint ", "St. "),
    ("St. ", "St "),
)
"""What may be written for what."""


def source() -> str:
    """Say what the data is made of."""
    return f"babel {version('babel')}, CLDR {get_cldr_version()}"


def codes_by_number() -> dict[int, str]:
    """Give the alpha-2 code of every number of ISO 3166-1, former numbers included."""
    aliases: Mapping[str, list[str]] = get_global("territory_aliases")
    return {
        int(alias): codes[0]
        for alias, codes in aliases.items()
        if alias.isdigit() and int(alias) < RESERVED and len(codes) == 1 and codes[0].isalpha()
    }


def english_names() -> dict[str, str]:
    """Give CLDR's English name of every country by its alpha-2 code."""
    names = Locale("en").territories
    return {code: names[code] for code in sorted({*codes_by_number().values(), KOSOVO})}


def spellings(name: str) -> set[str]:
    """Give a name in all the ways it is written, with and without accents."""
    names = {unicodedata.normalize("NFC", name)}
    for one, other in SAME:
        names |= {each.replace(one, other) for each in names}
    return names | {_without_accents(each) for each in names}


def _without_accents(name: str) -> str:
    return "".join(each for each in unicodedata.normalize("NFKD", name) if not unicodedata.combining(each))


def named(english: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Give every name with its code."""
    for code, name in english.items():
        yield code, code
        yield name, code
    for style, codes in STYLES.items():
        for code in codes.split():
            yield style.format(english[code]), code
    for code, names in NAMES.items():
        yield from ((name, code) for name in names)


def add(entries: dict[str, str], name: str, code: str) -> None:
    """Add all spellings of a name; raise ValueError where one already stands for another country."""
    for spelling in spellings(name):
        if entries.setdefault(spelling, code) != code:
            raise ValueError(f"{spelling!r} is both {entries[spelling]} and {code}")


def build() -> dict[str, Any]:
    """Give the document: source, about, entries."""
    entries: dict[str, str] = {}
    for name, code in named(english_names()):
        add(entries, name, code)
    return {"source": source(), "about": ABOUT, "entries": entries}


def main() -> int:
    """Write or check the file."""
    check = check_wanted(__doc__)
    return write_or_check(TARGET, render(build()), check=check)


if __name__ == "__main__":
    sys.exit(main())
