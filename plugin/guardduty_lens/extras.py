"""Optional dependencies: which modules each extra brings, and what to say where some are missing."""

from collections.abc import Callable, Mapping
from importlib.util import find_spec

from guardduty_lens.version import __version__

MODULES = {
    "aws": ("boto3",),
    "coralogix": ("urllib3",),
    "forward": ("isal", "msgpack", "orjson"),
    "http": ("isal", "msgpack", "orjson", "uvicorn"),
    "opensearch": ("opensearchpy",),
    "parquet": ("duckdb",),
    "report": ("duckdb",),
    "spark": ("boto3", "duckdb", "opensearchpy", "pyspark"),
}
"""Modules by extra; a test holds them against pyproject.toml."""

REPLACEABLE = frozenset({"isal"})
"""Modules that only make it faster."""


class MissingExtraError(Exception):
    """Extras that are needed and not installed: what needs them, and how to install all of them at once."""


def _is_there(module: str) -> bool:
    return find_spec(module) is not None


def require(wanted: Mapping[str, str], is_there: Callable[[str], bool] = _is_there) -> None:
    """Check that extras are installed; `wanted` says of each what needs it.

    Raises MissingExtraError, which names all that are not.
    """
    lacking = {
        extra: modules
        for extra in wanted
        if (modules := [m for m in MODULES[extra] if m not in REPLACEABLE and not is_there(m)])
    }
    if not lacking:
        return
    needs = [f"{wanted[extra]} needs {' and '.join(modules)}" for extra, modules in lacking.items()]
    # No name alone: it is on no package index, where anybody could register it.
    names = ",".join(sorted(lacking))
    raise MissingExtraError(
        f"{'; '.join(needs)}, not installed here. Install what is missing with\n"
        f"  pip install '.[{names}]'\n"
        "in a checkout of guardduty-lens, or from its wheel with\n"
        f"  pip install './guardduty_lens-{__version__}-py3-none-any.whl[{names}]'"
    )
