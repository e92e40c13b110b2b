from guardduty_lens.opensearch.lifecycle import lifecycle_policies, with_lifecycle
from guardduty_lens.opensearch.names import Names
from guardduty_lens.opensearch.resources import IndexOptions, Resource

NAMES = Names("acme-")


def test_indices_are_kept_for_ever_by_default():
    assert lifecycle_policies(NAMES, IndexOptions(), "opensearch") == []


def test_no_policy_reaches_the_state_or_the_one_index_of_the_first_form():
    policies = lifecycle_policies(NAMES, IndexOptions(retention_days=90), "opensearch")
    patterns = [
        p for each in policies for t in each.body["policy"]["ism_template"] for p in t["index_patterns"]
    ]
    assert patterns == ["acme-guarddutylogs-2*", "acme-guardduty-cloudtrail-2*", "acme-guardduty-stats-2*"]


def test_ilm_deletes_by_age_and_is_named_by_the_template():
    [log, *_] = lifecycle_policies(NAMES, IndexOptions(retention_days=90), "elasticsearch")
    assert log.body["policy"]["phases"]["delete"]["min_age"] == "90d"
    template = Resource(
        "index_template", "acme-guardduty-lens-log", {"template": {"settings": {"index": {}}}}
    )
    named = with_lifecycle(template, NAMES).body["template"]["settings"]
    assert named == {"index": {}, "index.lifecycle.name": log.name}
    state = Resource("index_template", "acme-guardduty-lens-state", {})
    assert with_lifecycle(state, NAMES) == state
