"""The report's page: the data, the scripts and the styles in one HTML file that loads nothing.

Nothing of the data becomes markup or script: it stands in JSON, with `<`, `>` and `&` escaped, and the
scripts put it into the document as text. A policy in the page allows exactly these scripts and this style
sheet, by their hashes, and no connection.
"""

import base64
import hashlib
import html
from collections.abc import Iterable
from importlib.resources import files
from pathlib import PurePath

import msgspec

from guardduty_lens.visuals.report.data import ReportData

SCRIPTS = (
    "data.js",
    "filters.js",
    "recompute.js",
    "dom.js",
    "options.js",
    "releases.js",
    "panels.js",
    "table.js",
    "main.js",
)
"""The page's own, in the order in which they run; ECharts comes before them."""

_FOLDER = files("guardduty_lens.visuals.report") / "html"
# In JSON these stand only in strings, where they may be written so.
_ESCAPES = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def page(data: ReportData) -> str:
    """Give the page of a report."""
    records = [row.record for row in data.table.rows]
    without = [msgspec.structs.replace(row, record="") for row in data.table.rows]
    table = msgspec.structs.replace(data.table, rows=without)
    scripts = [_read("echarts.js"), "\n".join(["'use strict';", "(() => {", *map(_read, SCRIPTS), "})();"])]
    style = _read("page.css")
    parts = {
        "title": html.escape(data.title),
        "policy": html.escape(_policy(scripts, style), quote=True),
        "style": style,
        "data": _json(msgspec.structs.replace(data, table=table)),
        "records": _json(records),
        "countries": _countries(),
        "echarts": scripts[0],
        "script": scripts[1],
    }
    return _filled(_read("page.html"), parts)


def _filled(template: str, parts: dict[str, str]) -> str:
    """Put parts in place of `{{name}}`, each once and none of them looked at again."""
    pieces = template.split("{{")
    given = [pieces[0]]
    for piece in pieces[1:]:
        name, rest = piece.split("}}", 1)
        given += [parts[name], rest]
    return "".join(given)


def _read(name: str) -> str:
    return (_FOLDER / PurePath(name).name).read_text("utf-8")


def _json(value: object) -> str:
    """Give JSON that can stand inside a script element."""
    text = msgspec.json.encode(value).decode()
    for character, escape in _ESCAPES.items():
        text = text.replace(character, escape)
    return text


def _countries() -> str:
    """Give the shapes of countries as GeoJSON, by their alpha-2 codes."""
    shapes = msgspec.json.decode((files("guardduty_lens.visuals") / "countries.json").read_bytes())
    features = [
        {
            "type": "Feature",
            "properties": {"name": each["iso2"], "title": each["name"]},
            "geometry": each["geometry"],
        }
        for each in shapes["countries"]
        if each["iso2"] != "AQ"  # a third of the map, and no country that anything comes from
    ]
    return _json({"type": "FeatureCollection", "features": features})


def _policy(scripts: Iterable[str], style: str) -> str:
    """Give the Content-Security-Policy: these scripts, this style sheet, and nothing else."""
    hashes = " ".join(_hash(script) for script in scripts)
    return (
        f"default-src 'none'; script-src {hashes}; style-src {_hash(style)}; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
