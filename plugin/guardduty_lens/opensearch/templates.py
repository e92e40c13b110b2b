"""Component and index templates: what indices of ours look like from their first document on."""

from collections.abc import Mapping as ReadOnly

from guardduty_lens.aws_model import load_finding_model
from guardduty_lens.engine.plan import Plan
from guardduty_lens.opensearch.leaves import ALL_WORDS, ANALYSIS, Leaves, Mapping, members
from guardduty_lens.opensearch.mappings import (
    ADDRESSES,
    DATES,
    added_properties,
    cloudtrail_properties,
    document_properties,
)
from guardduty_lens.opensearch.names import Names
from guardduty_lens.opensearch.resources import META, Flavor, IndexOptions, Resource
from guardduty_lens.version import __version__

FIELD_LIMIT = 5000
"""Fields of an index, `.keyword` counted: about 1,500 are ours, the others are left to the user's own."""

FLAT_FIELD_LIMIT = 20_000
"""Of the first seed's form, where each place of an array is a field of its own."""

PRIORITY, FLAT_PRIORITY = 500, 600
"""Above the templates that come with clusters; both of ours match the seed's one index."""


def templates(
    plan: Plan,
    names: Names,
    options: IndexOptions,
    *,
    extra_fields: ReadOnly[str, str] = {},
    flavor: Flavor = "opensearch",
    flat: bool = False,
) -> list[Resource]:
    """Give all templates, component templates first.

    `extra_fields` are the types of fields by key that only Python sets. With `flat`, the one index of the
    first seed gets the first seed's form: `detail` flattened, every key a dotted path.
    Raises ValueError where a field has a name that is not free.
    """
    leaves = Leaves(flavor, f"{plan.field_prefix}{ALL_WORDS}")
    added = added_properties(plan, extra_fields, leaves)
    resources = [
        _component(names, "finding", _mapped(_finding(leaves))),
        _component(names, "added", _mapped(added)),
        _component(names, "settings", {"settings": _settings(options, leaves)}),
        _index(names, "log", names.log_patterns, ("finding", "added", "settings")),
        _index(names, "state", [names.state_index], ("finding", "added", "settings")),
        _index(
            names,
            "cloudtrail",
            [f"{names.cloudtrail}-2*"],
            ("added", "settings"),
            {"mappings": members(**_cloudtrail(leaves))},
        ),
        _index(names, "stats", [f"{names.stats}-2*"], (), _stats(options, leaves)),
        _index(names, "tags", [names.tags], (), _tags(options, leaves)),
    ]
    if flat:
        resources.append(
            _index(names, "flat", [names.log], ("added", "settings"), _flat(leaves), FLAT_PRIORITY)
        )
    return resources


def _finding(leaves: Leaves) -> Mapping:
    return document_properties(load_finding_model(), leaves)


def _mapped(properties: Mapping) -> Mapping:
    """Give mappings with the settings they need: servers check a component template by itself."""
    needed = {"analysis": ANALYSIS, "mapping": {"total_fields": {"limit": FIELD_LIMIT}}}
    return {"settings": {"index": needed}, "mappings": members(**properties)}


def _component(names: Names, part: str, template: Mapping) -> Resource:
    return Resource("component_template", names.component(part), {"template": template, "_meta": _meta()})


def _index(
    names: Names,
    what: str,
    patterns: list[str],
    parts: tuple[str, ...],
    template: Mapping | None = None,
    priority: int = PRIORITY,
) -> Resource:
    body: Mapping = {
        "index_patterns": patterns,
        "composed_of": [names.component(part) for part in parts],
        "priority": priority,
        "_meta": _meta(),
    }
    if template:
        body["template"] = template
    return Resource("index_template", names.template(what), body)


def _meta() -> Mapping:
    return {META: {"version": __version__}}


def _settings(options: IndexOptions, leaves: Leaves) -> Mapping:
    return {
        "index": {
            "number_of_shards": options.shards,
            "number_of_replicas": options.replicas,
            "query": {"default_field": [leaves.all_words, "detail.service.additionalInfo", "asff"]},
            # A word is no number: a query over several fields must not fail for it.
            "query_string": {"lenient": True},
        }
    }


def _cloudtrail(leaves: Leaves) -> Mapping:
    resources = members(ARN=leaves.text(), accountId=leaves.text(), type=leaves.text())
    return cloudtrail_properties(leaves) | {"resources": resources}


def _stats(options: IndexOptions, leaves: Leaves) -> Mapping:
    """Map counters: counts by names, which a run may have for the first time, as they come."""
    return {
        "settings": {"index": {"number_of_shards": options.shards, "number_of_replicas": options.replicas}},
        "mappings": {
            "dynamic": True,
            "date_detection": False,
            "dynamic_templates": [
                {"counts": {"match_mapping_type": "long", "mapping": {"type": "long"}}},
                {"names": {"match_mapping_type": "string", "mapping": {"type": "keyword"}}},
            ],
            "properties": {"@timestamp": leaves.date(), "run_id": {"type": "keyword"}},
        },
    }


def _tags(options: IndexOptions, leaves: Leaves) -> Mapping:
    """Map deployment markers; what else a user says of them is free-form."""
    text = {"type": "text", "fields": {"keyword": {"type": "keyword", "ignore_above": 1024}}}
    return {
        "settings": {"index": {"number_of_shards": 1, "number_of_replicas": options.replicas}},
        "mappings": members(
            **{"@timestamp": leaves.date()},
            **dict.fromkeys(("name", "label", "version", "service"), text),
            source={"type": "keyword"},
            fields=leaves.free(),
        ),
    }


def _flat(leaves: Leaves) -> Mapping:
    """Map the first seed's form by the last part of a key, since arrays make any number of paths.

    `additionalInfo` holds a number in one finding where it holds an object in another, and is kept unindexed.
    """
    rules: list[tuple[str, Mapping, Mapping]] = [
        ("dates", _texts_named(DATES), leaves.date()),
        ("addresses", _texts_named(ADDRESSES), leaves.ip()),
        ("texts", {"match_mapping_type": "string"}, leaves.text()),
        ("flags", {"match_mapping_type": "boolean"}, leaves.flag()),
        ("integers", {"match_mapping_type": "long"}, leaves.number("double")),
        ("numbers", {"match_mapping_type": "double"}, leaves.number("double")),
    ]
    unindexed = {"type": "object", "enabled": False}
    return {
        "settings": {"index": {"mapping": {"total_fields": {"limit": FLAT_FIELD_LIMIT}}}},
        "mappings": {
            "dynamic": True,
            "date_detection": False,
            "dynamic_templates": [
                {name: {**condition, "mapping": mapping}} for name, condition, mapping in rules
            ],
            "properties": {
                "severity": leaves.number("double"),
                "service": {"properties": {"additionalInfo": unindexed}},
            },
        },
    }


def _texts_named(names: frozenset[str]) -> Mapping:
    pattern = f"^(?:{'|'.join(sorted(names))})$"
    return {"match_mapping_type": "string", "match_pattern": "regex", "match": pattern}
