"""The table of permissions says what the security plugin said: every recorded request under every role."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from permissions import Need, lacking, needs, table
from plugins.requests import Request
from recordings import recording

SECURITY = "security-roles-3.8.0"
# Refused by another of the plugin's parts, which names no action, or by the parser before anybody looks.
WITHOUT = (
    ("GET", "/_plugins/_security/authinfo"),
    ("GET", "/_plugins/_security/api/roles/gl-installer"),
    ("GET", "/_plugins/_alerting/monitors/_search"),
)


ROLES = json.loads((Path(__file__).parents[1] / "data/roles-0.1.0.json").read_text())
"""As they were shipped when the exchanges were recorded."""
WHO = {
    "none": [],
    "installer": [ROLES["installer"]],
    "maintainer": [ROLES["maintainer"]],
    "writer": [ROLES["writer"]],
    "both": [ROLES["installer"], ROLES["maintainer"]],
}


def asked(exchange: dict[str, Any]) -> Request:
    given = exchange["request"]
    body = given["body"]
    text = "" if body is None else body if isinstance(body, str) else json.dumps(body)
    return Request(given["method"], given["path"], text.encode())


def of(who: str) -> list[dict[str, Any]]:
    """The exchanges of a user, but those where the installer held another role for a while."""
    return [
        each
        for each in recording(SECURITY)
        if each["request"].get("who") == who
        and each["n"] < 418
        and (each["request"]["method"], each["request"]["path"].split("?")[0]) not in WITHOUT
    ]


def refusals(body: Any) -> list[str]:
    """The reasons of a refusal for want of permission, of each item where it is a bulk request."""
    items = [item for each in body.get("items", ()) for item in each.values()]
    errors = [each.get("error", {}) for each in (body, *items) if each.get("status") == 403]
    return [each["reason"] for each in errors]


@pytest.mark.parametrize("who", WHO)
def test_what_is_refused_lacks_what_the_refusal_names_and_nothing_else_is_lacking(who: str) -> None:
    exchanges = of(who)
    assert len(exchanges) > 60
    for exchange in exchanges:
        wanted = needs(asked(exchange))
        missing = lacking(WHO[who], wanted)
        said = refusals(exchange["response"]["body"])
        assert bool(missing) == bool(said), (exchange["n"], exchange["what"], missing, said)
        for reason in said:
            named = re.search(r"no permissions for \[(.*)\] and User", reason)
            for permission in named[1].split(", ") if named else ["indices:data/read/search"]:
                assert permission in {each.permission for each in missing}, (exchange["n"], permission)


def test_every_row_is_shown_by_the_exchange_that_it_names() -> None:
    by_number = {str(each["n"]): each for each in recording(SECURITY)}
    elsewhere = [row for row in table() if row["shown"] not in by_number]
    assert {row["shown"] for row in elsewhere} == {"test_roles.py"}
    for row in table():
        if row in elsewhere:
            continue
        found = {each.permission for each in needs(asked(by_number[row["shown"]]))}
        assert row["permission"] in found, row


def test_a_request_of_a_kind_that_has_no_row_is_told() -> None:
    with pytest.raises(LookupError, match="no row for POST /_reindex"):
        needs(Request("POST", "/_reindex"))


def test_a_pattern_means_the_indices_of_ours_that_it_matches() -> None:
    role = {
        "cluster_permissions": [],
        "index_permissions": [{"index_patterns": ["guarddutylogs-2*"], "allowed_actions": ["read"]}],
    }
    assert lacking([role], [Need("read", "guarddutylogs-2*")]) == set()
    assert lacking([role], [Need("read", "guarddutylogs*")]) == {Need("read", "guarddutylogs*")}
