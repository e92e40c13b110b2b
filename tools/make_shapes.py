"""Generate visuals/countries.json: the shapes of countries, for region maps that need no map service.

Source: Natural Earth (public domain) as the npm package `world-atlas` has it, fetched by npm. Polygons are
cut at the antimeridian, since they would be drawn across the whole map, simplified, and rounded to a
hundredth of a degree. Codes and names are CLDR's, as in make_countries.py.
"""

import json
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from babel.core import get_global
from generated_file import PACKAGE, check_wanted, write_or_check
from make_countries import codes_by_number, english_names, source
from shapely import affinity
from shapely.geometry import MultiPolygon, Polygon, box, mapping
from shapely.ops import unary_union

WORLD_ATLAS = "2.0.2"
NATURAL_EARTH = "4.1.0, 1:50,000,000"
"""What world-atlas 2.0.2 is made of, by its README."""

TARGET = PACKAGE / "visuals" / "countries.json"
TOLERANCE = 0.08
"""Degrees by which a border may move."""

WITHOUT_NUMBER = {"Kosovo": "XK"}
"""Without a number in ISO 3166-1: Natural Earth's name, and the user-assigned code."""

ALPHA_3 = {"CD": "COD", "DE": "DEU", "FR": "FRA", "MM": "MMR", "TL": "TLS", "XK": "XKX", "YE": "YEM"}
"""Where CLDR has former alpha-3 codes as well, and Kosovo's, as the World Bank and the EU use it."""

Ring = list[tuple[float, float]]


def topology() -> dict[str, Any]:
    """Fetch the package and read its shapes."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["npm", "pack", "--silent", f"world-atlas@{WORLD_ATLAS}"]
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
        with tarfile.open(next(Path(folder).glob("*.tgz"))) as package:
            member = package.extractfile("package/countries-50m.json")
            assert member is not None
            found: dict[str, Any] = json.load(member)
            return found


def arcs(shapes: dict[str, Any]) -> list[Ring]:
    """Give the arcs of a TopoJSON, whose numbers are differences, in degrees."""
    (scale_x, scale_y), (move_x, move_y) = shapes["transform"]["scale"], shapes["transform"]["translate"]
    given = []
    for arc in shapes["arcs"]:
        x = y = 0
        points = []
        for dx, dy in arc:
            x, y = x + dx, y + dy
            points.append((x * scale_x + move_x, y * scale_y + move_y))
        given.append(points)
    return given


def ring(numbers: list[int], all_arcs: list[Ring]) -> Ring:
    """Put arcs together; a negative number is an arc from its end, and each begins where the last ended."""
    points: Ring = []
    for number in numbers:
        arc = all_arcs[number] if number >= 0 else all_arcs[~number][::-1]
        points += arc[1:] if points else arc
    return points


def unrolled(points: Ring) -> Ring:
    """Let longitudes run on beyond 180 degrees instead of jumping; close a ring around a pole along it."""
    given = [points[0]]
    for x, y in points[1:]:
        last = given[-1][0]
        given.append((x + 360 * round((last - x) / 360), y))
    if abs(given[-1][0] - given[0][0]) > 180:
        pole = -90.0 if given[0][1] < 0 else 90.0
        given += [(given[-1][0], pole), (given[0][0], pole), given[0]]
    return given


def cut(polygon: Polygon) -> Iterator[Polygon]:
    """Give the parts of an unrolled polygon, each where it is between -180 and 180 degrees."""
    for turn in (-1, 0, 1):
        part = polygon.intersection(box(360 * turn - 180, -90, 360 * turn + 180, 90))
        if not part.is_empty:
            yield affinity.translate(part, -360 * turn)  # type: ignore[misc] # of an area an area, or several


def shape(geometry: dict[str, Any], all_arcs: list[Ring]) -> dict[str, Any]:
    """Give a country as GeoJSON."""
    polygons = [geometry["arcs"]] if geometry["type"] == "Polygon" else geometry["arcs"]
    parts: list[Polygon] = []
    for polygon in polygons:
        outer, *holes = (unrolled(ring(numbers, all_arcs)) for numbers in polygon)
        parts += cut(Polygon(outer, holes).buffer(0))
    whole = unary_union(parts).simplify(TOLERANCE, preserve_topology=True)
    only_areas = [part for part in getattr(whole, "geoms", [whole]) if isinstance(part, Polygon)]
    return rounded(mapping(MultiPolygon(only_areas)))


def rounded(geometry: Any) -> dict[str, Any]:
    """Give a geometry with coordinates of two decimals, lists instead of tuples."""

    def round_all(value: Any) -> Any:
        return round(value, 2) if isinstance(value, float) else [round_all(each) for each in value]

    return {"type": geometry["type"], "coordinates": round_all(geometry["coordinates"])}


def build() -> dict[str, Any]:
    """Give the document: source, version, countries."""
    shapes = topology()
    all_arcs = arcs(shapes)
    codes, names, alpha_3 = codes_by_number(), english_names(), alpha_3_codes()
    countries = []
    for each in shapes["objects"]["countries"]["geometries"]:
        name = each["properties"]["name"]
        if name not in WITHOUT_NUMBER and "id" not in each:
            continue
        iso2 = WITHOUT_NUMBER.get(name) or codes[int(each["id"])]
        geometry = shape(each, all_arcs)
        countries.append({"iso2": iso2, "iso3": alpha_3[iso2], "name": names[iso2], "geometry": geometry})
    return {
        "source": f"Natural Earth (public domain), by npm's world-atlas {WORLD_ATLAS}; names: {source()}",
        "version": NATURAL_EARTH,
        "countries": sorted(countries, key=lambda each: str(each["iso2"])),
    }


def alpha_3_codes() -> dict[str, str]:
    """Give the alpha-3 code of every alpha-2 code."""
    aliases: Mapping[str, list[str]] = get_global("territory_aliases")
    alpha_3 = {
        codes[0]: alias
        for alias, codes in aliases.items()
        if len(alias) == 3 and alias.isalpha() and len(codes) == 1
    }
    return alpha_3 | ALPHA_3


def text(document: dict[str, Any]) -> str:
    """Write a country a line, so that a change shows which."""
    head = {key: value for key, value in document.items() if key != "countries"}
    lines = [json.dumps(each, ensure_ascii=False, separators=(",", ":")) for each in document["countries"]]
    start = json.dumps(head, ensure_ascii=False)[:-1]
    return start + ', "countries": [\n' + ",\n".join(lines) + "\n]}\n"


def main() -> int:
    """Write or check the file."""
    return write_or_check(TARGET, text(build()), check=check_wanted(__doc__))


if __name__ == "__main__":
    sys.exit(main())
