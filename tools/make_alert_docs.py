"""Writes docs/alert-list.md: every alert, what it means and what to do, and which of them the seeds name.

`--check` writes nothing, and exits with 1 if the page is stale.
"""

import sys
from collections.abc import Iterator, Sequence

from generated_file import PACKAGE, check_wanted, write_or_check

from guardduty_lens.alerts.load import load_alerts
from guardduty_lens.alerts.model import Alert
from guardduty_lens.alerts.words import when
from guardduty_lens.lens import Lens
from guardduty_lens.visuals.fields import fields_of_lens

TARGET = PACKAGE.parent.parent / "docs" / "alert-list.md"


def page(alerts: Sequence[Alert]) -> Iterator[str]:
    """Give the lines of the page."""
    yield "# Alerts"
    yield ""
    yield "Made by `make alerts` from [`alerts/*.yml`](../alerts), whose cases run on a real OpenSearch."
    yield "How they get into a cluster, and how to change one: [alerts.md](alerts.md)."
    yield ""
    yield "## The article's alerts, and where they are"
    yield ""
    yield "| in the article | alert | file |"
    yield "|---|---|---|"
    for alert in alerts:
        if alert.seed:
            yield f"| {alert.seed} | {alert.title} | [{alert.id}.yml](../alerts/{alert.id}.yml) |"
    for alert in alerts:
        yield ""
        yield from _one(alert)


def _one(alert: Alert) -> Iterator[str]:
    yield f"## {alert.title}"
    yield ""
    yield f"`{alert.id}`, severity {alert.severity}. {alert.meaning.strip()}"
    yield ""
    often = f"Looked at every {alert.every}; nobody is told again for {alert.throttle}."
    yield f"- **Fires** {when(alert)}. {often}"
    yield f"- **To do:** {alert.response.strip()}"
    if alert.tune:
        yield f"- **To tune:** {alert.tune.strip()}"
    for fires, word in ((True, "Fires"), (False, "Does not fire")):
        names = "; ".join(case.name for case in alert.cases if case.fires is fires)
        yield f"- {word} in the tests: {names}."


def main() -> int:
    """Write or check the page."""
    alerts = load_alerts(fields_of_lens(Lens(extractors=())))
    return write_or_check(TARGET, "\n".join(page(alerts)) + "\n", check=check_wanted(__doc__))


if __name__ == "__main__":
    sys.exit(main())
