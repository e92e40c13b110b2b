"""The shapes of countries that region maps draw."""

import json
from pathlib import Path

import guardduty_lens
from guardduty_lens.catalogue.load import builtin_tables

SHAPES = json.loads((Path(guardduty_lens.__file__).parent / "visuals" / "countries.json").read_text())
TOO_SMALL = {"BQ", "BV", "CC", "CX", "GF", "GI", "GP", "MQ", "RE", "SJ", "TK", "TV", "UM", "YT"}
"""No country in Natural Earth at 1:50,000,000: parts of others, and atolls."""


def test_every_country_that_a_record_may_name_has_a_shape():
    codes = {str(code) for code in builtin_tables()["countries"].values()}
    assert codes - {each["iso2"] for each in SHAPES["countries"]} == TOO_SMALL


def test_no_shape_crosses_the_antimeridian():
    """One that does is drawn as a band around the whole map."""
    for country in SHAPES["countries"]:
        for polygon in country["geometry"]["coordinates"]:
            longitudes = [point[0] for ring in polygon for point in ring]
            assert all(-180 <= each <= 180 for each in longitudes)
            if country["iso2"] != "AQ":  # around the pole
                assert max(longitudes) - min(longitudes) < 160, country["name"]


def test_the_source_is_said():
    assert SHAPES["source"].startswith("Natural Earth (public domain)")
    assert SHAPES["version"] == "4.1.0, 1:50,000,000"
