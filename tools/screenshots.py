"""Photographs a report: each tab, light and dark, wide and narrow, to look at and for the docs.

    python tools/screenshots.py demo/report.html docs/images

Needs Debian's chromium, playwright and pillow.
"""

import argparse
import shutil
import sys
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars"]
WIDE, NARROW = 1440, 390


def photograph(page: Page, folder: Path, theme: str, width: int) -> None:
    """Take a picture of every tab, as high as it is."""
    for tab in page.get_by_role("tab").all():
        tab.click()
        page.wait_for_timeout(150)
        name = (tab.get_attribute("id") or "").removeprefix("tab-")
        path = folder / f"report-{name}-{theme}{'' if width == WIDE else '-narrow'}.webp"
        picture = Image.open(BytesIO(page.screenshot(full_page=True))).convert("RGB")
        # Two thirds of the size, and lossy: the docs show them, and every clone carries them.
        small = picture.resize((picture.width * 2 // 3, picture.height * 2 // 3), Image.Resampling.LANCZOS)
        small.save(path, quality=80, method=6)
        print(path)


def main() -> int:
    """Photograph the report; give 1 where the page complained of anything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("report", type=Path)
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    complaints: list[str] = []
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=shutil.which("chromium"), args=OPTIONS)
        for theme in ("light", "dark"):
            for width in (WIDE, NARROW):
                page = browser.new_page(
                    viewport={"width": width, "height": 900},
                    color_scheme="dark" if theme == "dark" else "light",
                )
                page.on("console", lambda message: complaints.append(message.text))
                page.on("pageerror", lambda error: complaints.append(str(error)))
                page.goto(arguments.report.resolve().as_uri())
                photograph(page, arguments.folder, theme, width)
                page.close()
        browser.close()
    print("\n".join(dict.fromkeys(complaints)))
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
