"""Names of countries that must be recognised, by whoever sends them."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
TABLE = ROOT / "plugin" / "guardduty_lens" / "catalogue" / "tables" / "countries.json"
COUNTRIES: dict[str, str] = json.loads(TABLE.read_text(encoding="utf-8"))["entries"]

ISO_3166_1 = {
    "BN": "Brunei Darussalam",
    "BO": "Bolivia (Plurinational State of)",
    "BQ": "Bonaire, Sint Eustatius and Saba",
    "CC": "Cocos (Keeling) Islands",
    "CD": "Congo (Democratic Republic of the)",
    "CG": "Congo",
    "CI": "Côte d'Ivoire",
    "CV": "Cabo Verde",
    "FK": "Falkland Islands (the) [Malvinas]",
    "FM": "Micronesia (Federated States of)",
    "GB": "United Kingdom of Great Britain and Northern Ireland",
    "GS": "South Georgia and the South Sandwich Islands",
    "HK": "Hong Kong",
    "HM": "Heard Island and McDonald Islands",
    "IR": "Iran (Islamic Republic of)",
    "KN": "Saint Kitts and Nevis",
    "KP": "Korea (Democratic People's Republic of)",
    "KR": "Korea (Republic of)",
    "LA": "Lao People's Democratic Republic",
    "LC": "Saint Lucia",
    "MD": "Moldova (Republic of)",
    "MF": "Saint Martin (French part)",
    "MM": "Myanmar",
    "MO": "Macao",
    "PM": "Saint Pierre and Miquelon",
    "PN": "Pitcairn",
    "PS": "Palestine, State of",
    "RU": "Russian Federation",
    "SH": "Saint Helena, Ascension and Tristan da Cunha",
    "SX": "Sint Maarten (Dutch part)",
    "SY": "Syrian Arab Republic",
    "TF": "French Southern Territories",
    "TW": "Taiwan (Province of China)",
    "TZ": "Tanzania, United Republic of",
    "UM": "United States Minor Outlying Islands",
    "US": "United States of America",
    "VA": "Holy See",
    "VC": "Saint Vincent and the Grenadines",
    "VE": "Venezuela (Bolivarian Republic of)",
    "VG": "Virgin Islands (British)",
    "VI": "Virgin Islands (U.S.)",
    "VN": "Viet Nam",
}
"""The short English names of the standard where they are not the everyday ones."""

MAXMIND = {
    "AX": "Åland Islands",
    "BA": "Bosnia and Herzegovina",
    "BL": "Saint Barthélemy",
    "BQ": "Bonaire, Sint Eustatius, and Saba",
    "CC": "Cocos (Keeling) Islands",
    "CD": "DR Congo",
    "CG": "Congo Republic",
    "CI": "Ivory Coast",
    "CV": "Cabo Verde",
    "CW": "Curaçao",
    "CZ": "Czechia",
    "FM": "Federated States of Micronesia",
    "GM": "The Gambia",
    "GS": "South Georgia and the South Sandwich Islands",
    "HK": "Hong Kong",
    "HM": "Heard and McDonald Islands",
    "JO": "Hashemite Kingdom of Jordan",
    "KN": "St Kitts and Nevis",
    "LC": "Saint Lucia",
    "LT": "Republic of Lithuania",
    "MD": "Republic of Moldova",
    "MF": "Saint Martin",
    "MK": "North Macedonia",
    "MM": "Myanmar",
    "MO": "Macao",
    "NL": "The Netherlands",
    "PM": "Saint Pierre and Miquelon",
    "PN": "Pitcairn Islands",
    "PS": "Palestine",
    "RE": "Réunion",
    "SH": "Saint Helena",
    "SJ": "Svalbard and Jan Mayen",
    "ST": "São Tomé and Príncipe",
    "SZ": "Eswatini",
    "TF": "French Southern Territories",
    "TL": "Timor-Leste",
    "TR": "Türkiye",
    "UM": "U.S. Outlying Islands",
    "VA": "Vatican City",
    "VC": "St Vincent and Grenadines",
    "VI": "U.S. Virgin Islands",
    "WF": "Wallis and Futuna",
    "XK": "Kosovo",
}
"""Of the GeoIP database, newer and older, where names differ between databases."""


@pytest.mark.parametrize("names", [ISO_3166_1, MAXMIND])
def test_names_of_the_standard_and_of_the_database_are_recognised(names: dict[str, str]) -> None:
    assert {code: COUNTRIES.get(name) for code, name in names.items()} == {code: code for code in names}


def test_every_country_has_a_name_of_its_own_and_the_style_of_the_state() -> None:
    named: dict[str, set[str]] = {}
    for name, code in COUNTRIES.items():
        named.setdefault(code, set()).add(name)
    assert [code for code, names in named.items() if names == {code}] == []
    for code, official in {
        "AU": "Commonwealth of Australia",
        "CN": "People's Republic of China",
        "DE": "Federal Republic of Germany",
        "PL": "Republic of Poland",
        "QA": "State of Qatar",
        "SE": "Kingdom of Sweden",
    }.items():
        assert official in named[code]


def test_every_spelling_of_a_name_is_recognised() -> None:
    for name in (
        "Côte d'Ivoire",
        "Côte d\N{RIGHT SINGLE QUOTATION MARK}Ivoire",
        "Cote d'Ivoire",
        "Republic of Cote d'Ivoire",
    ):
        assert COUNTRIES[name] == "CI"
    for name in (
        "St. Vincent & the Grenadines",
        "St Vincent and the Grenadines",
        "Saint Vincent & Grenadines",
    ):
        assert COUNTRIES[name] == "VC"


def test_every_country_of_the_corpus_is_recognised() -> None:
    """AWS's sample findings name none, and one hand-written finding says that it does not know."""
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "tests" / "corpus").rglob("*.json")]
    names = {name for text in texts for name in re.findall(r'(?i)"countryName\\*"\s*:\s*\\*"([^"\\]+)', text)}
    assert {"United Kingdom", "United States"} <= names
    unknown = {name for name in names - COUNTRIES.keys() if not name.startswith("GeneratedFinding")}
    assert unknown <= {"Unknown"}
