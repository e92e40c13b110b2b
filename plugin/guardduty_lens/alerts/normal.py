"""The shorthand of alert files, and its long form: tests of fields are written as in dashboards."""

from typing import Any

from guardduty_lens.visuals.normal import normal_where


def normal(data: Any) -> Any:
    """Write shorthand out. Gives new data, takes anything, and leaves what is no alert as it is."""
    if not isinstance(data, dict):
        return data
    data = dict(data)
    if "where" in data:
        data["where"] = normal_where(data["where"])
    if isinstance(data.get("by"), str):
        data["by"] = [data["by"]]
    fires = data.get("fires")
    if isinstance(fires, dict) and isinstance(fires.get("share"), dict) and "of" in fires["share"]:
        share = fires["share"] | {"of": normal_where(fires["share"]["of"])}
        data["fires"] = fires | {"share": share}
    return data
