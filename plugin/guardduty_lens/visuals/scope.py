"""Which records a panel is about, whatever it says itself."""

from guardduty_lens.visuals.model import AnyOf, Dashboard, Panel, Test

_FINDINGS_ONLY = Test(is_=["finding"])


def records_of(dashboard: Dashboard, panel: Panel) -> AnyOf:
    """Give what has to hold of a panel's records.

    The log holds more than findings, and may be read through a pattern that others' events match as well:
    panels are of findings unless they say a `record_kind`.
    """
    where = panel.where or [{}]
    if dashboard.index_of(panel) != "log":
        return where
    return [tests if "record_kind" in tests else {"record_kind": _FINDINGS_ONLY} | tests for tests in where]
