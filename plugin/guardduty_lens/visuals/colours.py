"""Colours by meaning: the same on every chart, in Dashboards and in the report.

Severities differ in hue and in lightness, and each stands out by 3:1 at least from white and from the dark
background, as WCAG 2.2 (1.4.11) asks of graphics; a test computes both, for colour blindness too.
"""

from collections.abc import Mapping

SEVERITY: Mapping[str, str] = {
    "Critical": "#B5179E",
    "High": "#D1390C",
    "Medium": "#BF8A00",
    "Low": "#2F7EC4",
    "Unknown": "#7A7F87",
    "Reserved": "#7A7F87",
}
"""Of the labels of the shipped schemes, the most severe first."""

SERIES = ("#2F7EC4", "#BF8A00", "#2A9D6E", "#B5179E", "#D1390C", "#6F6FD6", "#8A8D00", "#7A7F87")
"""Of what has no meaning of its own, in this order."""

BACKGROUNDS = {"light": "#FFFFFF", "dark": "#16181D"}
