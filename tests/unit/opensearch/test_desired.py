"""What an installation consists of, by what the cluster can do and what the user has."""

import json

from guardduty_lens import Lens
from guardduty_lens.extractors import Extractor, ExtractorField
from guardduty_lens.opensearch.capabilities import Capabilities, processor_types
from guardduty_lens.opensearch.desired import desired
from guardduty_lens.opensearch.names import Names
from guardduty_lens.opensearch.ownership import stamp_of
from guardduty_lens.opensearch.resources import IndexOptions

EVERY_PROCESSOR = frozenset({"script", "grok", "set"})
OWNER = Extractor(
    name="owner",
    fields=(ExtractorField(name="owner_team", type="label", description="Who owns it."),),
    extract=lambda event, fields: {},
)


def wanted(capabilities, *extractors, retention=30, prefix=""):
    lens = Lens(extractors=extractors, field_prefix=prefix)
    options = IndexOptions(retention_days=retention)
    return desired(lens.plan, Names("acme-"), options, capabilities, lens.extractors)


def kinds(made):
    return {each.kind for each in made.resources}


def test_a_cluster_that_can_do_everything_gets_everything_and_no_note():
    made = wanted(Capabilities("opensearch", "3.8.0", True, EVERY_PROCESSOR))
    assert kinds(made) == {
        "component_template",
        "index_template",
        "ingest_pipeline",
        "lifecycle_policy",
        "shapes_index",
    }
    assert made.notes == []
    [pipeline] = [each for each in made.resources if each.kind == "ingest_pipeline"]
    assert set(processor_types(pipeline.body)) <= EVERY_PROCESSOR
    assert all(each.name.startswith("acme-guardduty-") for each in made.resources)
    assert {stamp_of(each.body).prefix for each in made.resources} == {"acme-"}


def test_what_the_cluster_cannot_do_is_left_out_with_a_line_each():
    made = wanted(Capabilities("opensearch", "3.8.0", False, frozenset({"set"})))
    assert kinds(made) == {"component_template", "index_template", "shapes_index"}
    assert [line.partition(":")[0] for line in made.notes] == ["skipped", "skipped"]
    assert "Index State Management" in made.notes[0]
    assert "no processor script" in made.notes[1]


def test_on_elasticsearch_the_templates_of_months_name_their_policies():
    made = wanted(Capabilities("elasticsearch", "9.1.0", True, frozenset()))
    named = {
        each.name: each.body["template"]["settings"]["index.lifecycle.name"]
        for each in made.resources
        if "index.lifecycle.name" in json.dumps(each.body)
    }
    assert named == {
        f"acme-guardduty-lens-{what}": f"acme-guardduty-lens-{what}"
        for what in ("log", "cloudtrail", "stats")
    }


def test_an_extractors_field_is_mapped_and_named_as_absent_from_the_pipeline():
    made = wanted(Capabilities("opensearch", "3.8.0", True, EVERY_PROCESSOR), OWNER, prefix="gd_")
    assert made.notes == [
        "mapped, but not set by the ingest pipeline (Python extractor owner): gd_owner_team"
    ]
    bodies = {(each.kind, each.name): json.dumps(each.body) for each in made.resources}
    assert '"gd_owner_team"' in bodies["component_template", "acme-guardduty-lens-added"]
    assert "owner_team" not in bodies["ingest_pipeline", "acme-guardduty-lens"]
