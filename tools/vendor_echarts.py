"""Write visuals/report/html/echarts.js: what the report draws with of Apache ECharts, in one script.

Fetched and bundled by npm and esbuild, at pinned versions; the licence and the notice stand at its top and
beside it. Run by hand, when the version here changes.
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


def main() -> None:
    """Fetch, bundle, and write the script with its licence."""
    banner = f"/* Apache ECharts {ECHARTS}, Apache-2.0, by tools/vendor_echarts.py. See echarts.LICENSE. */"
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
        shipped = folder / "node_modules" / "echarts"
        licence = (shipped / "LICENSE").read_text() + "\n\n" + (shipped / "NOTICE").read_text()
        (FOLDER / "echarts.LICENSE").write_text(licence)
    print(f"{FOLDER.name}/echarts.js: {(FOLDER / 'echarts.js').stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
