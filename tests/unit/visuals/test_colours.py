"""Colours by what eyes make of them: contrast by WCAG 2.2, colour blindness by Machado and others (2009)."""

from itertools import combinations

import pytest

from guardduty_lens.visuals.colours import BACKGROUNDS, SERIES, SEVERITY

# The matrices of severity 1.0, for linear RGB.
EYES = {
    "protan": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deutan": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.01182, 0.04294, 0.968881),
    ),
    "tritan": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.3039),
    ),
    "usual": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
}
Colour = tuple[float, float, float]


def _linear(colour: str) -> Colour:
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return red, green, blue


def _luminance(colour: Colour) -> float:
    return 0.2126 * colour[0] + 0.7152 * colour[1] + 0.0722 * colour[2]


def _contrast(one: str, other: str) -> float:
    dark, light = sorted((_luminance(_linear(one)), _luminance(_linear(other))))
    return (light + 0.05) / (dark + 0.05)


def _seen(colour: str, eyes: str) -> Colour:
    linear = _linear(colour)
    red, green, blue = (sum(a * b for a, b in zip(row, linear, strict=True)) for row in EYES[eyes])
    return min(1, max(0, red)), min(1, max(0, green)), min(1, max(0, blue))


def _lab(colour: Colour) -> Colour:
    red, green, blue = colour
    x = (0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.95047
    y = _luminance(colour)
    z = (0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.08883
    a, b, c = (t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116 for t in (x, y, z))
    return 116 * b - 16, 500 * (a - b), 200 * (b - c)


def _difference(one: str, other: str, eyes: str) -> float:
    pairs = zip(_lab(_seen(one, eyes)), _lab(_seen(other, eyes)), strict=True)
    return sum((a - b) ** 2 for a, b in pairs) ** 0.5


@pytest.mark.parametrize("colour", [*SEVERITY.values(), *SERIES])
@pytest.mark.parametrize("background", BACKGROUNDS.values())
def test_every_colour_stands_out_from_both_backgrounds(colour: str, background: str) -> None:
    assert _contrast(colour, background) >= 3


@pytest.mark.parametrize("eyes", EYES)
def test_severities_are_told_apart_by_any_eyes(eyes: str) -> None:
    labels = ("Critical", "High", "Medium", "Low", "Unknown")
    for one, other in combinations(labels, 2):
        assert _difference(SEVERITY[one], SEVERITY[other], eyes) >= 25, (one, other)
