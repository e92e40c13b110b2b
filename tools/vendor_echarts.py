"""Write visuals/report/html/echarts.js: what the report draws with of Apache ECharts, in one script.

Fetched and bundled by npm and esbuild, at pinned versions; whose it is stands at its top, and all licences,
those of what ECharts itself bundles included, beside it. Run by hand, when the version here changes.
"""

import subprocess
import tempfile
from pathlib import Path

from generated_file import PACKAGE

ECHARTS, ESBUILD = "6.1.0", "0.28.2"
FOLDER = PACKAGE / "visuals" / "report" / "html"

ENTRY = """
import { init, registerMap, use } from "echarts/core";
import { BarChart, HeatmapChart, LineChart, MapChart, PieChart, SunburstChart } from "echarts/charts";
import { AriaComponent, GridComponent, LegendComponent, MarkLineComponent, TooltipComponent,
  VisualMapComponent } from "echarts/components";
import { SVGRenderer } from "echarts/renderers";
use([BarChart, HeatmapChart, LineChart, MapChart, PieChart, SunburstChart, AriaComponent, GridComponent,
  LegendComponent, MarkLineComponent, TooltipComponent, VisualMapComponent, SVGRenderer]);
export { init, registerMap };
"""

LICENCES = (
    "echarts/LICENSE",
    "echarts/NOTICE",
    "echarts/licenses/LICENSE-d3",
    "zrender/LICENSE",
    "tslib/LICENSE.txt",
)
"""Of all that is in the bundle; zrender and tslib are what ECharts requires."""


def main() -> None:
    """Fetch, bundle, and write the script with its licence."""
    banner = (
        f"/* Apache ECharts {ECHARTS}, Apache-2.0, with zrender, BSD-3-Clause, Copyright (c) 2017, "
        "Baidu Inc., and parts of d3, BSD-3-Clause, Copyright 2010-2016 Mike Bostock. See echarts.LICENSE. */"
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "entry.js").write_text(ENTRY)
        install = ["npm", "install", "--silent", "--no-save", f"echarts@{ECHARTS}", f"esbuild@{ESBUILD}"]
        subprocess.run(install, cwd=folder, check=True)
        bundle = [
            *("node_modules/.bin/esbuild", "entry.js", "--bundle", "--minify", "--format=iife"),
            *("--global-name=echarts", "--target=es2020", "--charset=utf8", "--legal-comments=none"),
            *(f"--banner:js={banner}", f"--outfile={FOLDER / 'echarts.js'}"),
        ]
        subprocess.run(bundle, cwd=folder, check=True)
        (FOLDER / "echarts.LICENSE").write_text(licences(folder / "node_modules"))
    print(f"{FOLDER.name}/echarts.js: {(FOLDER / 'echarts.js').stat().st_size:,} bytes")


def licences(modules: Path) -> str:
    """Give the licences of what is bundled, each under its name."""
    return "\n".join(f"===== {name} =====\n\n{(modules / name).read_text().strip()}\n" for name in LICENCES)


if __name__ == "__main__":
    main()
