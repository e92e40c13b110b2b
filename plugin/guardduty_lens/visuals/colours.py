"""Colours by meaning: the same on every chart, in Dashboards and in the report.

Severities differ in hue and in lightness, and each stands out by 3:1 at least from white and from the dark
background, as WCAG 2.2 (1.4.11) asks of graphics; a test computes both, for colour blindness too.
"""

from collections.abc import Mapping

SEVERITY: Mapping[str, str] = {
    "Critical": "#B70D9E",
    "High": "#BC2D2C",
    "Medium": "#CA8600",
    "Low": "#2698FD",
    "Unknown": "#7C8983",
    "Reserved": "#7C8983",
}
"""Of the labels of the shipped schemes, the most severe first."""

SERIES = ("#2F7EC4", "#BF8A00", "#2A9D6E", "#8F4FC4", "#C4593A", "#5A8F9E", "#8A8D00", "#A8577E")
"""Of what has no meaning of its own, in this order."""

BACKGROUNDS = {"light": "#FFFFFF", "dark": "#16181D"}
