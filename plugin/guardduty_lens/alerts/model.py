"""What an alert file may say. One file is one alert, with the cases that are its tests.

An alert looks at records of an index that pass `where`, taken in within `window` (by `ingested_at`, since
GuardDuty may deliver hours after it saw something), and fires as `fires` says.
"""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from guardduty_lens.visuals.model import AnyOf, Id, Text

AlertIndex = Literal["log", "state", "cloudtrail", "stats"]
"""As a dashboard's; `cloudtrail` also looks at CloudTrail's records that EventBridge brought into the log."""

Duration = Annotated[str, Meta(pattern=r"^[1-9][0-9]{0,3}[mhd]$")]
"""Minutes, hours or days: `10m`, `4h`, `30d`."""

Number = Annotated[float, Meta(ge=0)]


class _Part(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Common settings of everything a file holds."""


class Share(_Part, frozen=True, kw_only=True):
    """Findings that pass `of` are more than the share `above` of all, which are at least `least`."""

    of: AnyOf
    above: Annotated[float, Meta(ge=0, lt=1)]
    least: Annotated[int, Meta(ge=1)] = 1


class Usual(_Part, frozen=True, kw_only=True):
    """There are more than `above`, and more than in the same hours of each of the past `weeks`."""

    above: Number
    weeks: Annotated[int, Meta(ge=1, le=12)] = 4


class Growth(_Part, frozen=True, kw_only=True):
    """A number of records of one bucket rises by more than `above` within the window."""

    field: str
    above: Number


class Rise(_Part, frozen=True, kw_only=True):
    """A counter of one bucket is higher within the window than it ever was in the time `within` before it."""

    field: str
    within: Duration


class Fires(_Part, frozen=True, kw_only=True):
    """When: exactly one of these.

    `above` and `below` compare the number of distinct findings (or records, see `count`). `first` is a date
    whose earliest value in a bucket lies within the window. `silent`: a bucket that had records within that
    time has none within the window.
    """

    above: Number | None = None
    below: Number | None = None
    share: Share | None = None
    usual: Usual | None = None
    first: str | None = None
    growth: Growth | None = None
    silent: Duration | None = None
    rise: Rise | None = None


class Given(_Part, frozen=True, kw_only=True):
    """Records of a case, taken in so long `ago`.

    One of a `finding`, an API `call` (with `by_eventbridge` in its event), and the counters of a run,
    `stats`. What is said is laid over a plain one; `{n}` in texts is the number of the copy. `created` is
    how long before now a finding was created.
    """

    ago: Duration | Literal["0m"] = "1m"
    copies: Annotated[int, Meta(ge=1, le=1000)] = 1
    finding: dict[str, Any] | None = None
    call: dict[str, Any] | None = None
    stats: dict[str, Any] | None = None
    by_eventbridge: bool = False
    created: Duration | None = None


class Case(_Part, frozen=True, kw_only=True):
    """What is given, and whether the alert fires."""

    name: Text
    given: list[Given] = []
    fires: bool


class Alert(_Part, frozen=True, kw_only=True):
    """One alert. `severity` is 1 (highest) to 5; `seed` the alert of the seeds that it is.

    `by` are the fields whose values each have an alert of their own; `every` is how often it is looked, and
    `throttle` how long nobody is told again. `parameters` are lists that a user has to give, which `where`
    names with a `$` before: without one of them the alert is not installed.
    """

    id: Id
    title: Text
    severity: Annotated[int, Meta(ge=1, le=5)]
    meaning: Text
    response: Text
    index: AlertIndex = "log"
    every: Duration = "1m"
    window: Duration | None = None
    where: AnyOf | None = None
    count: Literal["findings", "updates"] = "findings"
    by: list[str] = []
    fires: Fires
    throttle: Duration = "1h"
    seed: Text | None = None
    tune: Text | None = None
    parameters: list[Text] = []
    cases: Annotated[list[Case], Meta(min_length=2)]

    @property
    def kind(self) -> str:
        """The one way in which it fires."""
        return next(name for name in Fires.__struct_fields__ if getattr(self.fires, name) is not None)


BUCKETS = ("first", "growth", "silent", "rise")
"""Ways to fire that are of each bucket, and need `by`."""


def minutes(duration: str) -> int:
    """Give a duration in minutes.

    >>> minutes("2h")
    120
    """
    return int(duration[:-1]) * {"m": 1, "h": 60, "d": 1440}[duration[-1]]
