"""Fuzzed findings: real and sample ones with a few nodes made into something odd."""

import random
from collections.abc import Iterator, Sequence
from typing import Any

from mutations import CHANGES, places, replaced

TYPES = (
    "Recon:EC2 Portscan",
    "Recon:EC2/Port scan",
    "TTPs/Command and Control/Backdoor:EC2-C&amp;CActivity.B!DNS",
    "TTPs/AnomalousBehavior/Discovery:S3.Things",
    "TTPs/Initial Access/S3-Bucket",
    "TTPs/EC2/Portscan",
    "TTPs/DefenseEvasion/EC2:Unusual-DoH-Activity",
    "Effects/Data Exfiltration/a:b-c\nd",
    "Unusual Behaviors/User:IAMUser.Odd",
    "Backdoor:EC2/C\\u0026CActivity.B",
    "A:B/",
    "A:B/c.",
    "A:B/c!",
    "A:B/c.d!e!f.g/h",
    "A:B/c/d",
    "A1:B2/\u00e4.\u00f6!\u00fc",
    "1A:B/c",
    " A:B/c",
    "\u00c4:B/c",
    "no type at all",
)
SEVERITIES = (-1, 0, 0.5, 1, 3.95, 4, 6.9, 8.0, 8.95, 9, 10, 10.5, "8", "8.25", "1e1", "", True, None, [5])
ADDITIONAL_INFO = (
    '{"sample": true}',
    '{"sample": true} trailing',
    '{"sample": true}, {"sample": false}',
    '/* a comment */ {"sample": true}',
    '{"sample": "// none", "unusual": {"hoursOfDay": [1, 2, 2.0]}}',
    '{"s\\u0061mple": true}',
    "[[[",
    "",
)


def fuzzed(events: Sequence[dict[str, Any]], count: int, seed: int) -> Iterator[dict[str, Any]]:
    """Give fuzzed events; equal arguments give equal events."""
    chance = random.Random(seed)
    for _ in range(count):
        event = chance.choice(events)
        for _ in range(chance.randint(1, 4)):
            event = replaced(event, *_change(event, chance))
        yield event


def _change(event: dict[str, Any], chance: random.Random) -> tuple[tuple[str | int, ...], Any]:
    """Choose a place and what becomes of the node there."""
    turn = chance.random()
    detail = event["detail"]
    if isinstance(detail, dict) and turn < 0.1 and "type" in detail:
        new = chance.choice(TYPES)
        return ("detail", "type"), lambda _: new
    if isinstance(detail, dict) and turn < 0.2 and "severity" in detail:
        score = chance.choice(SEVERITIES)
        return ("detail", "severity"), lambda _: score
    if isinstance(detail, dict) and turn < 0.3 and isinstance(detail.get("service"), dict):
        info = {"value": chance.choice(ADDITIONAL_INFO), "type": "default"}
        return ("detail", "service"), lambda service: service | {"additionalInfo": info}
    everywhere = list(places(event))
    if turn > 0.97:
        return chance.choice(
            [place for place in everywhere if isinstance(_node(event, place), list)]
        ), _long_array
    return chance.choice(everywhere), CHANGES[chance.choice(list(CHANGES))]


def _node(value: Any, place: tuple[str | int, ...]) -> Any:
    for step in place:
        value = value[step]
    return value


def _long_array(array: list[Any]) -> list[Any]:
    """Put an array's elements at the bound of what is looked at: one is before it, others are behind."""
    return ["x"] * 999 + array
