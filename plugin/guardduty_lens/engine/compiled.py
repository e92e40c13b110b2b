"""A plan made ready to run on decoded events, whatever they hold."""

from collections.abc import Mapping
from typing import Any

import msgspec

from guardduty_lens.engine.generate import Generated, check_can_be_generated, generate
from guardduty_lens.engine.memo import Memos
from guardduty_lens.engine.plan import Plan
from guardduty_lens.engine.specialise import Enriched, Specialised
from guardduty_lens.engine.tree import make_structs, tree_of
from guardduty_lens.engine.walk import FanOutError


class CompiledPlan:
    """The plan as generated functions. Raises NotGeneratedError where only the oracle can run it.

    `strict` is for payloads' bytes, whose values are of the kinds that the plan has a use for.
    """

    def __init__(self, plan: Plan) -> None:
        check_can_be_generated(plan)
        self._plan = plan
        self._memos = Memos()
        self.strict = Specialised(plan, self._memos)
        self._root = tree_of(plan)
        make_structs(self._root, strict=False)
        self._lenient: Generated | None = None

    def enriched(self, event: Mapping[str, Any]) -> Enriched | None:
        """Give what is added to a decoded finding event; None where only the oracle knows it."""
        if self._lenient is None:
            self._lenient = generate(self._plan, self._root, strict=False, memos=self._memos)
        try:
            enriched: Any = self._lenient.enrich(msgspec.convert(event, self._root.struct))
        except (msgspec.ValidationError, FanOutError):
            return None
        return enriched  # type: ignore[no-any-return]
