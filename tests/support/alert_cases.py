"""Cases of alerts on a real cluster.

Records go through the real output with the clock put back; then the alert's own search and condition are run,
with the moment of the case in the place of the period's end.
"""

import json
from copy import deepcopy
from typing import Any

from http_json import Server

from guardduty_lens import Lens, Record
from guardduty_lens.alerts.model import Alert, Case, Given, minutes
from guardduty_lens.alerts.search import BUCKET_AGGREGATION, PERIOD_END, AlertSearch, Asked
from guardduty_lens.catalogue.examples import lay_over
from guardduty_lens.opensearch.bulk import Bulk
from guardduty_lens.opensearch.client import Connection, connect
from guardduty_lens.opensearch.dates import iso
from guardduty_lens.opensearch.documents import Documents
from guardduty_lens.opensearch.names import Names
from guardduty_lens.outputs.opensearch import OpenSearchOutput
from guardduty_lens.visuals.fields import fields_of_lens

MINUTE = 60_000

FINDING: dict[str, Any] = {
    "schemaVersion": "2.0",
    "accountId": "111122223333",
    "region": "eu-west-1",
    "partition": "aws",
    "id": "f",
    "type": "UnauthorizedAccess:EC2/SSHBruteForce",
    "severity": 8,
    "resource": {"resourceType": "Instance"},
    "service": {"archived": False, "count": 1, "resourceRole": "TARGET"},
}
CALL: dict[str, Any] = {
    "eventVersion": "1.08",
    "eventSource": "guardduty.amazonaws.com",
    "awsRegion": "eu-west-1",
    "recipientAccountId": "111122223333",
}


class AlertCluster:
    """A cluster under a prefix of its own, made ready by `install`, that holds one case after the other."""

    def __init__(self, url: str, prefix: str, now: int) -> None:
        self.names = Names(prefix)
        self.now = now
        self.server = Server(url)
        self._lens = Lens(extractors=())
        self._searches = AlertSearch(fields_of_lens(self._lens), self.names)
        self._clock = now
        self._number = 0
        self._output = OpenSearchOutput(
            Bulk(connect(Connection(urls=(url,))), give_up_after=30),
            Documents(self.names),
            self._lens.counters.delivered,
            refuse=self._refused,
            lose=lambda _: None,
            clock=lambda: self._clock,
        )

    def _refused(self, record: Record, rejected: Any) -> None:
        raise AssertionError(rejected)

    def close(self) -> None:
        self._output.close()

    def load(self, case: Case) -> None:
        """Put what is given, and nothing else, into the cluster."""
        self.server.expect(
            "POST",
            f"{self.names.prefix}guardduty*/_delete_by_query?refresh=true&conflicts=proceed&ignore_unavailable=true",
            {"query": {"match_all": {}}},
        )
        self._number += 1
        for given in case.given:
            for copy in range(1, given.copies + 1):
                self._put(_numbered(given, copy))
        self._output.flush()
        self.server.expect("POST", f"{self.names.prefix}guardduty*/_refresh?ignore_unavailable=true")

    def _put(self, given: Given) -> None:
        self._clock = self.now - MINUTE * (0 if given.ago == "0m" else minutes(given.ago))
        if given.stats is not None:
            index = self.names.stats_index(iso(self._clock)[:7])
            body = given.stats | {"@timestamp": iso(self._clock)}
            self.server.expect("POST", f"{index}/_doc", body)
            return
        [record] = self._lens.process(self._event(given))
        assert isinstance(record, Record)
        self._output.write(record)

    def _event(self, given: Given) -> dict[str, Any]:
        moment = iso(self._clock)
        if given.call is not None:
            self._number += 1
            own = {"eventID": f"call-{self._number}", "eventTime": moment}
            call = lay_over(deepcopy(CALL), own | given.call)
            if not given.by_eventbridge:
                return call
            envelope = {"source": "aws.guardduty", "detail-type": "AWS API Call via CloudTrail"}
            return envelope | {"id": own["eventID"], "time": moment, "detail": call}
        created = self.now - MINUTE * minutes(given.created) if given.created else self._clock
        times = {
            "createdAt": iso(created),
            "updatedAt": moment,
            "service": {"eventFirstSeen": iso(created), "eventLastSeen": moment},
        }
        finding = lay_over(lay_over(deepcopy(FINDING), times), given.finding or {})
        # The state keeps the versions of what was deleted for a while: each case has ids of its own.
        finding["id"] = f"case{self._number}-{finding['id']}"
        return finding

    def fires(self, alert: Alert) -> bool:
        """Ask what the alert asks, and run its condition on the answer."""
        asked = self._searches.asked(alert)
        answer = self.answer(asked)
        if isinstance(asked.condition, dict):
            return bool(answer.get("aggregations", {}).get(BUCKET_AGGREGATION, {}).get("buckets"))
        return self.condition(asked.condition, {"results": [answer]})

    def answer(self, asked: Asked) -> dict[str, Any]:
        """Give the answer to an alert's search; buckets that do not fire are taken out, as by the plugin."""
        body = deepcopy(asked.body)
        if isinstance(asked.condition, dict):
            buckets = body["aggregations"][BUCKET_AGGREGATION]
            buckets.setdefault("aggregations", {})["fires"] = {"bucket_selector": asked.condition}
        text = json.dumps(body).replace(PERIOD_END, str(self.now))
        path = f"{','.join(asked.indices)}/_search?ignore_unavailable=false&allow_no_indices=true"
        return self.server.expect("POST", path, json.loads(text))

    def condition(self, source: str, context: dict[str, Any]) -> bool:
        """Run a trigger's condition as the plugin does, on `ctx`."""
        script = {"source": f"def ctx = params.ctx;\n{source}", "params": {"ctx": context}}
        return (
            self.server.expect("POST", "_scripts/painless/_execute", {"script": script})["result"] == "true"
        )


def _numbered(given: Given, copy: int) -> Given:
    """Put the number of a copy where `{n}` stands; alone it is a number."""

    def filled(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: filled(member) for key, member in value.items()}
        if isinstance(value, str):
            return copy if value == "{n}" else value.replace("{n}", str(copy))
        return value

    return Given(
        ago=given.ago,
        finding=filled(given.finding) if given.finding is not None else None,
        call=filled(given.call) if given.call is not None else None,
        stats=given.stats,
        by_eventbridge=given.by_eventbridge,
        created=given.created,
    )
