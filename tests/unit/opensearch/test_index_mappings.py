"""Mappings that are there against those that templates give, for literal cases; no server."""

from typing import Any

import pytest

from guardduty_lens.opensearch.index_mappings import MappingDifference, mapping_differences
from guardduty_lens.opensearch.resources import Resource

DESIRED = [
    Resource(
        "component_template",
        "added",
        {"template": {"mappings": {"dynamic": False, "properties": {"ip": {"type": "ip"}}}}},
    ),
    Resource("component_template", "settings", {"template": {"settings": {}}}),
    Resource(
        "index_template",
        "log",
        {
            "index_patterns": ["log-2*"],
            "priority": 5,
            "composed_of": ["added", "settings"],
            "template": {
                "mappings": {
                    "dynamic": False,
                    "properties": {
                        "name": {
                            "type": "text",
                            "analyzer": "label",
                            "fields": {"keyword": {"type": "keyword"}},
                        },
                        "who": {"properties": {"id": {"type": "keyword"}, "free": {"type": "flat_object"}}},
                    },
                }
            },
        },
    ),
]
WHO = {"properties": {"id": {"type": "keyword"}, "free": {"type": "flat_object"}}}
NAME = {"type": "text", "analyzer": "label", "fields": {"keyword": {"type": "keyword", "ignore_above": 9}}}
WHOLE = {"dynamic": "false", "properties": {"ip": {"type": "ip"}, "name": NAME, "who": WHO}}


def changed(**properties: Any) -> dict[str, Any]:
    """The whole mapping, with some of its fields changed, or left out for None."""
    merged = {**WHOLE["properties"], **properties}  # type: ignore[dict-item]
    return WHOLE | {"properties": {key: value for key, value in merged.items() if value is not None}}


@pytest.mark.parametrize(
    ("there", "others", "absent"),
    [
        (WHOLE, (), ()),
        (changed(own={"type": "long"}), (), ()),
        (changed(ip=None), (), ("ip",)),
        (changed(name={"type": "text", "analyzer": "label"}), (), ("name.keyword",)),
        (changed(who={"dynamic": "false", "properties": {"id": {"type": "keyword"}}}), (), ("who.free",)),
        (changed(who=None), (), ("who",)),
        (changed(ip={"type": "text"}), ("ip is text, not ip",), ()),
        (changed(name=NAME | {"analyzer": "x"}), ("name is text (x), not text (label)",), ()),
        (
            changed(who={"properties": {"id": {"type": "long"}, "free": {"properties": {}}}}),
            ("who.id is long, not keyword", "who.free is object, not flat_object"),
            (),
        ),
        (changed(who={"type": "text"}), ("who is text, not object",), ()),
        (WHOLE | {"dynamic": "true"}, ("dynamic is true, not false",), ()),
        ({}, ("dynamic is true, not false",), ("ip", "name", "who")),
    ],
)
def test_what_differs(there: dict[str, Any], others: tuple[str, ...], absent: tuple[str, ...]) -> None:
    found = mapping_differences({"log-2025.03": there, "no-template-s": {}}, DESIRED)
    assert found == ([MappingDifference("log-2025.03", others, absent)] if others or absent else [])
