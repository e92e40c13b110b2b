"""A user's own field, from `install --fields` to a query, by our output and by the ingest pipeline alike."""

import json
from pathlib import Path

from click.testing import CliRunner
from finding_events import event
from http_json import Server

from guardduty_lens.cli.main import main

PREFIX = "own-fields-"
FIELDS = """\
fields:
  - field: squad
    type: label
    description: Which squad an account belongs to.
    from:
      - detail.accountId
    operation: {lookup: {entries: {"111122223333": Payments.Core}}}
    examples:
      - given: {detail: {accountId: "111122223333"}}
        gives: Payments.Core
  - field: stage
    type: label
    description: The stage in a title such as `prod-shop`.
    from:
      - detail.title
    operation: {regex: {pattern: "(?P<stage>[a-z]{1,8})-[a-z]{1,20}", group: stage}}
    examples:
      - given: {detail: {title: prod-shop}}
        gives: prod
"""


def run(*arguments: str) -> None:
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output


def test_a_field_of_ones_own_is_found_whichever_way_the_record_came(
    opensearch_url: str, tmp_path: Path
) -> None:
    fields, source = tmp_path / "fields", tmp_path / "in.jsonl"
    fields.mkdir()
    (fields / "ours.yml").write_text(FIELDS)
    source.write_text(json.dumps(event({"id": "by-output"})))
    options = ["--url", opensearch_url, "--index-prefix", PREFIX, "--fields", str(fields)]
    server = Server(opensearch_url)
    run("install", "--replicas", "0", *options)
    try:
        dead = ["--dead-letters", str(tmp_path / "dead.jsonl")]
        run("filter", str(source), "--to", "opensearch", *options, *dead)
        index = f"{PREFIX}guarddutylogs"
        server.expect(
            "POST",
            f"{index}/_doc?pipeline={PREFIX}guardduty-lens",
            event({"id": "by-pipeline"}),
        )
        server.expect("POST", f"{PREFIX}guardduty*/_refresh")
        for query in ("squad:payments", "squad.keyword:Payments.Core", "stage:prod"):
            found = server.expect("GET", f"{index}*/_search?q={query}")["hits"]["hits"]
            assert {hit["_source"]["finding_id"] for hit in found} == {"by-output", "by-pipeline"}, query
            assert {hit["_index"] for hit in found} == {f"{PREFIX}guarddutylogs-2025.03"}
        state = server.expect("GET", f"{PREFIX}guardduty-findings/_search?q=squad:payments")
        assert [hit["_id"] for hit in state["hits"]["hits"]] == ["by-output"]
    finally:
        run("uninstall", "--yes", "--with-data", *options[:4])
