"""The one place that finds the folders shipped beside the package, such as `pipelines/`."""

from pathlib import Path


def asset_folder(name: str) -> Path:
    """Give a shipped folder: of the installed package, else of the checkout that this module is in.

    Raises FileNotFoundError where neither has it.
    """
    here = Path(__file__).parent
    for place in (here / "assets", here.parents[1]):
        if (place / name).is_dir():
            return place / name
    raise FileNotFoundError(f"this installation of guardduty-lens has no folder {name!r}")
