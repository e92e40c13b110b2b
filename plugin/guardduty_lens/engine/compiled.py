"""A plan made ready to run fast: decoder types and one function, for the spliced and the exact path."""

from collections.abc import Mapping
from typing import Any

import msgspec

from guardduty_lens.engine.generate import FanOutError, generate
from guardduty_lens.engine.plan import Plan
from guardduty_lens.engine.tree import make_structs, tree_of


class CompiledPlan:
    """The plan as structs and one function. Raises NotGeneratedError where only the oracle can run it.

    `source` is the text of the function, `attributes` gives the attribute of each field in what it returns:
    a struct that encodes to the added fields, without those that are None.
    """

    def __init__(self, plan: Plan) -> None:
        self.root = tree_of(plan)
        make_structs(self.root)
        shown = {f"f{number}": entry for number, entry in enumerate(plan.entries) if not entry.hidden}
        added = msgspec.defstruct(
            "Added",
            [(name, Any, None) for name in shown],
            rename={name: entry.key for name, entry in shown.items()},
            omit_defaults=True,
            gc=False,
        )
        self.attributes = {entry.field: name for name, entry in shown.items()}
        self.enrich, self.source = generate(plan, self.root, added)

    def added(self, event: Mapping[str, Any]) -> msgspec.Struct | None:
        """Give the added fields of a decoded finding event; None where only the oracle knows them."""
        try:
            added: msgspec.Struct = self.enrich(msgspec.convert(event, self.root.struct))
        except (msgspec.ValidationError, FanOutError):
            return None
        return added

    def fields(self, added: msgspec.Struct) -> dict[str, Any]:
        """Give the added fields by their names in the catalogue."""
        values = ((field, getattr(added, name)) for field, name in self.attributes.items())
        return {field: value for field, value in values if value is not None}
