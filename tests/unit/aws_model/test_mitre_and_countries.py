import csv
import json
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
TABLES = ROOT / "plugin" / "guardduty_lens" / "catalogue" / "tables"
TYPES = ROOT / "tests" / "data" / "finding_types.csv"
MITRE = sorted(path.name for path in TABLES.glob("mitre_*.json"))
TECHNIQUE = re.compile(r"T\d{4}(\.\d{3})?")
NO_TACTICS = {
    "AttackSequence",
    "Backdoor",
    "Behavior",
    "Canary",
    "CryptoCurrency",
    "Object",
    "PenTest",
    "Policy",
    "ResourceConsumption",
    "Trojan",
    "UnauthorizedAccess",
}


def _table(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((TABLES / name).read_text(encoding="utf-8"))
    return document


def _entries(name: str) -> dict[str, list[str]]:
    entries = _table(name)["entries"].items()
    return {key: value if isinstance(value, list) else [value] for key, value in entries}


def _types() -> list[dict[str, str]]:
    with TYPES.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


PURPOSES = {row["threat_purpose"] for row in _types()}
FAMILIES = {f"{row['threat_purpose']}/{row['family']}" for row in _types()}
COUNTRIES = _table("countries.json")["entries"]


def test_all_tables_are_here() -> None:
    assert MITRE == [
        "mitre_tactic_ids.json",
        "mitre_tactics_by_family.json",
        "mitre_tactics_by_purpose.json",
        "mitre_technique_names.json",
        "mitre_techniques_by_family.json",
    ]


@pytest.mark.parametrize("name", MITRE)
def test_a_mitre_table_says_what_it_is_and_is_written_stably(name: str) -> None:
    document = _table(name)
    assert document.keys() == {"source", "about", "attack_version", "entries"}
    assert document["attack_version"].startswith("v17.1")
    text = (TABLES / name).read_text(encoding="utf-8")
    assert text == json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


@pytest.mark.parametrize("name", MITRE)
def test_values_are_one_text_or_several_different_ones(name: str) -> None:
    for key, value in _table(name)["entries"].items():
        assert isinstance(value, str) or len(set(value)) == len(value) > 1, key
        assert all(_entries(name)[key])


def test_keys_are_known_purposes_and_families() -> None:
    assert _entries("mitre_tactics_by_purpose.json").keys() == PURPOSES - NO_TACTICS
    assert _entries("mitre_tactics_by_family.json").keys() <= FAMILIES
    assert _entries("mitre_techniques_by_family.json").keys() <= FAMILIES


def test_only_purposes_that_are_no_tactic_have_tactics_by_family() -> None:
    assert {key.split("/")[0] for key in _entries("mitre_tactics_by_family.json")} <= NO_TACTICS


def test_every_family_with_a_technique_has_a_tactic() -> None:
    by_purpose, by_family = (
        _entries("mitre_tactics_by_purpose.json"),
        _entries("mitre_tactics_by_family.json"),
    )
    for key in _entries("mitre_techniques_by_family.json"):
        assert key in by_family or key.split("/")[0] in by_purpose, key


@pytest.mark.parametrize("name", ["mitre_tactics_by_purpose.json", "mitre_tactics_by_family.json"])
def test_every_tactic_has_an_id(name: str) -> None:
    assert {tactic for tactics in _entries(name).values() for tactic in tactics} <= _tactic_ids().keys()


def _tactic_ids() -> dict[str, str]:
    ids: dict[str, str] = _table("mitre_tactic_ids.json")["entries"]
    return ids


def test_tactic_ids_are_well_formed_and_differ_but_for_the_renamed_one() -> None:
    ids = _tactic_ids()
    assert all(re.fullmatch(r"TA\d{4}", identifier) for identifier in ids.values())
    assert ids["Stealth"] == ids["Defense Evasion"] == "TA0005"
    assert len(set(ids.values())) == len(ids) - 1 == 15


def test_every_technique_has_a_name() -> None:
    names = _entries("mitre_technique_names.json")
    used = {t for techniques in _entries("mitre_techniques_by_family.json").values() for t in techniques}
    assert used <= names.keys()
    assert all(TECHNIQUE.fullmatch(identifier) for identifier in names)


def test_a_sub_technique_is_named_with_its_parent() -> None:
    names = _table("mitre_technique_names.json")["entries"]
    for identifier, name in names.items():
        if "." in identifier:
            assert name.startswith(names[identifier.split(".")[0]] + ": ")
        else:
            assert ":" not in name


def test_custom_detection_rules_are_their_own_techniques() -> None:
    names = _table("mitre_technique_names.json")["entries"]
    techniques = _table("mitre_techniques_by_family.json")["entries"]
    for row in _types():
        if row["doc_page"] == "custom-detection-rules":
            name = names[techniques[f"{row['threat_purpose']}/{row['family']}"]].split(": ")[-1]
            assert re.sub(r"[^a-z]", "", name.lower()) == row["family"].lower()


def test_a_country_gives_one_code_and_every_code_itself() -> None:
    codes = set(COUNTRIES.values())
    assert all(re.fullmatch(r"[A-Z]{2}", code) for code in codes)
    assert {code: COUNTRIES.get(code) for code in codes} == {code: code for code in codes}
    assert len(codes) == 250


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("BN", ["Brunei", "Brunei Darussalam"]),
        ("BO", ["Bolivia", "Bolivia, Plurinational State of"]),
        ("CD", ["DR Congo", "Democratic Republic of the Congo", "Congo - Kinshasa", "Congo (Kinshasa)"]),
        ("CG", ["Congo", "Congo Republic", "Republic of the Congo", "Congo - Brazzaville"]),
        (
            "CI",
            ["Ivory Coast", "Côte d'Ivoire", "Cote d'Ivoire", "Côte d\N{RIGHT SINGLE QUOTATION MARK}Ivoire"],
        ),
        ("CW", ["Curaçao", "Curacao"]),
        ("CZ", ["Czechia", "Czech Republic"]),
        ("GB", ["United Kingdom", "UK", "Great Britain"]),
        ("GR", ["Greece"]),
        ("HK", ["Hong Kong", "Hong Kong SAR China"]),
        ("IR", ["Iran", "Islamic Republic of Iran", "Iran, Islamic Republic of"]),
        ("KN", ["Saint Kitts and Nevis", "St. Kitts & Nevis", "St Kitts and Nevis"]),
        ("KP", ["North Korea", "Democratic People's Republic of Korea"]),
        ("KR", ["South Korea", "Republic of Korea", "Korea, Republic of"]),
        ("LA", ["Laos", "Lao People's Democratic Republic"]),
        ("MD", ["Moldova", "Republic of Moldova", "Moldova, Republic of"]),
        ("MK", ["North Macedonia", "Macedonia"]),
        ("MO", ["Macao", "Macau"]),
        ("NA", ["Namibia", "NA"]),
        ("NL", ["Netherlands", "The Netherlands"]),
        ("PS", ["Palestine", "State of Palestine"]),
        ("RE", ["Réunion", "Reunion"]),
        ("RU", ["Russia", "Russian Federation"]),
        ("ST", ["São Tomé and Príncipe", "Sao Tome and Principe"]),
        ("SY", ["Syria", "Syrian Arab Republic"]),
        ("SZ", ["Eswatini", "Swaziland"]),
        ("TR", ["Türkiye", "Turkey", "Turkiye"]),
        ("TW", ["Taiwan", "Taiwan, Province of China"]),
        ("TZ", ["Tanzania", "Tanzania, United Republic of"]),
        ("US", ["United States", "United States of America", "USA"]),
        ("VE", ["Venezuela"]),
        ("VN", ["Vietnam", "Viet Nam"]),
        ("XK", ["Kosovo"]),
    ],
)
def test_names_that_geo_databases_send(code: str, names: list[str]) -> None:
    assert {name: COUNTRIES.get(name) for name in names} == dict.fromkeys(names, code)


def test_no_country_is_no_country() -> None:
    for name in ("", "Unknown", "not found", "GeneratedFindingCountryName", "Korea"):
        assert name not in COUNTRIES
