"""A plan made ready to run fast on decoded events: for what AWS sends, and for anything else."""

from collections.abc import Mapping
from typing import Any

import msgspec

from guardduty_lens.engine.generate import Generated, generate
from guardduty_lens.engine.memo import TypeMemo
from guardduty_lens.engine.plan import Plan
from guardduty_lens.engine.specialise import Specialised
from guardduty_lens.engine.tree import make_structs, tree_of
from guardduty_lens.engine.walk import FanOutError


class CompiledPlan:
    """The plan as generated functions. Raises NotGeneratedError where only the oracle can run it.

    `strict` is for events whose values are of the kinds that the plan has a use for.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._memo = TypeMemo(plan)
        self.strict = Specialised(plan, self._memo)
        self._lenient_root = tree_of(plan)
        make_structs(self._lenient_root, strict=False)
        self._lenient: Generated | None = None
        self._names = {f"f{number}": entry.field for number, entry in enumerate(plan.entries)}

    def added(self, event: Mapping[str, Any]) -> msgspec.Struct | None:
        """Give the added fields of a decoded finding event; None where only the oracle knows them."""
        try:
            return self.strict(msgspec.convert(event, self.strict.root.struct))
        except FanOutError:
            return None
        except msgspec.ValidationError:
            return self._added_leniently(event)

    def _added_leniently(self, event: Mapping[str, Any]) -> msgspec.Struct | None:
        if self._lenient is None:
            self._lenient = generate(self._plan, self._memo, self._lenient_root, strict=False)
        try:
            return self._lenient.enrich(msgspec.convert(event, self._lenient_root.struct))
        except (msgspec.ValidationError, FanOutError):
            return None

    def fields(self, added: msgspec.Struct) -> dict[str, Any]:
        """Give added fields by their names in the catalogue."""
        values = ((self._names[name], getattr(added, name)) for name in added.__struct_fields__)
        return {field: value for field, value in values if value is not None}
