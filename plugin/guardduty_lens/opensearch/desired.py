"""What an installation consists of, made from a plan and the user's options."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from guardduty_lens.compilers.limits import fields_left_out
from guardduty_lens.compilers.opensearch import ingest_pipeline
from guardduty_lens.engine.plan import Plan
from guardduty_lens.extractors import Extractor
from guardduty_lens.opensearch.capabilities import Capabilities
from guardduty_lens.opensearch.lifecycle import lifecycle_policies, with_lifecycle
from guardduty_lens.opensearch.names import Names
from guardduty_lens.opensearch.ownership import stamped
from guardduty_lens.opensearch.resources import IndexOptions, Resource
from guardduty_lens.opensearch.shapes import shapes_index
from guardduty_lens.opensearch.templates import templates


class Desired(msgspec.Struct, frozen=True):
    """Stamped resources, and lines that say what is skipped or missing, and why."""

    resources: list[Resource]
    notes: list[str]


def desired(
    plan: Plan,
    names: Names,
    options: IndexOptions,
    capabilities: Capabilities,
    extractors: Sequence[Extractor] = (),
    *,
    flat: bool = False,
    monitors: Sequence[Resource] = (),
) -> Desired:
    """Give what is to be in a cluster of these capabilities; fields of extractors are mapped as well."""
    flavor = capabilities.flavor
    extra = {f"{plan.field_prefix}{field.name}": field.type for each in extractors for field in each.fields}
    wanted = [
        *templates(plan, names, options, extra_fields=extra, flavor=flavor, flat=flat),
        *lifecycle_policies(names, options, flavor),
        ingest_pipeline(plan, names),
        shapes_index(names),
        *monitors,
    ]
    # What could not be looked at may be there: then templates go on naming it.
    has_lifecycle = capabilities.lifecycle or "lifecycle_policy" in capabilities.unanswered
    if flavor == "elasticsearch" and has_lifecycle and options.retention_days is not None:
        wanted = [with_lifecycle(each, names) for each in wanted]
    possible = [each for each in wanted if capabilities.missing(each) is None]
    notes = [
        *_skipped(wanted, capabilities),
        *_not_in_the_pipeline(possible, fields_left_out(extractors, plan.field_prefix)),
    ]
    return Desired([stamped(each, names.prefix) for each in possible], notes)


def _skipped(wanted: Iterable[Resource], capabilities: Capabilities) -> list[str]:
    lines = [*capabilities.not_seen(), *(capabilities.missing(each) for each in wanted)]
    return [f"skipped: {line}" for line in dict.fromkeys(lines) if line]


def _not_in_the_pipeline(possible: Iterable[Resource], left_out: Mapping[str, list[str]]) -> list[str]:
    if all(each.kind != "ingest_pipeline" for each in possible):
        return []
    return [
        f"mapped, but not set by the ingest pipeline (Python extractor {extractor}): {', '.join(fields)}"
        for extractor, fields in left_out.items()
    ]
