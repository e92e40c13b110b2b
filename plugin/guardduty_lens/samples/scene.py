"""The scene of one finding: what its builders read and write."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from guardduty_lens.samples.chance import Chance
    from guardduty_lens.samples.site import Part, Site
    from guardduty_lens.samples.tables import TypeFacts


@dataclass(slots=True)
class Scene:
    """One finding in the making."""

    chance: Chance
    facts: TypeFacts
    site: Site
    remotes: list[Part]
    """`remoteIpDetails` of all attackers."""
    last_seen: int
    """`eventLastSeen`, in milliseconds since 1970."""
    role: str
    """`service.resourceRole`: TARGET or ACTOR."""
    resource: Part = field(default_factory=dict)
    """The `resource` of the finding, set before its activity is built."""
    service: Part = field(default_factory=dict)
    """Members that the activity adds to `service`."""
    notes: dict[str, Any] = field(default_factory=dict)
    """The free keys of `service.additionalInfo`."""
    words: dict[str, str] = field(default_factory=dict)
    """What title and description may name: who, user, remote, domain, api ..."""
    severity: int | None = None
    """Set where the activity decides the severity, not the type alone."""

    def act(self, kind: str, member: str, action: Part) -> None:
        """Set `service.action`."""
        self.service["action"] = {"actionType": kind, member: action}

    def remote(self) -> Part:
        """Pick an attacker and let the texts name it."""
        picked = self.chance.pick(self.remotes)
        self.words["remote"] = picked["ipAddressV4"]
        return picked

    def seconds(self, before: int = 0) -> float:
        """Give a time so many seconds before the last occurrence, as seconds since 1970."""
        return self.last_seen / 1000 - before
