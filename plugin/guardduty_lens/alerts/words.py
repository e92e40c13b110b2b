"""When an alert fires, in words."""

from guardduty_lens.alerts.model import Alert

_PLACES = {
    ("log", "findings"): "findings in the log",
    ("log", "updates"): "records in the log",
    ("state", "findings"): "findings in the state",
    ("state", "updates"): "findings in the state",
    ("cloudtrail", "findings"): "CloudTrail's records",
    ("cloudtrail", "updates"): "CloudTrail's records",
    ("stats", "findings"): "the counters",
    ("stats", "updates"): "the counters",
}


def when(alert: Alert) -> str:
    """Give the condition as a clause that goes on a sentence that begins with "fires"."""
    fires = alert.fires
    things = _PLACES[alert.index, alert.count]
    if alert.window:
        things += f" taken in within {alert.window}"
    matching = " that match" if alert.where is not None else ""
    buckets = " and ".join(f"`{field}`" for field in alert.by)
    if fires.above is not None:
        number = "any" if fires.above == 0 else f"more than {fires.above:g}"
        each = f" of one {buckets}" if alert.by else ""
        return f"when there are {number} {things}{each}{matching}"
    if fires.below is not None:
        number = "no" if fires.below == 1 else f"fewer than {fires.below:g}"
        return f"when there are {number} {things}{matching}"
    if fires.share is not None:
        share = f"{100 * fires.share.above:g} %"
        return f"when more than {share} of at least {fires.share.least} {things} are of that kind"
    if fires.usual is not None:
        return (
            f"when there are more than {fires.usual.above:g} {things}{matching}, and more than in the same "
            f"hours of each of the past {fires.usual.weeks} weeks"
        )
    return f"when {_of_buckets(alert, buckets)}"


def _of_buckets(alert: Alert, buckets: str) -> str:
    fires = alert.fires
    if fires.first is not None:
        return f"the earliest `{fires.first}` of a {buckets} lies within {alert.window}"
    if fires.silent is not None:
        return f"a {buckets} had findings within {fires.silent}, and has had none within {alert.window}"
    if fires.growth is not None:
        growth = fires.growth
        return f"`{growth.field}` of a {buckets} rises by more than {growth.above:g} within {alert.window}"
    assert fires.rise is not None  # exactly one of them is said
    return f"`{fires.rise.field}` of a {buckets} rises within {alert.window}"
