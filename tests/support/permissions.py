"""Which permissions a request needs: tests/data/permissions.csv, taken from recorded refusals.

`on` says where the names of indices stand: in the path, in the lines of a bulk request, or in a monitor's
inputs; a permission without it is the cluster's, and a row without a permission needs none. `shown` is the
exchange of `security-roles-3.8.0` that shows it, or the test that does, on a server with the security plugin.
"""

import csv
import json
from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from plugins.requests import Request

from guardduty_lens.opensearch.names import Names

_TABLE = Path(__file__).parents[1] / "data/permissions.csv"


class Need(NamedTuple):
    """A permission that a request needs; of the cluster where `index` is None."""

    permission: str
    index: str | None = None


@cache
def table() -> list[dict[str, str]]:
    with _TABLE.open(newline="") as file:
        return list(csv.DictReader(file))


def needs(request: Request) -> set[Need]:
    """Give what a request needs. Raises LookupError for one of a kind that has no row."""
    rows = [row for row in table() if row["method"] == request.method and _fits(row["path"], request.path)]
    if not rows:
        raise LookupError(f"permissions.csv has no row for {request.method} {request.path}")
    rows = [row for row in rows if row["path"] == rows[0]["path"]]
    return {
        Need(row["permission"], index)
        for row in rows
        if row["permission"]
        for index in (_INDICES[row["on"]](request) if row["on"] else [None])
    }


def lacking(roles: Iterable[Mapping[str, Any]], wanted: Iterable[Need], prefix: str = "") -> set[Need]:
    """Give what a user of roles may not."""
    held = list(roles)
    return {need for need in wanted if not any(_holds(role, need, prefix) for role in held)}


def _holds(role: Mapping[str, Any], need: Need, prefix: str) -> bool:
    if need.index is None:
        return _some(role["cluster_permissions"], need.permission)
    return all(
        any(
            _some(each["index_patterns"], index) and _some(each["allowed_actions"], need.permission)
            for each in role["index_permissions"]
        )
        for index in _meant(need.index, prefix)
    )


def _some(patterns: Iterable[str], name: str) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _meant(name: str, prefix: str) -> list[str]:
    """Give the indices of ours that a pattern means; the security plugin, too, looks at what is there."""
    if "*" not in name:
        return [name]
    names = Names(prefix)
    months = [f"{each}-2026.11" for each in (names.log, names.cloudtrail, names.stats)]
    ours = [names.state_index, names.tags, names.log, names.countries_map, *months]
    return [each for each in ours if fnmatchcase(each, name)]


def _fits(pattern: str, path: str) -> bool:
    wanted, given = pattern.split("/"), path.split("/")
    return len(wanted) == len(given) and all(
        one == other or (one == "*" and (at > 1 or not other.startswith("_")))
        for at, (one, other) in enumerate(zip(wanted, given, strict=True))
    )


def _of_path(request: Request) -> list[str]:
    return request.path.split("/")[1].split(",")


def _bulk(request: Request, *operations: str) -> list[str]:
    lines = [json.loads(line) for line in request.text.splitlines() if line]
    actions = [line for line in lines if isinstance(line, dict) and len(line) == 1]
    return [
        inner["_index"]
        for action in actions
        for kind, inner in action.items()
        if kind in operations and isinstance(inner, dict) and "_index" in inner
    ]


def _of_monitor(request: Request) -> list[str]:
    return [index for each in request.json["inputs"] for index in each["search"]["indices"]]


_INDICES: dict[str, Callable[[Request], list[str]]] = {
    "path": _of_path,
    "written": lambda request: _bulk(request, "create", "index"),
    "deleted": lambda request: _bulk(request, "delete"),
    "monitor": _of_monitor,
}
