"""The stand-ins of the plugins answer as OpenSearch 3.8.0's own did: recorded exchanges, member by member."""

import copy
import json
import re
from typing import Any

import pytest
from plugins.alerting import AlertingPlugin
from plugins.ism import IsmPlugin
from plugins.notifications import NotificationsPlugin
from plugins.refusals import UnrecordedError
from plugins.requests import Request
from recordings import recording
from replay import Clock, KeptCluster, Replay

RUN = "runs a monitor, which the stand-in does not"
ALERTS = "alerts, which only runs of monitors make"
OTHERS = "tells of the cluster itself or of another API, which the stand-in is not"
DOCUMENTS = "a document-level monitor: nothing of ours makes one"

LEFT_OUT: dict[str, dict[str, list[int]]] = {
    "alerting-3.8.0": {
        RUN: [
            *(107, 108, 110, 111, 113, 114, 116, 117, 119, 120, 123, 125, 126, *range(130, 135), 136),
            *(142, 143, 147, 149, 151, 153, 155, 157, 159, 209),
        ],
        ALERTS: [121, 122, 144, *range(161, 165), *range(166, 169), 171, 173, 174, 261],
        OTHERS: [25, 26, 34, 102, 245, 247, 262, 263],
        DOCUMENTS: [*range(248, 255)],
    },
    "ism-3.8.0": {
        OTHERS: [9, 71, 119],
        "validates or simulates, which the stand-in does not": [65, 111],
    },
    "notifications-3.8.0": {
        OTHERS: [70],
        "the mail server and AWS are not played": [46, 53],
    },
}
"""Exchanges that are not compared, by the reason."""

COMPARED = {"alerting-3.8.0": 205, "ism-3.8.0": 114, "notifications-3.8.0": 67}

# The exchanges of these prepare what others go by: they are sent, and their answers not compared.
SENT = {"alerting-3.8.0": {245, 247}}
JOBS_BEFORE = {"ism-3.8.0": {63, 80, 82, 91}}
"""Exchanges before which the plugin's job had run once more."""


def delivered(config: dict[str, Any]) -> tuple[int, str]:
    """Stand for the listeners of the recording: one that answers, or fails under /fail, and a dead port."""
    url = config["webhook"]["url"]
    if ":9612/" not in url:
        address = url.rpartition("/")[0]
        return 500, f"Failed to send webhook message Connect to {address} failed: Connection refused"
    if url.endswith("/fail"):
        return 500, "Failed to send webhook message Failed: Internal Server Error"
    return 200, "ok"


class Played:
    """A cluster with its plugins, as one of the recordings began with it."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.cluster = KeptCluster(self.clock)
        self.alerting = AlertingPlugin(self.cluster.indices, self.clock)
        self.ism = IsmPlugin(self.cluster.indices, self.clock)
        self.notifications = NotificationsPlugin(delivered, self.clock)
        self._by_path = {
            r"/_(plugins|opendistro)/_alerting/": self.alerting,
            "/_plugins/_ism/": self.ism,
            "/_plugins/_notifications/": self.notifications,
        }

    def answer(self, request: Request) -> tuple[int, Any]:
        for path, plugin in self._by_path.items():
            if re.match(path, request.path):
                return plugin.answer(request)
        return self.cluster.answer(request)


@pytest.mark.parametrize("name", LEFT_OUT)
def test_every_exchange_comes_out_as_it_was_recorded(name: str) -> None:
    left_out = {number for numbers in LEFT_OUT[name].values() for number in numbers}
    played, replay, wrong, compared = Played(), Replay(), [], 0
    exchanges = recording(name)
    for exchange in copy.deepcopy(exchanges):
        number = exchange["n"]
        seconds = re.match(r"(?:After about )?(\d+) s\b", exchange["what"])
        played.clock.now += 1_000 * int(seconds[1]) if seconds else 0
        if number in JOBS_BEFORE.get(name, ()):
            played.ism.run_jobs()
        if number in left_out - SENT.get(name, set()):
            continue
        try:
            status, body = played.answer(replay.request(exchange))
        except UnrecordedError as error:
            wrong.append(f"{number} {exchange['what']}: refused, {error}")
            continue
        if number in left_out:
            continue
        compared += 1
        wrong += [
            f"{number} {exchange['what']}: {each}" for each in replay.differences(exchange, status, body)
        ]
    assert wrong == []
    assert compared + len(left_out) == len(exchanges)
    assert compared == COMPARED[name]


UNRECORDED = {
    "monitors by another query": ("POST", "_alerting/monitors/_search", {"query": {"wildcard": {"a": "b"}}}),
    "monitors in another order": ("POST", "_alerting/monitors/_search", {"sort": [{"a": "asc"}]}),
    "a run": ("POST", "_alerting/monitors/made-before/_execute", None),
    "alerts": ("GET", "_alerting/monitors/alerts?size=1", None),
    "another API of Alerting": ("GET", "_alerting/workflows/1", None),
    "a retry of a managed index": ("POST", "_ism/retry/log-2", None),
    "change_policy of one without": ("POST", "_ism/change_policy/other", {"policy_id": "kept"}),
    "another API of Index Management": ("GET", "_ism/rollup/jobs", None),
    "another condition of a policy": (
        "PUT",
        "_ism/policies/more",
        {"policy": {"states": [{"name": "a", "actions": [], "transitions": [{"state_name": "a"}]}]}},
    ),
    "a channel to a mail group": (
        "POST",
        "_notifications/configs",
        {"config": {"name": "a", "config_type": "email_group"}},
    ),
}


@pytest.mark.parametrize("name", UNRECORDED)
def test_what_was_never_recorded_is_refused_loudly(name: str) -> None:
    played = Played()
    played.alerting.monitors["made-before"] = {"monitor": {"name": ""}}
    states = [{"name": "kept", "actions": [], "transitions": []}]
    policy = {"description": "", "default_state": "kept", "states": states}
    policy["ism_template"] = [{"index_patterns": ["log-*"], "priority": 1}]
    for method, path, body in (
        ("PUT", "/_plugins/_ism/policies/kept", {"policy": policy}),
        ("PUT", "/log-2", None),
        ("PUT", "/other", None),
    ):
        assert played.answer(asked(method, path, body))[0] in (200, 201)
    method, path, body = UNRECORDED[name]
    with pytest.raises(UnrecordedError):
        played.answer(asked(method, f"/_plugins/{path}", body))


def asked(method: str, path: str, body: Any) -> Request:
    text = b"" if body is None else json.dumps(body).encode()
    return Request(method, path, text, {"content-type": "application/json"})
