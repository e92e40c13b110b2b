"""What an installation would do, for literal cases; no server."""

import pytest

from guardduty_lens.opensearch.changes import Change, Found, compare, differences, removals
from guardduty_lens.opensearch.ownership import stamp_of, stamped
from guardduty_lens.opensearch.resources import Resource
from guardduty_lens.version import __version__

COMPONENT = stamped(
    Resource(
        "component_template",
        "guardduty-lens-settings",
        {
            "template": {
                "settings": {"number_of_shards": 1, "index.hidden": True, "query.default_field": ["a"]},
                "mappings": {"dynamic": False, "properties": {"a": {"type": "keyword"}}},
            }
        },
    ),
    "",
)
PIPELINE = stamped(
    Resource("ingest_pipeline", "guardduty-lens", {"description": "Adds.", "processors": []}), ""
)
TEMPLATE = stamped(Resource("index_template", "guardduty-lens-log", {"index_patterns": ["x"]}), "")
ISM = stamped(
    Resource(
        "lifecycle_policy",
        "guardduty-lens-log",
        {"policy": {"description": "Deletes.", "states": [{"name": "d", "actions": [{"delete": {}}]}]}},
    ),
    "",
)


def as_the_server_gives_it(**settings):
    """The component template above, in the words of OpenSearch 3.8.0."""
    index = {"number_of_shards": "1", "hidden": "true", "query": {"default_field": ["a"]}} | settings
    body = {
        "template": {
            "settings": {"index": index},
            "mappings": {"dynamic": False, "properties": {"a": {"type": "keyword"}}},
        },
        "_meta": COMPONENT.body["_meta"],
    }
    return Found("component_template", COMPONENT.name, body)


def test_what_is_not_there_is_created_in_an_order_in_which_others_can_refer_to_it():
    assert compare([TEMPLATE, PIPELINE, ISM, COMPONENT], [], "") == [
        Change(action="create", kind="component_template", name="guardduty-lens-settings"),
        Change(action="create", kind="lifecycle_policy", name="guardduty-lens-log"),
        Change(action="create", kind="ingest_pipeline", name="guardduty-lens"),
        Change(action="create", kind="index_template", name="guardduty-lens-log"),
    ]


def test_the_servers_way_of_writing_settings_is_no_change():
    [change] = compare([COMPONENT], [as_the_server_gives_it()], "")
    assert (change.action, change.version, change.by_hand) == ("unchanged", __version__, False)


def test_a_setting_changed_by_hand_is_named():
    [change] = compare([COMPONENT], [as_the_server_gives_it(number_of_shards="2")], "")
    assert change.action == "change"
    assert change.by_hand
    assert change.details == ("/template/settings/index.number_of_shards",)


def test_other_options_are_a_change_but_none_by_hand():
    body = {**COMPONENT.body, "template": {"settings": {"number_of_shards": 3}}}
    wanted = stamped(Resource(COMPONENT.kind, COMPONENT.name, body), "")
    [change] = compare([wanted], [as_the_server_gives_it()], "")
    assert (change.action, change.by_hand) == ("change", False)
    assert change.details == (
        "/template/mappings",
        "/template/settings/index.hidden",
        "/template/settings/index.number_of_shards",
        "/template/settings/index.query.default_field",
    )


def test_another_version_is_a_change_even_where_nothing_else_differs():
    there = as_the_server_gives_it()
    old = there.body["_meta"]["guardduty_lens"] | {"version": "0.0.9"}
    there = Found(there.kind, there.name, {**there.body, "_meta": {"guardduty_lens": old}})
    [change] = compare([COMPONENT], [there], "")
    assert (change.action, change.details, change.version) == ("change", (), "0.0.9")


@pytest.mark.parametrize("meta", [{}, {"_meta": {"managed_by": "someone"}}, {"_meta": None}])
def test_an_object_of_our_name_without_our_stamp_is_foreign_unless_forced(meta):
    there = Found("component_template", COMPONENT.name, {"template": {}, **meta})
    [change] = compare([COMPONENT], [there], "")
    assert (change.action, change.version) == ("foreign", None)
    [forced] = compare([COMPONENT], [there], "", force=True)
    assert forced.action == "change"
    assert removals([there], "") == []


def test_objects_of_ours_that_nothing_wants_are_removed_but_not_those_of_another_prefix():
    other = stamped(TEMPLATE, "guardduty-lens-")
    found = [Found(each.kind, each.name, each.body) for each in (PIPELINE, TEMPLATE, ISM)]
    found.append(Found("index_template", "guardduty-lens-guardduty-lens-log", other.body))
    actions = [(each.action, each.kind) for each in compare([PIPELINE], found, "")]
    assert actions == [
        ("unchanged", "ingest_pipeline"),
        ("remove", "index_template"),
        ("remove", "lifecycle_policy"),
    ]


def test_what_ism_keeps_books_by_is_no_change():
    policy = {
        **ISM.body["policy"],
        "policy_id": "guardduty-lens-log",
        "last_updated_time": 1700000000000,
        "schema_version": 21,
        "error_notification": None,
        "states": [
            {
                "name": "d",
                "actions": [{"retry": {"count": 3, "backoff": "exponential", "delay": "1m"}, "delete": {}}],
            }
        ],
    }
    [change] = compare([ISM], [Found("lifecycle_policy", ISM.name, {"policy": policy})], "")
    assert (change.action, change.by_hand) == ("unchanged", False)


def test_objects_that_can_have_no_meta_carry_the_stamp_in_their_description():
    assert "_meta" not in PIPELINE.body
    assert PIPELINE.body["description"].startswith(f"Adds. [guardduty-lens version={__version__} prefix= ")
    assert "_meta" not in ISM.body["policy"]
    assert stamp_of(ISM.body).version == __version__
    assert stamp_of({"description": "Adds.", "processors": []}) is None


def test_stamping_twice_is_stamping_once():
    for each in (COMPONENT, PIPELINE, TEMPLATE, ISM):
        assert stamped(each, "") == each


def test_differences_are_json_pointers():
    wanted = {"a/b": 1, "c": [1, {"d": 2}], "e": True, "f": [1]}
    there = {"a/b": 2, "c": [1, {"d": 3, "g": 0}], "e": 1, "f": [1, 2]}
    assert list(differences(wanted, there)) == ["/a~1b", "/c/1/d", "/c/1/g", "/e", "/f"]


def test_what_was_put_by_hand_from_our_files_is_ours():
    pipeline = Found("ingest_pipeline", "acme-guardduty-lens", {"description": "guardduty_lens 0.0.9: adds."})
    template = Found(
        "index_template", "acme-guardduty-lens-log", {"_meta": {"guardduty_lens": {"version": "1"}}}
    )
    assert [each.version for each in removals([template, pipeline], "acme-")] == ["1", "0.0.9"]
    assert not pipeline.by_hand
