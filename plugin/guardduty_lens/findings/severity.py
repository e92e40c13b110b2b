"""Severity schemes: which label a score gets.

`aws` follows the GuardDuty user guide (Low 1.0-3.9, Medium 4.0-6.9, High 7.0-8.9, Critical 9.0-10.0);
`seed-2020` is the second seed's older reading, in which 0 and above 8.9 were reserved.
"""

import math
from typing import Annotated

import msgspec


class Band(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One range of scores and its label; a bound that is not given does not limit."""

    label: Annotated[str, msgspec.Meta(min_length=1)]
    rank: Annotated[int, msgspec.Meta(ge=0, le=127)] = 0
    at_least: float | None = None
    above: float | None = None
    below: float | None = None
    at_most: float | None = None

    def holds(self, score: float) -> bool:
        """Tell whether the score lies in this band."""
        return (
            (self.at_least is None or score >= self.at_least)
            and (self.above is None or score > self.above)
            and (self.below is None or score < self.below)
            and (self.at_most is None or score <= self.at_most)
        )


class SeverityScheme(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Named bands; a score in none of them, or no score, gets `default` (rank 0)."""

    name: Annotated[str, msgspec.Meta(min_length=1)]
    bands: Annotated[tuple[Band, ...], msgspec.Meta(min_length=1)]
    default: Annotated[str, msgspec.Meta(min_length=1)] = "Unknown"

    def label(self, score: float | None) -> str:
        """Give the label of a score (0 to 10), `default` where no band holds it."""
        if score is not None and math.isfinite(score):
            for band in self.bands:
                if band.holds(score):
                    return band.label
        return self.default

    def ranks(self) -> dict[str, int]:
        """Give each label's rank, so that labels sort: 0 is unknown."""
        return {self.default: 0} | {band.label: band.rank for band in self.bands}


AWS = SeverityScheme(
    name="aws",
    bands=(
        Band(label="Low", rank=1, at_least=1, below=4),
        Band(label="Medium", rank=2, at_least=4, below=7),
        Band(label="High", rank=3, at_least=7, below=9),
        Band(label="Critical", rank=4, at_least=9, at_most=10),
    ),
)

SEED_2020 = SeverityScheme(
    name="seed-2020",
    bands=(
        Band(label="Reserved", rank=0, at_least=0, at_most=0),
        Band(label="Low", rank=1, above=0, at_most=3.9),
        Band(label="Medium", rank=2, above=3.9, at_most=6.9),
        Band(label="High", rank=3, above=6.9, at_most=8.9),
        Band(label="Reserved", rank=0, above=8.9, at_most=10),
    ),
)

SCHEMES: dict[str, SeverityScheme] = {scheme.name: scheme for scheme in (AWS, SEED_2020)}
