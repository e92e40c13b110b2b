"""The body of the ingest pipeline, without a server."""

import json
from pathlib import Path

import pytest

from guardduty_lens import Lens
from guardduty_lens.catalogue.load import load_catalogue
from guardduty_lens.catalogue.paths import Each
from guardduty_lens.compilers.limits import NotCompiledError, fields_left_out
from guardduty_lens.compilers.opensearch import ingest_pipeline
from guardduty_lens.extractors import Extractor, ExtractorField
from guardduty_lens.opensearch.names import Names

ROOT = Path(__file__).parents[3]


def processors(lens, prefix=""):
    body = ingest_pipeline(lens.plan, Names(prefix)).body
    assert json.loads(json.dumps(body)) == body
    return [(kind, options) for processor in body["processors"] for kind, options in processor.items()]


def test_the_built_in_fields_take_one_script():
    [(kind, options)] = processors(Lens(extractors=()))
    assert (kind, options["tag"], options["lang"]) == ("script", "lens-fields", "painless")


def test_regexes_stand_between_two_scripts():
    lens = Lens(fields=ROOT / "examples/fields", extractors=())
    steps = processors(lens)
    assert [(kind, options["tag"]) for kind, options in steps] == [
        ("script", "lens-layout"),
        ("grok", "lens-regex-1"),
        ("script", "lens-fields"),
    ]
    assert steps[1][1]["patterns"] == [
        r"\A(?:(?<lensregex1group1>[a-z]+)-(?<lensregex1group2>dev|test|prod)(?:-[0-9]+)?)\z",
        r"\A",
    ]


@pytest.mark.parametrize("fields", [None, "examples/fields", "tests/unit/engine/catalogues"])
def test_every_step_is_tagged_and_says_when_it_fails(fields):
    lens = Lens(fields=ROOT / fields if fields else None, field_prefix="gd_", extractors=())
    steps = processors(lens)
    assert len({options["tag"] for _, options in steps}) == len(steps)
    for _, options in steps:
        note = options["on_failure"][0]["set"]
        assert note["field"] == "gd_lens_pipeline_failure"
        assert note["value"]["step"] == options["tag"]


def test_a_script_is_no_longer_than_the_server_takes():
    for lens in (Lens(extractors=()), Lens(fields=ROOT / "examples/fields", extractors=())):
        scripts = [options["source"] for kind, options in processors(lens) if kind == "script"]
        assert all(len(source.encode()) <= 65_535 for source in scripts)


def test_the_source_is_the_same_whatever_the_catalogue():
    one, other = (
        Lens(fields=ROOT / fields, extractors=())
        for fields in ("examples/fields", "tests/unit/engine/catalogues/odd.yml")
    )
    assert processors(one)[-1][1]["source"] == processors(other)[-1][1]["source"]


def test_the_prefix_reaches_the_names():
    resource = ingest_pipeline(Lens(extractors=()).plan, Names("acme-"))
    assert (resource.kind, resource.name) == ("ingest_pipeline", "acme-guardduty-lens")
    [script] = [processor["script"] for processor in resource.body["processors"]]
    assert script["params"]["finish"]["log"] == "acme-guarddutylogs"
    assert script["params"]["finish"]["cloudtrail"] == "acme-guardduty-cloudtrail"


def test_a_regex_over_an_array_is_refused():
    import msgspec

    plan = Lens(fields=ROOT / "examples/fields", extractors=()).plan
    [entry] = [entry for entry in plan.entries if entry.field == "business_unit"]
    [source] = entry.sources
    path = msgspec.structs.replace(source.paths[0], steps=(*source.paths[0].steps, Each()))
    fanned = msgspec.structs.replace(entry, sources=(msgspec.structs.replace(source, paths=(path,)),))
    with pytest.raises(NotCompiledError, match="one path of the event"):
        ingest_pipeline(msgspec.structs.replace(plan, entries=(fanned,)), Names())


def owner():
    field = ExtractorField(name="owner", type="label", description="Who owns it.")
    return Extractor(name="owners", fields=(field,), extract=lambda event, fields: {})


def test_what_only_python_can_do_is_named():
    assert fields_left_out([owner()]) == {"owners": ["owner"]}
    assert load_catalogue().groups.get("owner") is None
