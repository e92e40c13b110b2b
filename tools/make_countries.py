"""Generate catalogue/tables/countries.json: country names, as geo databases send them, to ISO 3166-1 alpha-2.

Source of facts: country_converter's own table for short and official names; the further names of
country_variants.py are resolved by its patterns. Names are looked up exactly at run time, so spellings
without accents, with a typographic apostrophe and with `&` are written out here.
"""

import re
import sys
import unicodedata
from importlib.metadata import version
from typing import Any

import pandas  # type: ignore[import-untyped] # ships no types; only this generator needs it
from country_converter.country_converter import COUNTRY_DATA_FILE, CountryConverter
from country_variants import SAME_AS, VARIANTS
from generated_file import PACKAGE, check_wanted, render, write_or_check

TARGET = PACKAGE / "catalogue" / "tables" / "countries.json"
ABOUT = (
    "Country name to ISO 3166-1 alpha-2 code (XK, a user-assigned code, for Kosovo); every code also gives "
    "itself. GuardDuty sends countryName as text from its geo database. Exact spelling counts."
)
ALPHA_2 = re.compile(r"[A-Z]{2}")


def converter() -> CountryConverter:
    """Give the converter, with its table read by us: under pandas 3 its own reading loses Namibia's `NA`."""
    table = pandas.read_csv(
        COUNTRY_DATA_FILE, sep="\t", encoding="utf-8", dtype=str, keep_default_na=False, na_values=[""]
    )
    return CountryConverter(country_data=table)


def code_of(countries: CountryConverter, name: str, kind: str = "regex") -> str:
    """Give the one alpha-2 code of a name; raise LookupError where there is none or more than one."""
    code = countries.convert(name, src=kind, to="ISO2")
    if not (isinstance(code, str) and ALPHA_2.fullmatch(code)):
        raise LookupError(f"country_converter gives {code!r} for {name!r}")
    return code


def spellings(name: str) -> set[str]:
    """Give a name with and without accents, with both apostrophes, with `and` and `&`."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    names = {unicodedata.normalize("NFC", name), plain}
    names |= {n.replace("'", "\N{RIGHT SINGLE QUOTATION MARK}") for n in names}
    return names | {n.replace(" and ", " & ") for n in names}


def add(entries: dict[str, str], name: str, code: str) -> None:
    """Add all spellings of a name; raise ValueError where one already stands for another country."""
    for spelling in spellings(name):
        if entries.setdefault(spelling, code) != code:
            raise ValueError(f"{spelling!r} is both {entries[spelling]} and {code}")


def build() -> dict[str, Any]:
    """Give the document: source, about, entries."""
    countries = converter()
    entries: dict[str, str] = {}
    rows = countries.data[["name_short", "name_official", "ISO3"]]
    for short, official, iso3 in rows.itertuples(index=False):
        code = code_of(countries, iso3, "ISO3")
        for name in (short, official, code):
            add(entries, name, code)
    for name in VARIANTS:
        add(entries, name, code_of(countries, name))
    for name, known in SAME_AS.items():
        add(entries, name, code_of(countries, known))
    source = f"country_converter {version('country_converter')}"
    return {"source": source, "about": ABOUT, "entries": entries}


def main() -> int:
    """Write or check the file."""
    check = check_wanted(__doc__)
    return write_or_check(TARGET, render(build()), check=check)


if __name__ == "__main__":
    sys.exit(main())
