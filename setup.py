"""Everything declarative is in pyproject.toml; here the folders beside the package go into the wheel."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

FOLDERS = ("pipelines", "dashboards", "saved_objects", "alerts")  # MANIFEST.in names the same
IGNORED = shutil.ignore_patterns("__pycache__")


class BuildWithAssets(build_py):
    """Copies the shipped folders to `guardduty_lens/assets/`, where `assets.py` finds them."""

    def run(self) -> None:
        """Build the package, then lay the folders into it."""
        super().run()
        if self.editable_mode:
            return  # assets.py reads the checkout
        target = Path(self.build_lib) / "guardduty_lens" / "assets"
        shutil.rmtree(target, ignore_errors=True)  # a build/ from before may hold files deleted since
        for folder in FOLDERS:
            shutil.copytree(Path(__file__).parent / folder, target / folder, ignore=IGNORED)


setup(cmdclass={"build_py": BuildWithAssets})
