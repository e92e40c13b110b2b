"""The indices that plugins look at: those of a test alone, or those of a cluster that is served."""

import json
import urllib.request
from fnmatch import fnmatchcase
from typing import Any, NamedTuple, Protocol


class Index(NamedTuple):
    name: str
    uuid: str
    created: int
    """Milliseconds since 1970."""


class Indices(Protocol):
    """What a cluster has. Aliases are not told of: nothing of ours gives one to a plugin."""

    def all(self) -> list[Index]: ...

    def delete(self, name: str) -> None: ...

    def setting(self, name: str) -> Any:
        """Give a setting of the cluster; None where it was left as it is by default."""


def resolved(indices: Indices, expressions: list[str]) -> tuple[list[Index], list[str]]:
    """Give the indices that names and patterns mean, and the names that none has."""
    there = [each for each in indices.all() if not each.name.startswith(".")]
    found = [each for each in there if any(fnmatchcase(each.name, one) for one in expressions)]
    names = {each.name for each in there}
    return found, [one for one in expressions if "*" not in one and one not in names]


class KeptIndices:
    """Indices that exist in a test alone."""

    def __init__(self) -> None:
        self.indices: dict[str, Index] = {}
        self.settings: dict[str, Any] = {}

    def create(self, name: str, now: int) -> None:
        self.indices[name] = Index(name, f"uuid-{len(self.indices)}-{now}", now)

    def all(self) -> list[Index]:
        return list(self.indices.values())

    def delete(self, name: str) -> None:
        del self.indices[name]

    def setting(self, name: str) -> Any:
        return self.settings.get(name)


class ServedIndices:
    """The indices of a cluster, asked for each time."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")

    def _ask(self, path: str, method: str = "GET") -> Any:
        request = urllib.request.Request(f"{self._url}/{path}", method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def all(self) -> list[Index]:
        told = self._ask("_all/_settings/index.uuid,index.creation_date?flat_settings=true")
        return [
            Index(name, each["settings"]["index.uuid"], int(each["settings"]["index.creation_date"]))
            for name, each in told.items()
        ]

    def delete(self, name: str) -> None:
        self._ask(name, "DELETE")

    def setting(self, name: str) -> Any:
        told = self._ask("_cluster/settings?flat_settings=true")
        return {**told["persistent"], **told["transient"]}.get(name)
