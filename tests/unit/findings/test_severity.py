import math

import msgspec
import pytest

from guardduty_lens.findings.severity import AWS, SCHEMES, SEED_2020, Band, SeverityScheme

# The table of the design, cell by cell: score, label under `aws`, label under `seed-2020`.
TABLE = [
    (None, "Unknown", "Unknown"),
    (math.nan, "Unknown", "Unknown"),
    (math.inf, "Unknown", "Unknown"),
    (-math.inf, "Unknown", "Unknown"),
    (-1, "Unknown", "Unknown"),
    (-0.1, "Unknown", "Unknown"),
    (-0.0, "Unknown", "Reserved"),
    (0, "Unknown", "Reserved"),
    (0.0, "Unknown", "Reserved"),
    (0.1, "Unknown", "Low"),
    (0.5, "Unknown", "Low"),
    (0.99, "Unknown", "Low"),
    (1, "Low", "Low"),
    (1.0, "Low", "Low"),
    (2, "Low", "Low"),
    (3.9, "Low", "Low"),
    (3.95, "Low", "Medium"),
    (3.999, "Low", "Medium"),
    (4, "Medium", "Medium"),
    (5.0, "Medium", "Medium"),
    (6.9, "Medium", "Medium"),
    (6.95, "Medium", "High"),
    (7, "High", "High"),
    (8, "High", "High"),
    (8.9, "High", "High"),
    (8.95, "High", "Reserved"),
    (9, "Critical", "Reserved"),
    (9.5, "Critical", "Reserved"),
    (10, "Critical", "Reserved"),
    (10.0, "Critical", "Reserved"),
    (10.1, "Unknown", "Unknown"),
    (11, "Unknown", "Unknown"),
    (100, "Unknown", "Unknown"),
]


@pytest.mark.parametrize(("score", "aws", "seed"), TABLE)
def test_table_of_the_design(score, aws, seed):
    assert AWS.label(score) == aws
    assert SEED_2020.label(score) == seed


def test_schemes_by_name():
    assert SCHEMES == {"aws": AWS, "seed-2020": SEED_2020}


def test_ranks_sort_labels():
    assert AWS.ranks() == {"Unknown": 0, "Low": 1, "Medium": 2, "High": 3, "Critical": 4}
    assert SEED_2020.ranks() == {"Unknown": 0, "Reserved": 0, "Low": 1, "Medium": 2, "High": 3}


def test_users_own_scheme():
    scheme = msgspec.convert(
        {
            "name": "two",
            "default": "None",
            "bands": [
                {"label": "Page", "rank": 2, "at_least": 8.0},
                {"label": "Ticket", "rank": 1, "above": 3, "below": 8},
            ],
        },
        SeverityScheme,
    )
    labels = [scheme.label(score) for score in (None, 0, 3, 3.1, 7.9, 8, 1000)]
    assert labels == ["None", "None", "None", "Ticket", "Ticket", "Page", "Page"]
    assert scheme.ranks() == {"None": 0, "Page": 2, "Ticket": 1}


def test_the_first_band_that_holds_gives_the_label():
    scheme = SeverityScheme(name="s", bands=(Band(label="A", at_least=5), Band(label="B", at_least=1)))
    assert [scheme.label(score) for score in (5, 1, 0)] == ["A", "B", "Unknown"]


def test_a_band_without_bounds_holds_every_score():
    scheme = SeverityScheme(name="s", bands=(Band(label="Any"),))
    assert [scheme.label(score) for score in (0, 10, None)] == ["Any", "Any", "Unknown"]


@pytest.mark.parametrize(
    "scheme",
    [
        {"name": "", "bands": [{"label": "A"}]},
        {"name": "s", "bands": []},
        {"name": "s"},
        {"name": "s", "bands": [{"label": ""}]},
        {"name": "s", "bands": [{"label": "A", "rank": -1}]},
        {"name": "s", "bands": [{"label": "A", "rank": 128}]},
        {"name": "s", "bands": [{"label": "A", "atleast": 1}]},
        {"name": "s", "bands": [{"label": "A", "at_least": "one"}]},
        {"name": "s", "default": "", "bands": [{"label": "A"}]},
    ],
)
def test_wrong_schemes_are_refused(scheme):
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(scheme, SeverityScheme)
