"""Indices that policies manage: each keeps a copy of its policy, and a job takes a step at a time."""

from dataclasses import dataclass
from typing import Any

from plugins.indices import Index
from plugins.policies import seconds
from plugins.refusals import UnrecordedError

_SETTING = "index_state_management.policy_id"


def unmanaged() -> dict[str, Any]:
    """Give what explain says of an index without a policy."""
    return {**{f"index.{of}.{_SETTING}": None for of in ("plugins", "opendistro")}, "enabled": None}


@dataclass
class Managed:
    """An index under a policy."""

    index: Index
    policy: dict[str, Any]
    """The copy that the index holds."""
    sequence: int
    state: str | None = None
    """None until the job has run."""
    started: int = 0
    progress: dict[str, Any] | None = None
    """`action`, `step` and `info` as explain gives them; None in what nobody recorded."""
    change: tuple[dict[str, Any], int] | None = None
    """The policy that the job will put in the place of the copy, and its sequence number."""

    @property
    def policy_id(self) -> str:
        return str(self.policy["policy_id"])

    def told(self, show_policy: bool) -> dict[str, Any]:
        """Give what explain says of it. Raises UnrecordedError."""
        name = self.policy_id
        told: dict[str, Any] = {f"index.{of}.{_SETTING}": name for of in ("plugins", "opendistro")}
        told |= {"index": self.index.name, "index_uuid": self.index.uuid, "policy_id": name}
        if self.state is not None:
            if self.progress is None:
                raise UnrecordedError(f"explain of {self.index.name} in a state that nobody has recorded")
            told |= {
                "policy_seq_no": self.sequence,
                "policy_primary_term": 1,
                "index_creation_date": self.index.created,
                "state": {"name": self.state, "start_time": self.started},
                "retry_info": {"failed": False, "consumed_retries": 0},
                **self.progress,
            }
        return told | {"enabled": True} | ({"policy": self.policy} if show_policy else {})

    def run(self, now: int) -> bool:
        """Take the next step; says whether the index is to be deleted."""
        if self.state is None:
            self._begin(now)
        elif self.change is not None:
            self.policy, self.sequence = self.change
            self.change = None
            changing = _message(f"Attempting to change policy to {self.policy_id}")
            self.progress = {"action": _transition(now), "info": changing}
        else:
            return self._step(now)
        return False

    def _begin(self, now: int) -> None:
        self.state, self.started = self.policy["default_state"], now
        self.progress = {"info": _message(f"Successfully initialized policy: {self.policy_id}")}
        if self.change is not None:  # what explain says then was not recorded
            self.policy, self.sequence = self.change
            self.change = self.progress = None

    def _step(self, now: int) -> bool:
        [state] = [each for each in self.policy["states"] if each["name"] == self.state]
        if any("delete" in each for each in state["actions"]):
            return True
        age = (now - self.index.created) / 1000
        for each in state["transitions"]:
            if age >= seconds(each["conditions"]["min_index_age"], "min_index_age"):
                self.state, self.started, self.progress = each["state_name"], now, None
                return False
        step = {"name": "attempt_transition_step", "start_time": now, "step_status": "condition_not_met"}
        evaluating = f"Evaluating transition conditions [index={self.index.name}]"
        self.progress = {"action": _transition(now), "step": step, "info": _message(evaluating)}
        return False


def _transition(now: int) -> dict[str, Any]:
    told = {"index": -1, "failed": False, "consumed_retries": 0, "last_retry_time": 0}
    return {"name": "transition", "start_time": now, **told}


def _message(text: str) -> dict[str, str]:
    return {"message": text}
