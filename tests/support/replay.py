"""Runs recorded exchanges through stand-ins, and tells every member that comes out otherwise.

Members that the recordings' README calls volatile are held to what may be said of them: an id or a sequence
number of the recording always stands for the same one of the stand-in, a time is a time where one was.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from plugins.indices import KeptIndices
from plugins.refusals import RefusalError, missing_index
from plugins.requests import Request, no_handler

_IDS = {"_id", "id", "config_id", "index_uuid"}
_TIMES = {
    *("last_update_time", "start_time", "last_updated_time", "created_time_ms", "last_updated_time_ms"),
    "index_creation_date",
}
_FIGURES = {"took", "_score", "max_score"}
_SEQUENCES = {"_seq_no", "policy_seq_no"}
_MADE = re.compile(r"(?=[\w-]*[A-Z])[\w-]{20,22}")
"""An id that the server made."""


class Clock:
    """Milliseconds, one more at each look."""

    def __init__(self) -> None:
        self.now = 1_795_806_000_000

    def __call__(self) -> int:
        self.now += 1
        return self.now


class Replay:
    """Exchanges in their order; `names` and `sequences` tell what stands for which of ours."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        self.sequences: dict[int, int] = {}

    def request(self, exchange: dict[str, Any]) -> Request:
        """Give the request as the stand-in gets it."""
        asked = exchange["request"]
        body = asked["body"]
        text = "" if body is None else body if isinstance(body, str) else json.dumps(body)
        uri = re.sub(r"(?<=if_seq_no=)\d+", self._sequence, self._ours(asked["path"]))
        return Request(asked["method"], uri, self._ours(text).encode(), asked["headers"])

    def differences(self, exchange: dict[str, Any], status: int, body: Any) -> list[str]:
        """Give what came out otherwise, and take note of new names."""
        recorded = exchange["response"]
        if status != recorded["status"]:
            return [f"status {status} for {recorded['status']}: {json.dumps(body)}"]
        unsorted = "sort" not in (exchange["request"]["body"] or {})
        if unsorted and isinstance(body, dict) and "hits" in body:
            self._sort_hits(recorded["body"]["hits"], body["hits"])
        return list(self._compared(recorded["body"], body, "", ""))

    def _sort_hits(self, recorded: dict[str, Any], ours: dict[str, Any]) -> None:
        """Put both in one order, since a search that names none has none; a part of them may be any."""
        there, here = recorded.get("hits"), ours.get("hits")
        if not there or not here or len(there) != len(here):
            return
        if len(there) < recorded.get("total", {}).get("value", 0):
            recorded["hits"] = ours["hits"] = [f"{len(there)} of more"]
            return
        recorded["hits"] = sorted(there, key=lambda each: self._ours(each["_id"]))
        ours["hits"] = sorted(here, key=lambda each: each["_id"])

    def _sequence(self, match: re.Match[str]) -> str:
        return str(self.sequences.get(int(match[0]), match[0]))

    def _ours(self, text: str) -> str:
        for recorded, ours in self.names.items():
            text = text.replace(recorded, ours)
        return text

    def _compared(self, recorded: Any, ours: Any, key: str, place: str) -> Iterator[str]:
        if isinstance(recorded, dict) and isinstance(ours, dict):
            yield from self._compared_members(recorded, ours, place)
        elif isinstance(recorded, list) and isinstance(ours, list) and len(recorded) == len(ours):
            for at, (there, here) in enumerate(zip(recorded, ours, strict=True)):
                yield from self._compared(there, here, key, f"{place}/{at}")
        elif type(recorded) is not type(ours) or not self._alike(recorded, ours, key):
            yield f"{place}: {json.dumps(ours)} for {json.dumps(recorded)}"

    def _compared_members(self, recorded: dict[str, Any], ours: dict[str, Any], place: str) -> Iterator[str]:
        there = {self._ours(name): each for name, each in recorded.items()}
        for name in sorted(there.keys() | ours.keys()):
            if name not in ours:
                yield f"{place}/{name} is missing: {json.dumps(there[name])}"
            elif name not in there:
                yield f"{place}/{name} is not in the recording: {json.dumps(ours[name])}"
            else:
                yield from self._compared(there[name], ours[name], name, f"{place}/{name}")

    def _alike(self, recorded: Any, ours: Any, key: str) -> bool:
        if key in _TIMES or key in _FIGURES:
            return True
        if key in _SEQUENCES:
            return _stands_for(self.sequences, recorded, ours)
        if key == "enabled_time" and recorded is not None:
            return _stands_for(self.names, str(recorded), str(ours))
        if not isinstance(recorded, str):
            return bool(recorded == ours)
        if key in _IDS and _MADE.fullmatch(recorded):
            return _stands_for(self.names, recorded, ours)
        if key in ("reason", "error"):
            return _plain(self._ours(recorded)) == _plain(ours)
        return bool(self._ours(recorded) == ours)


def _stands_for(known: dict[Any, Any], recorded: Any, ours: Any) -> bool:
    if recorded not in known and ours in known.values():
        return False
    return bool(known.setdefault(recorded, ours) == ours)


def _plain(said: str) -> str:
    """Leave out ids that were made for what was then refused, and the order of methods that are allowed."""
    said = re.sub(r"\[[\w-]{20}\]", "[ID]", said)
    return re.sub(r"(?<=allowed: \[)[\w, ]+", lambda found: ", ".join(sorted(found[0].split(", "))), said)


class KeptCluster:
    """The little of the cluster itself that recorded exchanges go by: its indices and its settings."""

    def __init__(self, now: Callable[[], int]) -> None:
        self.indices = KeptIndices()
        self._now = now

    def answer(self, request: Request) -> tuple[int, Any]:
        name = request.path.strip("/")
        if name.startswith("_plugins/"):
            return no_handler(request)
        if name == "_cluster/settings":
            self.indices.settings |= request.json["persistent"]
            return 200, None
        if request.method == "PUT":
            self.indices.create(name, self._now())
            return 200, {"acknowledged": True, "shards_acknowledged": True, "index": name}
        try:
            if name not in self.indices.indices:
                raise missing_index(name)
        except RefusalError as error:
            return error.status, error.body
        if request.method != "DELETE":
            raise LookupError(f"{request.method} {request.uri}")
        self.indices.delete(name)
        return 200, {"acknowledged": True}
